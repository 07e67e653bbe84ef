"""`manage.py sync`: synchronises apps now, in this process."""

import json
import logging
import signal
import sys
import time
from contextlib import suppress
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error, transaction
from django.utils import timezone

from certdash.audit import note
from certdash.models import App, AuditKind, SyncRun
from certdash.sync.asking import Scope
from certdash.sync.run import execute, open_run, release_dead_runs, stop
from certdash.sync.schedule import Due, due_apps, open_due
from certdash.sync.withdrawals import accept, withdraw_accepted

log = logging.getLogger(__name__)
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

    def run_from_argv(self, argv: list[str]) -> None:
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # closes the run on the way out, as Ctrl-C does
        try:
            super().run_from_argv(argv)
        except KeyboardInterrupt:  # before the first run, or after the last one
            self.stderr.write("Told to end while no run was under way.")
            sys.exit(1)

    def handle(self, *_: Any, **options: Any) -> None:
        scope = Scope(options["story"], tuple(options["user"]))
        failed = False
        for app in _chosen(options["slugs"], options["due"]):
            self._run = SyncRun(app=app)
            try:
                run = self._synchronised(app, scope, only_due=options["due"])
                if run and run.status == SyncRun.Status.HELD and options["accept_withdrawals"]:
                    _accepted(run)
            except KeyboardInterrupt:
                raise CommandError(
                    f"{app.slug}: told to end. What is written stays, and the next run completes it."
                ) from None
            except (App.DoesNotExist, SyncRun.DoesNotExist):
                self._note(app, "deleted meanwhile.")
                failed = True
                continue
            except CommandError:
                raise
            except Exception:  # noqa: BLE001  # as the worker does: the other apps have their turn whatever this was
                run = self._cut_off()
            if run:
                self.stdout.write(json.dumps(_report(app, run)) if options["json"] else _line(app, run))
                self.stdout.flush()
                failed |= run.status in _FAILED
        if failed:
            raise CommandError(
                "Not every app could be synchronised. What is stored there stays; its line above says why."
            )

    def _synchronised(self, app: App, scope: Scope, *, only_due: bool) -> SyncRun | None:
        """The run that did it, here or elsewhere; None when the app is not due any more."""
        while opened := _open(app, scope, only_due=only_due):
            run, new = opened
            self._run = run
            if not new and run.phase == SyncRun.Phase.QUEUED:
                self._note(app, f"a run waits for the worker {_about(run)}; doing it here.{_beside(run, scope)}")
            try:
                run = execute(run)
            except KeyboardInterrupt:
                if new:  # it may not have begun
                    stop(run, timezone.now)
                raise
            if not run.is_running:
                return run
            self._note(app, f"a run is under way {_about(run)}; following it.{_beside(run, scope)}")
            self._follow(app, run)
            if run.status != SyncRun.Status.INTERRUPTED:
                return run
            self._note(app, "that run was interrupted; synchronising again.")
        return None

    def _cut_off(self) -> SyncRun:
        """The run in which something happened that nobody expected, which the log tells; for its reader it failed."""
        run = self._run
        log.exception("Run %s of app %s ended in an error", run.pk, run.app.slug)
        with suppress(Error, SyncRun.DoesNotExist):  # the database may be what failed
            run.refresh_from_db()
        if run.status not in _FAILED:
            run.status = SyncRun.Status.FAILED
            run.message = "certdash itself stopped here; its log says why. The next run completes what is missing."
        return run

    def _follow(self, app: App, run: SyncRun) -> None:
        try:
            while run.is_running:
                time.sleep(0.5)
                release_dead_runs(timezone.now, app)
                run.refresh_from_db()
        except KeyboardInterrupt:
            raise CommandError(f"{app.slug}: told to end. The run that was followed goes on without this.") from None

    def _note(self, app: App, text: str) -> None:
        self.stderr.write(f"{app.slug}: {text}", self.style.NOTICE)


def _chosen(slugs: list[str], only_due: bool) -> list[App]:
    apps = {app.slug: app for app in App.objects.all()}
    if unknown := [slug for slug in slugs if slug not in apps]:
        raise CommandError(f"There is no app {', '.join(unknown)}. Nothing was synchronised.")
    if not apps:
        raise CommandError("There is no app yet. Add one with add_app.")
    due = {app.slug for app in due_apps(timezone.now())} if only_due else apps.keys()
    return [apps[slug] for slug in dict.fromkeys(slugs or apps) if slug in due]


def _open(app: App, scope: Scope, *, only_due: bool) -> tuple[SyncRun, bool] | None:
    """The app's run and whether it is new; None when only what is due is wanted and another process was quicker."""
    if only_due and scope.full:
        run = open_due(Due(app), timezone.now())
        return (run, True) if run else None
    return open_run(app, scope)


def _about(run: SyncRun) -> str:
    """Since when, for whom, and how far another one's run goes, in words."""
    about = [f"asked for by {run.requested_by}"] if run.requested_by else []
    if run.is_narrow:
        part = ["some learners"] if run.users else []
        part += [f"story {run.story!r}"] if run.story else []
        about.append(f"only {' of '.join(part)}")
    since = timezone.localtime(run.started_at or run.requested_at)
    return f"since {since:%H:%M}" + (f" ({'; '.join(about)})" if about else "")


def _beside(run: SyncRun, asked: Scope) -> str:
    """A sentence more when that run does not do what is asked for here."""
    if not run.is_narrow or Scope(run.story, tuple(run.users)) == asked:
        return ""
    return " It is only a part of what is asked for here." if asked.full else " It is not what is asked for here."


def _accepted(run: SyncRun) -> None:
    with transaction.atomic():
        if accept(run, None, timezone.now()):
            missing = run.missing_certificates.live().count()
            note(AuditKind.ACCEPTED, run.app, run=run.pk, certificates=missing, by="command")
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
