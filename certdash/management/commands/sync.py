"""`manage.py sync`: synchronises apps now, in this process."""

import json
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from certdash.models import App, SyncRun
from certdash.sync.asking import Scope
from certdash.sync.run import execute, open_run, release_dead_runs
from certdash.sync.schedule import due_apps
from certdash.sync.withdrawals import accept, withdraw_accepted

_FAILED = (SyncRun.Status.FAILED, SyncRun.Status.INTERRUPTED)


class Command(BaseCommand):
    help = "Synchronises all or the named apps now. While a run is under way it waits for it and reports it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slugs", nargs="*", metavar="SLUG")
        parser.add_argument("--due", action="store_true", help="only apps whose refresh interval is over")
        parser.add_argument("--story", default="", help="only this story (ID or name)")
        parser.add_argument("--user", action="append", default=[], help="only this learner (name or e-mail)")
        parser.add_argument("--accept-withdrawals", action="store_true", help="withdraw what a held run found missing")
        parser.add_argument("--json", action="store_true", help="one JSON object a line")

    def handle(self, *_: Any, **options: Any) -> None:
        scope = Scope(options["story"], tuple(options["user"]))
        failed = False
        for app in _chosen(options["slugs"], options["due"]):
            run = _synchronised(app, scope)
            if run.status == SyncRun.Status.HELD and options["accept_withdrawals"]:
                _accepted(run)
            self.stdout.write(json.dumps(_report(app, run)) if options["json"] else _line(app, run))
            self.stdout.flush()
            failed |= run.status in _FAILED
        if failed:
            raise CommandError(
                "Not every app could be synchronised. What is stored there stays; its line above says why."
            )


def _chosen(slugs: list[str], only_due: bool) -> list[App]:
    apps = {app.slug: app for app in App.objects.all()}
    if unknown := [slug for slug in slugs if slug not in apps]:
        raise CommandError(f"There is no app {', '.join(unknown)}. Nothing was synchronised.")
    if not apps:
        raise CommandError("There is no app yet. Add one with add_app.")
    due = {app.slug for app in due_apps(timezone.now())} if only_due else apps.keys()
    return [apps[slug] for slug in dict.fromkeys(slugs or apps) if slug in due]


def _synchronised(app: App, scope: Scope) -> SyncRun:
    run, _ = open_run(app, scope)
    run = execute(run)  # also one that waits for a worker
    while run.is_running:
        time.sleep(0.5)
        release_dead_runs(timezone.now, app)
        run.refresh_from_db()
    return run


def _accepted(run: SyncRun) -> None:
    accept(run, None, timezone.now())
    run.refresh_from_db()
    if run.accepted_at:
        withdraw_accepted(run, timezone.now)
        run.refresh_from_db()


def _report(app: App, run: SyncRun) -> dict[str, Any]:
    status = SyncRun.Status.FAILED if run.status in _FAILED else run.status
    return {
        "app": app.slug,
        "status": status,
        "received": run.received,
        "created": run.created,
        "changed": run.changed,
        "withdrawn": run.withdrawn,
        "rejected": run.rejected,
        "seconds": round(run.seconds or 0, 3),
        "message": run.message,
    }


def _line(app: App, run: SyncRun) -> str:
    return f"{app.slug}: {run.get_status_display().lower()}. {run.message}"
