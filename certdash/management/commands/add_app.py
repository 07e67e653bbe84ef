"""`manage.py add_app`: adds or updates an app; the token comes on standard input."""

import sys
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from certdash.falkor import AddressRefused, normalise_token
from certdash.models import App, Secret
from certdash.models.group import track_groups
from certdash.sync.connection import usable_base_url


class Command(BaseCommand):
    help = "Adds or updates an app. The token comes on standard input; empty input keeps the stored one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--name", required=True)
        parser.add_argument("--base-url", required=True)
        parser.add_argument("--app-id", default="")
        parser.add_argument("--group", action="append", default=[], metavar="NAME", help="also track this group")

    def handle(self, *_: Any, **options: Any) -> None:
        text = sys.stdin.read().strip()
        app = App.objects.filter(slug=options["slug"]).first() or App(slug=options["slug"])
        stored_url = app.base_url
        try:
            app.base_url = usable_base_url(options["base_url"])
            token = normalise_token(text) if text else ""
        except (AddressRefused, ValueError) as error:
            raise CommandError(str(error)) from None
        if not token and (not app.pk or stored_url != app.base_url):
            raise CommandError("Nothing was saved: a new app or another base URL needs the token on standard input.")
        if token:
            app.token = Secret.seal(token)
        app.name, app.app_id = options["name"], options["app_id"]
        self._save(app, options["group"])

    def _save(self, app: App, groups: list[str]) -> None:
        new = app.pk is None
        try:
            app.full_clean()
        except ValidationError as error:
            raise CommandError(f"Nothing was saved: {' '.join(error.messages)}") from None
        with transaction.atomic():
            app.save()
            if groups:
                track_groups(app, groups, keep_others=True)
        self.stdout.write(f"{app.name} ({app.slug}) was {'added' if new else 'updated'}.")
