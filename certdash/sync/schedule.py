"""What the worker has to do without being asked: apps that are due, and work whose job was lost."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from certdash.models import App, SyncRun

from .withdrawals import still_listed

_PATIENCE = timedelta(minutes=1)


def due_apps(now: datetime) -> list[App]:
    """Apps without a live run whose last full run was requested at least their refresh interval ago, or was cut off."""
    busy: set[Any] = set(SyncRun.objects.under_way().filter(lease_until__gte=now).values_list("app", flat=True))
    return [app for app in App.objects.order_by("pk") if app.pk not in busy and _is_due(app, _last_two(app), now)]


def _last_two(app: App) -> list[SyncRun]:
    return list(SyncRun.objects.filter(app=app).full()[:2])


def _is_due(app: App, last: Sequence[SyncRun], now: datetime) -> bool:
    if not last or last[0].requested_at + timedelta(minutes=app.refresh_minutes) <= now:
        return True
    # A run that was cut off is run again at once; one that is cut off again and again waits for its turn.
    return [run.status == SyncRun.Status.INTERRUPTED for run in last] in ([True], [True, False])


def forgotten_runs(now: datetime) -> list[SyncRun]:
    """Runs that still wait though a free worker would have taken them up: their job may be lost with its process."""
    queued = SyncRun.objects.under_way().filter(phase=SyncRun.Phase.QUEUED)
    return list(queued.filter(requested_at__lte=now - _PATIENCE, lease_until__gte=now))


def unfinished_acceptances() -> list[SyncRun]:
    """Accepted runs whose withdrawals were lost with their process."""
    accepted = SyncRun.objects.filter(status=SyncRun.Status.HELD).exclude(accepted_at=None)
    return list(accepted.filter(still_listed()))
