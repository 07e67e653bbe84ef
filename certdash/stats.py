"""Numbers over a queryset of certificates: what tiles, heads, charts and breakdowns say."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Case, Count, Q, When
from django.utils import timezone

from certdash.fields import midnight
from certdash.models import App, CertificateQuerySet, State, SyncRun
from certdash.rows import ago

WEEKS = 26
_LATE = 3  # refresh intervals without a sync after which data counts as stale
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
    begins = [midnight(monday - timedelta(weeks=back)) for back in range(WEEKS - 1, -2, -1)]
    # By comparing with the weeks' ends: a database function for weeks knows other time zones, or is slow.
    number = Case(*(When(timestamp__lt=end, then=week) for week, end in enumerate(begins[1:])))
    counted = (
        certificates.filter(timestamp__gte=begins[0], timestamp__lt=begins[-1])
        .order_by()
        .annotate(week=number)
        .values_list("week")
        .annotate(
            delivered=Count("pk", filter=Q(state=State.DELIVERED)), pending=Count("pk", filter=Q(state=State.PENDING))
        )
    )
    found = {week: (delivered, pending) for week, delivered, pending in counted}
    return [Week(begin, *found.get(week, (0, 0))) for week, begin in enumerate(begins[:-1])]


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
    """Per app, in one query for all of them. Narrow runs say nothing about the whole."""
    full = SyncRun.objects.full()
    complete = full.complete()
    runs = full.newest_of_each(apps) | complete.newest_of_each(apps)
    runs |= complete.exclude(status=SyncRun.Status.UNCHANGED).newest_of_each(apps)
    runs |= full.exclude(applying_since=None).newest_of_each(apps)
    by_app: dict[int, list[SyncRun]] = {app.pk: [] for app in apps}
    for run in runs.order_by("-pk"):
        by_app[run.app_id].append(run)
    return [_freshness(app, by_app[app.pk], now) for app in apps]


def _freshness(app: App, runs: Sequence[SyncRun], now: datetime) -> Freshness:
    """`runs`, newest first: the newest of all, of those that went through, of those with news, and that wrote."""
    if not runs:
        return Freshness(app, "none", "not synchronised yet", None, None)
    newest = runs[0]
    went_through = [run.finished_at for run in runs if run.status in SyncRun.COMPLETE and run.finished_at]
    at = went_through[0] if went_through else None
    wrote = next((run for run in runs if run.applying_since), None)
    if wrote and wrote.applying_since and wrote.status not in SyncRun.COMPLETE:  # no run has completed it since
        return Freshness(app, "busy", f"being updated since {_clock(wrote.applying_since, now)}", at, newest)
    if newest.status in (SyncRun.Status.FAILED, SyncRun.Status.INTERRUPTED):
        good = f"last good data from {_clock(at, now)}" if at else "no data yet"
        return Freshness(app, "stale", f"{good}: {newest.message}", at, newest)
    if at is None:
        return Freshness(app, "busy", "synchronising for the first time", None, newest)
    if now - at > _LATE * timedelta(minutes=app.refresh_minutes):
        late = f"last good data from {_clock(at, now)}: no sync since, the worker may not be running"
        return Freshness(app, "stale", late, at, newest)
    if newest.status == SyncRun.Status.HELD and newest.accepted_at is None:
        held = f"checked {ago(at, now)} ago, much was missing: an owner has to look at it"
        return Freshness(app, "stale", held, at, newest)
    return Freshness(app, "ok", f"checked {ago(at, now)} ago{_since(newest, went_through, now)}", at, newest)


def _since(newest: SyncRun, went_through: Sequence[datetime], now: datetime) -> str:
    if newest.status == SyncRun.Status.PARTIAL:
        return ", not all of it could be understood"
    if went_through[-1] < went_through[0]:
        return f", unchanged since {_clock(went_through[-1], now)}"
    return ""


def _clock(moment: datetime, now: datetime) -> str:
    """The local time of a moment of today, else its day too."""
    moment, today = timezone.localtime(moment), timezone.localtime(now).date()
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
    return "ok", f"{len(each)} apps, {as_of(each, now)}"


def as_of(each: Sequence[Freshness], now: datetime) -> str:
    """Since when all of these apps have been true, with the time zone; says when some never were."""
    oldest = oldest_check(each)
    if oldest is None:
        return "not synchronised yet" if each else ""
    never = sum(one.checked_at is None for one in each)
    without = f", without {never} not synchronised yet" if never else ""
    return f"as of {_clock(oldest, now)} ({timezone.get_current_timezone_name()}){without}"


def oldest_check(each: Sequence[Freshness]) -> datetime | None:
    """The moment as of which all that was ever checked is true."""
    return min((one.checked_at for one in each if one.checked_at), default=None)
