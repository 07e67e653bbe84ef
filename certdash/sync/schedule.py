"""What the worker has to do without being asked: apps that are due, and work whose job was lost."""

from datetime import datetime, timedelta
from typing import Any

from certdash.models import App, SyncRun

from .withdrawals import still_listed

_PATIENCE = timedelta(minutes=1)


def due_apps(now: datetime) -> list[App]:
    """Apps without a live run whose last full run was requested at least their refresh interval ago."""
    apps = list(App.objects.order_by("pk"))
    last = {run.app_id: run for run in SyncRun.objects.full().newest_of_each(apps)}
    busy: set[Any] = set(SyncRun.objects.under_way().filter(lease_until__gte=now).values_list("app", flat=True))
    return [app for app in apps if app.pk not in busy and _is_due(app, last.get(app.pk), now)]


def _is_due(app: App, last: SyncRun | None, now: datetime) -> bool:
    return last is None or last.requested_at + timedelta(minutes=app.refresh_minutes) <= now


def forgotten_runs(now: datetime) -> list[SyncRun]:
    """Runs that still wait though a free worker would have taken them up: their job may be lost with its process."""
    queued = SyncRun.objects.under_way().filter(phase=SyncRun.Phase.QUEUED)
    return list(queued.filter(requested_at__lte=now - _PATIENCE, lease_until__gte=now))


def unfinished_acceptances() -> list[SyncRun]:
    """Accepted runs whose withdrawals were lost with their process."""
    accepted = SyncRun.objects.filter(status=SyncRun.Status.HELD).exclude(accepted_at=None)
    return list(accepted.filter(still_listed()))
