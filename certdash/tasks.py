"""The queue of the worker. Jobs carry ids only, may run twice, and only call `sync`: truth and leases are in tables."""

from typing import Any

from django.conf import settings
from django.db import close_old_connections, connections
from django.utils import timezone
from huey import SqliteHuey, crontab

from certdash.models import SyncRun
from certdash.sync.asking import Scope
from certdash.sync.run import execute, open_run
from certdash.sync.schedule import due_apps, forgotten_runs, unfinished_acceptances
from certdash.sync.withdrawals import withdraw_accepted

huey = SqliteHuey(**settings.HUEY, immediate=False, results=False, utc=True)


@huey.pre_execute()
def drop_stale_connections(_task: Any) -> None:
    """The worker's threads live long; a database server that was restarted in between costs nothing."""
    close_old_connections()


@huey.post_execute()
def release_connections(_task: Any, _value: Any, _error: Any) -> None:
    """A waiting thread holds no connection."""
    connections.close_all()


@huey.task()
def sync_run(run_id: int) -> None:
    """Do an opened run."""
    if run := SyncRun.objects.filter(pk=run_id).first():
        execute(run)


@huey.task()
def withdraw_held(run_id: int) -> None:
    """Withdraw what an owner accepted."""
    if run := SyncRun.objects.filter(pk=run_id).exclude(accepted_at=None).first():
        withdraw_accepted(run, timezone.now)


@huey.periodic_task(crontab(minute="*"))
def sync_due() -> None:
    """Once a minute: open a run for every app that is due, and take up again what was lost with its process."""
    for run in forgotten_runs(timezone.now()):
        enqueue(sync_run, run.pk)
    for app in due_apps(timezone.now()):
        run, new = open_run(app, Scope())
        if new:
            enqueue(sync_run, run.pk)
    for run in unfinished_acceptances():
        enqueue(withdraw_held, run.pk)


def enqueue(job: Any, row_id: int) -> None:
    """Have the worker do a job of this module about one row."""
    job(row_id)
