"""`manage.py erasures`: keeps erasures outside the database, and repeats them after a backup was restored."""

import json
import os
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from certdash.audit import note
from certdash.models import App, AuditKind, Erasure
from certdash.sync.erasing import replay

Erasures = dict[str, list[tuple[str, datetime]]]  # digest and moment by app


class Command(BaseCommand):
    help = "Writes the digests of erased learners to a file, or erases again whoever such a file lists."

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--export", type=Path, metavar="FILE", help="write the digests; they tell nobody's name")
        what.add_argument("--replay", type=Path, metavar="FILE", help="erase whoever is listed, and keep them erased")

    def handle(self, *_: Any, **options: Any) -> None:
        path: Path = options["export"] or options["replay"]
        try:
            if options["export"]:
                self._export(path)
            else:
                self._replay(path.read_text())
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}. Nothing was changed.") from None
        except UnicodeDecodeError:
            raise CommandError(_not_ours(path.name)) from None

    def _export(self, path: Path) -> None:
        rows = Erasure.objects.order_by("pk").values_list("app__slug", "digest", "at")
        lines = [{"app": slug, "digest": digest, "at": at.isoformat()} for slug, digest, at in rows]
        aside = path.with_name(f".{path.name}.{os.getpid()}")
        aside.write_text("".join(json.dumps(line) + "\n" for line in [{"key": Erasure.digest_of_key()}, *lines]))
        aside.replace(path)
        self.stdout.write(f"{len(lines):,} erasures were written.")

    def _replay(self, text: str) -> None:
        listed = _understood(text)
        apps = {app.slug: app for app in App.objects.filter(slug__in=listed)}
        for slug, app in apps.items():
            again = _erase(app, listed[slug])
            self.stdout.write(f"{app.name} ({slug}): {len(listed[slug]):,} erasures, {again:,} learners erased again.")
        if unknown := sorted(listed.keys() - apps.keys()):
            raise CommandError(
                f"There is no app {', '.join(unknown)}, so its erasures were not repeated; those of the others were. "
                "Add the app under this name and run this again before its first sync."
            )


def _erase(app: App, erasures: Iterable[tuple[str, datetime]]) -> int:
    again = replay(app, erasures)
    if again:
        note(AuditKind.ERASED, app, learners=again, by="command")
    return again


def _understood(text: str) -> Erasures:
    """Raises `CommandError` when this is no such file, or one that another key has made."""
    listed: Erasures = defaultdict(list)
    try:
        head, *lines = [json.loads(line) for line in text.splitlines()]
        key = head["key"]
        for line in lines:
            listed[str(line["app"])].append((str(line["digest"]), datetime.fromisoformat(line["at"])))
    except (ValueError, TypeError, KeyError):
        raise CommandError(_not_ours("This file")) from None
    if key != Erasure.digest_of_key():
        raise CommandError(
            "This file was written under another CERTDASH_ERASURE_KEY, so nobody in it can be recognised. "
            "Nothing was changed. Restore that key and run this again."
        )
    return listed


def _not_ours(what: str) -> str:
    return f"{what} was not written by `erasures --export`. Nothing was changed."
