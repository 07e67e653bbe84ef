"""Numbers over a queryset of certificates: what tiles, heads, charts and breakdowns say."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from django.db.models import Count, Max, Q
from django.db.models.functions import TruncWeek
from django.utils import timezone

from certdash.models import App, CertificateQuerySet, State, SyncRun
from certdash.rows import ago

WEEKS = 26
OVERDUE_DAYS = 7


class Numbers(NamedTuple):
    """Counts of certificates; `recent` are of the last seven days, `overdue` pending for more than seven."""

    total: int
    delivered: int
    pending: int
    overdue: int
    recent: int


def numbers(certificates: CertificateQuerySet, now: datetime) -> Numbers:
    """The headline numbers, in one query."""
    week_ago = now - timedelta(days=OVERDUE_DAYS)
    pending = Q(state=State.PENDING)
    counted = certificates.order_by().aggregate(
        total=Count("pk"),
        delivered=Count("pk", filter=Q(state=State.DELIVERED)),
        pending=Count("pk", filter=pending),
        overdue=Count("pk", filter=pending & Q(timestamp__lte=week_ago)),
        recent=Count("pk", filter=Q(timestamp__gt=week_ago)),
    )
    return Numbers(**counted)


class Week(NamedTuple):
    begins: datetime  # Monday, midnight, in the viewer's time zone
    delivered: int
    pending: int


def weeks(certificates: CertificateQuerySet, now: datetime) -> list[Week]:
    """Certificates per week of their timestamp and by state, the last 26 weeks, the current one last."""
    local = timezone.localtime(now)
    monday = (local - timedelta(days=local.weekday())).date()
    first = _midnight(monday - timedelta(weeks=WEEKS - 1))
    counted = (
        certificates.filter(timestamp__gte=first, timestamp__lt=_midnight(monday + timedelta(weeks=1)))
        .order_by()
        .annotate(week=TruncWeek("timestamp"))
        .values_list("week")
        .annotate(
            delivered=Count("pk", filter=Q(state=State.DELIVERED)), pending=Count("pk", filter=Q(state=State.PENDING))
        )
    )
    found = {timezone.localtime(week).date(): (delivered, pending) for week, delivered, pending in counted}
    days = [monday - timedelta(weeks=back) for back in reversed(range(WEEKS))]
    return [Week(_midnight(day), *found.get(day, (0, 0))) for day in days]


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))


class Share(NamedTuple):
    """Certificates by one dimension, counted by the key of what they belong to."""

    key: int
    delivered: int
    pending: int
    total: int


def by(certificates: CertificateQuerySet, path: str, **where: object) -> dict[int, Share]:
    """Counts per value of a path (a foreign key of the certificate, or one across a join that `where` narrows)."""
    counted = (
        certificates.filter(**where)
        .order_by()
        .values_list(path)
        .annotate(
            delivered=Count("pk", filter=Q(state=State.DELIVERED)),
            pending=Count("pk", filter=Q(state=State.PENDING)),
            total=Count("pk"),
        )
    )
    return {key: Share(key, *counts) for key, *counts in counted}


# -- How old the data is ----------------------------------------------------------------------------------------


@dataclass(slots=True)
class Freshness:
    """As of when the rows of an app are true. `tone`: ok, busy (being updated), stale, or none (never synchronised)."""

    app: App
    tone: str
    text: str
    checked_at: datetime | None  # end of the last run that went through
    run: SyncRun | None  # the newest one


def freshness(apps: Sequence[App], now: datetime) -> list[Freshness]:
    """Per app, in three queries for all of them. Narrow runs say nothing about the whole."""
    full = SyncRun.objects.full()
    newest = {run.app_id: run for run in full.newest_of_each(apps)}
    checked = {run.app_id: run for run in full.complete().newest_of_each(apps)}
    news: dict[Any, datetime] = dict(
        full.complete()
        .exclude(status=SyncRun.Status.UNCHANGED)
        .filter(app__in=apps)
        .order_by()
        .values_list("app")
        .annotate(at=Max("finished_at"))
        .values_list("app", "at")
    )
    return [_freshness(app, newest.get(app.pk), checked.get(app.pk), news.get(app.pk), now) for app in apps]


def _freshness(
    app: App, newest: SyncRun | None, checked: SyncRun | None, changed_at: datetime | None, now: datetime
) -> Freshness:
    at = checked.finished_at if checked else None
    if newest is None:
        return Freshness(app, "none", "not synchronised yet", None, None)
    interrupted = newest.status == SyncRun.Status.INTERRUPTED
    if newest.applying_since and (newest.is_running or interrupted):
        since = timezone.localtime(newest.applying_since)
        return Freshness(app, "busy", f"being updated since {_clock(since, now)}", at, newest)
    if newest.status == SyncRun.Status.FAILED or interrupted:
        good = f"last good data from {_clock(timezone.localtime(at), now)}" if at else "no data yet"
        return Freshness(app, "stale", f"{good}: {newest.message}", at, newest)
    if at is None:
        return Freshness(app, "busy", "synchronising for the first time", None, newest)
    text = f"checked {ago(at, now)} ago"
    if newest.status == SyncRun.Status.HELD:
        text += ", much was missing: an owner has to look at it"
    elif changed_at and changed_at < at:
        text += f", unchanged since {_clock(timezone.localtime(changed_at), now)}"
    return Freshness(app, "stale" if newest.status == SyncRun.Status.HELD else "ok", text, at, newest)


def _clock(moment: datetime, now: datetime) -> str:
    """The time of a moment of today, else its day too."""
    today = timezone.localtime(now).date()
    return f"{moment:%H:%M}" if moment.date() == today else f"{moment:%-d %b %Y, %H:%M}"


def overall(each: Sequence[Freshness], now: datetime) -> tuple[str, str]:
    """Tone and text for several apps at once: the worst tone, and how old the oldest data is."""
    if not each:
        return "none", "no app yet"
    if len(each) == 1:
        return each[0].tone, each[0].text
    worst = max(each, key=lambda one: ("ok", "busy", "none", "stale").index(one.tone))
    if worst.tone != "ok":
        return worst.tone, f"{worst.app.name}: {worst.text}"
    oldest = min(one.checked_at for one in each if one.checked_at)
    return "ok", f"{len(each)} apps checked, the first {ago(oldest, now)} ago"
