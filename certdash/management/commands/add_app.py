"""`manage.py add_app`: adds or updates an app; the token comes on standard input."""

import sys
from copy import copy
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from certdash.audit import note_connection
from certdash.falkor import AddressRefused, normalise_token
from certdash.forms import ScopeForm
from certdash.models import App, Breadth, Group, Secret
from certdash.models.group import track_groups
from certdash.sync.connection import usable_base_url


class Command(BaseCommand):
    help = "Adds or updates an app. The token comes on standard input; empty input keeps the stored one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--name", required=True)
        parser.add_argument("--base-url", required=True)
        parser.add_argument("--app-id", help="an update without it keeps the stored one")
        parser.add_argument("--group", action="append", default=[], metavar="NAME", help="also track this group")
        scope = parser.add_mutually_exclusive_group()  # an update without any of these keeps the stored one
        scope.add_argument("--everything", action="store_true", help="synchronise everything")
        scope.add_argument("--only-story", action="append", metavar="S", help="synchronise only these stories")
        scope.add_argument("--only-groups", action="store_true", help="synchronise only the tracked groups")

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            base_url, token = usable_base_url(options["base_url"]), _token()
        except (AddressRefused, ValueError) as error:
            raise CommandError(str(error)) from None
        groups = _group_names(options["group"])
        # The app is read only now: whoever pipes the token, and the name server, may have taken their time.
        with transaction.atomic():
            stored = App.objects.select_for_update().filter(slug=options["slug"]).first()
            app = copy(stored) if stored else App(slug=options["slug"])
            if not token and (stored is None or stored.base_url != base_url):
                raise CommandError(
                    "Nothing was saved: a new app or another base URL needs the token on standard input."
                )
            app.base_url, app.name = base_url, options["name"]
            if token:
                app.token = Secret.seal(token)
            if options["app_id"] is not None:
                app.app_id = options["app_id"]
            _set_scope(app, groups, options)
            _check(app)
            app.save()
            note_connection(app, stored)
            if groups:
                track_groups(app, groups, keep_others=True)
        self.stdout.write(f"{app.name} ({app.slug}) was {'updated' if stored else 'added'}.")


def _check(app: App) -> None:
    if app.slug == "add":
        raise CommandError("Nothing was saved: slug: /apps/add/ is the page that adds an app, choose another one.")
    try:
        app.full_clean()
    except ValidationError as error:
        wrong = [f"{name}: {' '.join(messages)}" for name, messages in error.message_dict.items()]
        raise CommandError(f"Nothing was saved: {'; '.join(wrong)}") from None


def _set_scope(app: App, groups: list[str], options: dict[str, Any]) -> None:
    """How much of the app is synchronised, if anything was said of it; checked as on its page."""
    stories = options["only_story"]
    if not (options["everything"] or stories or options["only_groups"]):
        return
    breadth = Breadth.STORIES if stories else Breadth.GROUPS if options["only_groups"] else Breadth.EVERYTHING
    tracked = groups or ([group.name for group in app.groups.filter(tracked=True)] if app.pk else [])
    form = ScopeForm({"breadth": breadth, "stories": "\n".join(stories or app.listed_stories)}, app, tracked)
    if not form.is_valid():
        raise CommandError(f"Nothing was saved: {' '.join(str(one) for each in form.errors.values() for one in each)}")
    form.set()


def _token() -> str:
    """What standard input holds, in the form that is kept; "" when that is nothing. Raises ValueError."""
    try:
        text = sys.stdin.read().strip()
    except UnicodeDecodeError:
        raise ValueError(
            "Nothing was saved: standard input is not UTF-8 text. Paste the token as plain text."
        ) from None
    return normalise_token(text) if text else ""


def _group_names(given: list[str]) -> list[str]:
    names = [name.strip() for name in given]
    for name in names:
        if not name or len(name) > Group.LONGEST_NAME:
            raise CommandError(
                f"Nothing was saved: a group's name has 1 to {Group.LONGEST_NAME} characters, not {len(name)}."
            )
    return names
