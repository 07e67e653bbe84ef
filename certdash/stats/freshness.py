"""How old the data is: as of when the rows of each app are true, and why there are no newer ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone

from certdash.models import App, SyncRun
from certdash.rows import ago


@dataclass(slots=True)
class Freshness:
    """As of when the rows of an app are true. `tone`: ok, busy (being updated), stale, or none (never synchronised)."""

    app: App
    tone: str
    text: str
    checked_at: datetime | None  # end of the last run that went through
    run: SyncRun | None  # the newest one


_FAILED = (SyncRun.Status.FAILED, SyncRun.Status.INTERRUPTED)
_AGE = 2  # refresh intervals after which data without a good run counts as stale


class _Runs:
    """The runs of an app, newest first, that tell how fresh it is. Narrow ones say nothing about the whole."""

    def __init__(self, runs: Sequence[SyncRun]) -> None:
        full = [run for run in runs if not run.is_narrow]
        ended = [run for run in full if not run.is_running]
        self.newest = next(iter(full), None)
        self.ended = next(iter(ended), None)
        self.last_failed = self.ended is not None and self.ended.status in _FAILED
        self.last_two_failed = [run.status in _FAILED for run in ended[:2]] == [True, True]
        self.good = next((run for run in ended if run.status in SyncRun.COMPLETE), None)
        # Went through and found something to write; what a narrow one wrote is news, too.
        told = (run for run in runs if run.status in SyncRun.COMPLETE and run.status != SyncRun.Status.UNCHANGED)
        self.news = next(told, None)
        self.wrote = next((run for run in full if run.applying_since), None)


def freshness(apps: Sequence[App], now: datetime) -> list[Freshness]:
    """Per app, in one query for all of them."""
    full, every = SyncRun.objects.full(), SyncRun.objects.all()
    ended = full.exclude(status=SyncRun.Status.RUNNING)
    ids = [
        _pks(apps, full),
        _pks(apps, ended),
        _pks(apps, ended, place=1),
        _pks(apps, full.complete()),
        _pks(apps, every.complete().exclude(status=SyncRun.Status.UNCHANGED)),
        _pks(apps, full.exclude(applying_since=None)),
    ]
    by_app: dict[int, list[SyncRun]] = {app.pk: [] for app in apps}
    for run in SyncRun.objects.filter(pk__in=ids[0].union(*ids[1:])).order_by("-pk"):  # no OR: each has its index
        by_app[run.app_id].append(run)
    return [_freshness(app, _Runs(by_app[app.pk]), now) for app in apps]


def _pks(apps: Sequence[App], runs: QuerySet[SyncRun], place: int = 0) -> QuerySet[App, tuple[int]]:
    """Per app the newest of these runs, or the one so many places before it."""
    newest = runs.filter(app=OuterRef("pk")).order_by("-id").values("pk")[place : place + 1]
    listed = App.objects.filter(pk__in=[app.pk for app in apps]).order_by()
    return listed.values_list(Subquery(newest))


def _freshness(app: App, runs: _Runs, now: datetime) -> Freshness:
    newest, at = runs.newest, runs.good.finished_at if runs.good else None
    too_long = _AGE * timedelta(minutes=app.refresh_minutes)

    def fresh(tone: str, text: str) -> Freshness:
        return Freshness(app, tone, text, at, newest)

    if newest is None:
        return fresh("none", "not synchronised yet")
    since = runs.wrote.applying_since if runs.wrote and runs.wrote.status not in SyncRun.COMPLETE else None
    if since:  # and no run has completed it
        text = f"being updated since {_clock(since, now)}"
        if _works(newest, now) or now - since <= too_long:
            return fresh("busy", text)
        return fresh("stale", f"{text} and not finished: {_reason(runs, now)}")
    if at is None:
        if _works(newest, now):
            return fresh("busy", "synchronising for the first time")
        return fresh("stale", f"no data yet: {_reason(runs, now)}")
    if runs.last_two_failed or now - at > too_long:
        return fresh("stale", f"last good data from {_clock(at, now)}: {_reason(runs, now)}")
    if runs.good and runs.good.status == SyncRun.Status.HELD and runs.good.accepted_at is None:
        return fresh("stale", f"checked {ago(at, now)} ago, much was missing: an owner has to look at it")
    return fresh("ok", f"checked {ago(at, now)} ago{_but(runs, at, now)}")


def _works(run: SyncRun, now: datetime) -> bool:
    return run.is_running and not run.lease_is_over(now)


def _reason(runs: _Runs, now: datetime) -> str:
    """Why there is no newer data, as far as the runs tell."""
    if runs.last_failed and runs.ended:
        return runs.ended.message
    if runs.newest and _works(runs.newest, now):
        return f"a sync is under way since {_clock(runs.newest.requested_at, now)}"
    return "the worker may not be running"


def _but(runs: _Runs, at: datetime, now: datetime) -> str:
    """What to add to the age of good data."""
    if runs.last_failed and runs.ended:
        interrupted = runs.ended.status == SyncRun.Status.INTERRUPTED
        return f", the last try {'was interrupted' if interrupted else 'failed'}"
    if runs.good and runs.good.status == SyncRun.Status.PARTIAL:
        return ", not all of it came through"
    news = [moment for moment in (runs.news.finished_at, runs.news.accepted_at) if moment] if runs.news else []
    if news and runs.good != runs.news and max(news) < at:
        return f", unchanged since {_clock(max(news), now)}"
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
    worst = worst_first(each)[0]
    if worst.tone != "ok":
        return worst.tone, f"{worst.app.name}: {worst.text}"
    return "ok", f"{len(each)} apps, {as_of(each, now)}"


def worst_first(each: Sequence[Freshness]) -> list[Freshness]:
    """Those that want to be looked at before the others."""
    return sorted(each, key=lambda one: ("stale", "none", "busy", "ok").index(one.tone))


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
