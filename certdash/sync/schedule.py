"""Which apps are due."""

from datetime import datetime, timedelta
from typing import Any

from certdash.models import App, SyncRun

from .withdrawals import still_listed


def due_apps(now: datetime) -> list[App]:
    """Apps without a live run whose last full run was requested at least their refresh interval ago."""
    apps = list(App.objects.order_by("pk"))
    last = {run.app_id: run for run in SyncRun.objects.full().newest_of_each(apps)}
    busy: set[Any] = set(SyncRun.objects.under_way().filter(lease_until__gte=now).values_list("app", flat=True))
    return [app for app in apps if app.pk not in busy and _is_due(app, last.get(app.pk), now)]


def _is_due(app: App, last: SyncRun | None, now: datetime) -> bool:
    return last is None or last.requested_at + timedelta(minutes=app.refresh_minutes) <= now


def unfinished_acceptances() -> list[SyncRun]:
    """Accepted runs whose withdrawals were lost with their process."""
    accepted = SyncRun.objects.filter(status=SyncRun.Status.HELD).exclude(accepted_at=None)
    return list(accepted.filter(still_listed()))
