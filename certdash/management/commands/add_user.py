"""`manage.py add_user`: adds or updates a person; the password comes on standard input."""

import sys
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from certdash.audit import note
from certdash.models import App, AuditKind, Grant, Role, User


class Command(BaseCommand):
    help = "Adds or updates a person. The password comes on standard input; empty input keeps the stored one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--email", required=True)
        parser.add_argument("--grant", action="append", default=[], metavar="APP:ROLE", help="viewer, manager or owner")

    def handle(self, *_: Any, **options: Any) -> None:
        password = sys.stdin.read().rstrip("\r\n")
        grants = [_understood(text) for text in options["grant"]]
        user = User.objects.filter(username__iexact=options["name"]).first() or User(username=options["name"])
        new = user.pk is None
        user.email = options["email"]
        try:
            if password:
                validate_password(password, user)
                user.set_password(password)
            elif new:
                raise CommandError("Nothing was saved: a new person needs a password on standard input.")
            user.full_clean()
        except ValidationError as error:
            raise CommandError(f"Nothing was saved: {_named(error)}") from None
        with transaction.atomic():
            user.save()
            note(AuditKind.PERSON, change="added" if new else "changed", account=user.username, by="command")
            for app, role in grants:
                Grant.objects.update_or_create(user=user, app=app, defaults={"role": role})
                note(AuditKind.ACCESS_GIVEN, app, role=role, account=user.username, by="command")
        self.stdout.write(f"{user.username} was {'added' if new else 'updated'}.")


def _named(error: ValidationError) -> str:
    """The messages, with the fields that they are about."""
    if not hasattr(error, "error_dict"):
        return " ".join(error.messages)
    return "; ".join(f"{name}: {' '.join(messages)}" for name, messages in error.message_dict.items())


def _understood(text: str) -> tuple[App, Role]:
    slug, _, role = text.partition(":")
    app = App.objects.filter(slug=slug).first()
    if app is None or role not in Role:
        raise CommandError(
            f"Nothing was saved: --grant {text} is not of the form APP:ROLE with an app that exists "
            f"and one of {', '.join(Role.values)}."
        )
    return app, Role(role)
