"""What the worker has to do without being asked: apps that are due, and work whose job was lost."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction

from certdash.models import App, SyncRun, User

from .asking import Scope
from .run import QUEUE_LEASE, open_run
from .withdrawals import still_listed

_PATIENCE = timedelta(minutes=1)

# -- What is due ------------------------------------------------------------------------------------------------


class Due(NamedTuple):
    """A run that should be opened now."""

    app: App
    scope: Scope = Scope()
    by: User | None = None


def due_apps(now: datetime) -> list[App]:
    """Apps without a live run whose last full run was requested at least their refresh interval ago, or was cut off."""
    return [app for app in _free_apps(now) if _is_due(app, list(_runs(app).full()[:2]), now)]


def open_due_runs(now: datetime) -> Iterator[SyncRun]:
    """Open a run for every app that has to be synchronised now; gives each once it is committed."""
    for app in _free_apps(now):
        if (due := _due(app, now)) and (run := open_due(due, now)):
            yield run


def open_due(due: Due, now: datetime) -> SyncRun | None:
    """Open this run, unless another process has just done it, or is at it, or the app is gone: then None."""
    try:
        with transaction.atomic():
            run, new = open_run(*due, clock=lambda: now)
            # From here on no other run of the app can begin or end: this look is the last word on what is due.
            if new and _due(due.app, now, apart_from=run) == due:
                return run
            transaction.set_rollback(new)
    except (App.DoesNotExist, IntegrityError):  # deleted meanwhile; the database may notice that only at the end
        pass
    return None


def _free_apps(now: datetime) -> list[App]:
    busy: set[Any] = set(SyncRun.objects.under_way().filter(lease_until__gte=now).values_list("app", flat=True))
    return [app for app in App.objects.order_by("pk") if app.pk not in busy]


def _runs(app: App, apart_from: SyncRun | None = None) -> Any:
    runs = SyncRun.objects.filter(app=app)
    return runs.exclude(pk=apart_from.pk) if apart_from else runs


def _due(app: App, now: datetime, apart_from: SyncRun | None = None) -> Due | None:
    runs = _runs(app, apart_from)
    if _is_due(app, list(runs.full()[:2]), now):
        return Due(app)
    newest, *before = runs[:2]
    if newest.is_narrow and _was_cut_off([newest, *(run for run in before if _scope(run) == _scope(newest))]):
        return Due(app, _scope(newest), newest.requested_by)
    return None


def _scope(run: SyncRun) -> Scope:
    return Scope(run.story, tuple(run.users))


def _is_due(app: App, last: Sequence[SyncRun], now: datetime) -> bool:
    """`last`: the last two full runs, newest first."""
    return not last or last[0].requested_at + timedelta(minutes=app.refresh_minutes) <= now or _was_cut_off(last)


def _was_cut_off(last: Sequence[SyncRun]) -> bool:
    """Whether a run is to be run again at once; one that is cut off again and again waits for its turn."""
    return [run.status == SyncRun.Status.INTERRUPTED for run in last] in ([True], [True, False])


# -- What was lost ----------------------------------------------------------------------------------------------


def renew_waiting(now: datetime) -> list[SyncRun]:
    """Runs that still wait though a free worker would have taken them up: their job may be lost with its process.

    They may wait on: this worker knows of them.
    """
    queued = SyncRun.objects.under_way().filter(phase=SyncRun.Phase.QUEUED, lease_until__gte=now)
    waiting = list(queued.filter(requested_at__lte=now - _PATIENCE))
    queued.filter(pk__in=[run.pk for run in waiting]).update(lease_until=now + QUEUE_LEASE)
    return waiting


def unfinished_acceptances() -> list[SyncRun]:
    """Accepted runs whose withdrawals were lost with their process."""
    accepted = SyncRun.objects.filter(status=SyncRun.Status.HELD).exclude(accepted_at=None)
    return list(accepted.filter(still_listed()))
