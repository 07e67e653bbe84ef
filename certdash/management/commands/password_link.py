"""`manage.py password_link`: prints a one-time link by which somebody comes in who could not otherwise."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from certdash.audit import note
from certdash.invitations import connecting_link, password_link
from certdash.models import AuditKind, User


class Command(BaseCommand):
    help = "Prints a one-time link with which a person sets a new password, however many wrong ones were tried."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the user name")
        parser.add_argument(
            "--single-sign-on", action="store_true", help="a link that lets their sign-in open the account instead"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        person = User.objects.filter(username__iexact=options["name"]).first()
        if person is None:
            raise CommandError(f"No link was made: nobody has the user name {options['name']}.")
        if not person.is_active:
            raise CommandError(f"No link was made: the account {person.username} is deactivated.")
        connects = options["single_sign_on"]
        if connects and not settings.OIDC_ISSUER:
            raise CommandError("No link was made: there is no single sign-on here (CERTDASH_OIDC_ISSUER).")
        if not connects and settings.OIDC_ONLY:
            raise CommandError(
                "No link was made: nobody logs in with a password here (CERTDASH_OIDC_ONLY). "
                "With --single-sign-on the link lets their sign-in open the account."
            )
        change = "link to connect single sign-on made" if connects else "link to a new password made"
        note(AuditKind.PERSON, change=change, account=person.username, by="command")
        self.stdout.write(connecting_link(person) if connects else password_link(person))
