"""The queue of the worker. Jobs carry ids only, may run twice, and only call `sync`: truth and leases are in tables."""

import logging
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command
from django.db import InterfaceError, OperationalError, close_old_connections, connections
from django.utils import timezone
from huey import SqliteHuey, crontab

from certdash.models import App, SyncRun
from certdash.spool import sweep_spool
from certdash.sync.lease import STOPPING
from certdash.sync.retention import age_out, apps_to_age_out
from certdash.sync.run import execute, release_dead_runs
from certdash.sync.schedule import open_due_runs, renew_waiting, unfinished_acceptances
from certdash.sync.telephones import clear_telephones
from certdash.sync.withdrawals import withdraw_accepted

log = logging.getLogger(__name__)
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
    if STOPPING.is_set():  # told to end after it took this job: the run waits for the next worker
        enqueue(sync_run, run_id)
        return
    with suppress(SyncRun.DoesNotExist):  # gone with its app, perhaps while it ran
        execute(SyncRun.objects.get(pk=run_id))


@huey.task()
def withdraw_held(run_id: int) -> None:
    """Withdraw what an owner accepted."""
    if run := SyncRun.objects.filter(pk=run_id).exclude(accepted_at=None).first():
        withdraw_accepted(run, timezone.now)


@huey.task()
def remove_old(app_id: int) -> None:
    """Remove what of an app is older than it is kept."""
    if app := App.objects.filter(pk=app_id).first():
        age_out(app, timezone.now())


@huey.task()
def remove_telephones(app_id: int) -> None:
    """Remove the telephones that an app stores no more."""
    if app := App.objects.filter(pk=app_id).first():
        clear_telephones(app)


@huey.periodic_task(crontab(hour="2", minute="23"))
def forget_daily() -> None:
    """Once a day, in UTC: sessions that are over, what is remembered of rows that may be gone, and files nobody has."""
    call_command("clearsessions")
    cache.clear()
    sweep_spool()


@huey.periodic_task(crontab(minute="*"))
def sync_due() -> None:
    """At the start and once a minute: close what died, take up what was lost with its process, open what is due.

    What is old goes once a day, when an app is not synchronised.
    """
    try:
        release_dead_runs(timezone.now)
        for run in renew_waiting(timezone.now()):
            enqueue(sync_run, run.pk)
        for run in unfinished_acceptances():
            enqueue(withdraw_held, run.pk)
        for run in open_due_runs(timezone.now()):
            enqueue(sync_run, run.pk)
        for app in App.objects.filter(telephones_left=True):
            enqueue(remove_telephones, app.pk)
        for app in apps_to_age_out(timezone.now()):
            enqueue(remove_old, app.pk)
    except (InterfaceError, OperationalError) as error:
        log.warning("The database does not answer, so the schedule waits for its next minute: %s", error)


def enqueue(job: Any, row_id: int) -> None:
    """Have the worker do a job of this module about one row, unless it is in the queue already."""
    if not any(isinstance(task, job.task_class) and task.args == (row_id,) for task in huey.pending()):
        job(row_id)
