"""How old the data is: as of when the rows of each app are true, and why there are no newer ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone
from django.utils.dateformat import format as formatted
from django.utils.translation import gettext, ngettext

from certdash.links import apart
from certdash.models import App, SyncRun
from certdash.rows import ago, clock, exactly, grouped


@dataclass(slots=True)
class Freshness:
    """As of when the rows of an app are true. `tone`: ok, busy (being updated), stale, or none (never synchronised)."""

    app: App
    tone: str
    text: str
    checked_at: datetime | None  # end of the last run that went through
    run: SyncRun | None  # the newest one
    trouble: str = ""  # why stale data is not newer: failed, slow (a run takes long), late (there is none), held
    told_by: SyncRun | None = None  # the run that tells of it
    in_parts: bool = False  # whether a part of an answer is among the data, and the rest is not

    @property
    def title(self) -> str:
        """The zone of the times in its text, and when exactly it was checked."""
        if self.checked_at is None:
            return gettext("times in %(zone)s") % {"zone": timezone.get_current_timezone_name()}
        return gettext("checked %(moment)s") % {"moment": exactly(self.checked_at)}


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
    pks = tuple(app.pk for app in apps)
    by_app: dict[int, list[SyncRun]] = {pk: [] for pk in pks}
    for run in SyncRun.objects.raw(*_telling(pks)) if pks else ():
        by_app[run.app_id].append(run)
    return [_freshness(app, _Runs(by_app[app.pk]), now) for app in apps]


@lru_cache(maxsize=256)
def _telling(apps: tuple[int, ...]) -> tuple[str, tuple[Any, ...]]:
    """What to ask for the runs that tell how fresh these apps (pks) are, newest first, with its values.

    Every page asks it, and putting the question takes many times as long as the database takes to answer.
    """
    full, every = SyncRun.objects.full(), SyncRun.objects.all()
    ended = full.exclude(status=SyncRun.Status.RUNNING)
    first, *others = [
        _pks(apps, full),
        _pks(apps, ended),
        _pks(apps, ended, place=1),
        _pks(apps, full.complete()),
        _pks(apps, every.complete().exclude(status=SyncRun.Status.UNCHANGED)),
        _pks(apps, full.exclude(applying_since=None)),
    ]
    told = SyncRun.objects.filter(pk__in=first.union(*others))  # no OR: each has its index
    return told.order_by("-pk").query.sql_with_params()


def _pks(apps: Sequence[int], runs: QuerySet[SyncRun], place: int = 0) -> QuerySet[App, tuple[int]]:
    """Per app the newest of these runs, or the one so many places before it."""
    newest = runs.filter(app=OuterRef("pk")).order_by("-id").values("pk")[place : place + 1]
    listed = App.objects.filter(pk__in=apps).order_by()
    return listed.values_list(Subquery(newest))


def _freshness(app: App, runs: _Runs, now: datetime) -> Freshness:
    newest, at = runs.newest, runs.good.finished_at if runs.good else None
    too_long = _AGE * timedelta(minutes=app.refresh_minutes)

    def fresh(tone: str, text: str, trouble: str = "", told_by: SyncRun | None = None) -> Freshness:
        return Freshness(app, tone, text, at, newest, trouble, told_by, since is not None)

    since = runs.wrote.applying_since if runs.wrote and runs.wrote.status not in SyncRun.COMPLETE else None
    if newest is None:
        return fresh("none", gettext("not synchronised yet"))
    if since:  # and no run has completed it
        told = {"moment": _clock(since, now)}
        if _works(newest, now) or now - since <= too_long:
            return fresh("busy", gettext("being updated since %(moment)s") % told)
        trouble, told_by, told["reason"] = _why(runs, now)
        text = gettext("being updated since %(moment)s and not finished: %(reason)s")
        return fresh("stale", text % told, trouble, told_by)
    if at is None:
        if _works(newest, now):
            return fresh("busy", gettext("synchronising for the first time"))
        trouble, told_by, reason = _why(runs, now)
        return fresh("stale", gettext("no data yet: %(reason)s") % {"reason": reason}, trouble, told_by)
    if runs.last_two_failed or now - at > too_long:
        trouble, told_by, reason = _why(runs, now)
        told = {"moment": _clock(at, now), "reason": reason}
        return fresh("stale", gettext("last good data from %(moment)s: %(reason)s") % told, trouble, told_by)
    if runs.good and runs.good.status == SyncRun.Status.HELD and runs.good.accepted_at is None:
        text = gettext("checked %(time)s ago, much was missing: an owner has to look at it")
        return fresh("stale", text % {"time": ago(at, now)}, "held", runs.good)
    return fresh("ok", _checked(runs, at, now))


def _works(run: SyncRun, now: datetime) -> bool:
    return run.is_running and not run.lease_is_over(now)


def _why(runs: _Runs, now: datetime) -> tuple[str, SyncRun | None, str]:
    """Why there is no newer data, as far as the runs tell: the kind of trouble, the run that tells of it, and words."""
    if runs.last_failed and runs.ended:
        return "failed", runs.ended, runs.ended.message
    if runs.newest and _works(runs.newest, now):
        moment = _clock(runs.newest.requested_at, now)
        return "slow", runs.newest, gettext("a sync is under way since %(moment)s") % {"moment": moment}
    return "late", None, gettext("the worker may not be running")


def _checked(runs: _Runs, at: datetime, now: datetime) -> str:
    """The age of good data, and what is to be said of it."""
    time = ago(at, now)
    if runs.last_failed and runs.ended:
        if runs.ended.status == SyncRun.Status.INTERRUPTED:
            return gettext("checked %(time)s ago, the last try was interrupted") % {"time": time}
        return gettext("checked %(time)s ago, the last try failed") % {"time": time}
    if runs.good and runs.good.status == SyncRun.Status.PARTIAL:
        return gettext("checked %(time)s ago, not all of it came through") % {"time": time}
    news = [moment for moment in (runs.news.finished_at, runs.news.accepted_at) if moment] if runs.news else []
    if news and runs.good != runs.news and max(news) < at:
        told = {"time": time, "moment": _clock(max(news), now)}
        return gettext("checked %(time)s ago, unchanged since %(moment)s") % told
    return gettext("checked %(time)s ago") % {"time": time}


def _clock(moment: datetime, now: datetime) -> str:
    """The local time of a moment of today, else its day too."""
    local = timezone.localtime(moment)
    is_today = local.date() == timezone.localtime(now).date()
    return formatted(local, gettext("H:i")) if is_today else clock(moment)


def overall(each: Sequence[Freshness], now: datetime) -> tuple[str, str]:
    """Tone and text for several apps at once: the worst tone, and how old the oldest data is."""
    if not each:
        return "none", gettext("no app yet")
    if len(each) == 1:
        return each[0].tone, each[0].text
    worst = worst_first(each)[0]
    if worst.tone != "ok":
        return worst.tone, gettext("%(app)s: %(text)s") % {"app": apart(worst.app.name), "text": worst.text}
    text = ngettext(
        "%(many)s app, as of %(moment)s (%(zone)s)", "%(many)s apps, as of %(moment)s (%(zone)s)", len(each)
    )
    oldest = min(one.checked_at for one in each if one.checked_at)
    zone = timezone.get_current_timezone_name()
    return "ok", text % {"many": grouped(len(each)), "moment": _clock(oldest, now), "zone": zone}


def worst_first(each: Sequence[Freshness]) -> list[Freshness]:
    """Those that want to be looked at before the others."""
    return sorted(each, key=lambda one: ("stale", "none", "busy", "ok").index(one.tone))


def as_of(each: Sequence[Freshness]) -> str:
    """Since when all of these apps have been true, to be read on another day too; says when some never were."""
    oldest = oldest_check(each)
    if oldest is None:
        return gettext("not synchronised yet") if each else ""
    told = {"moment": clock(oldest), "zone": timezone.get_current_timezone_name()}
    never = sum(one.checked_at is None for one in each)
    if not never:
        return gettext("as of %(moment)s (%(zone)s)") % told
    text = ngettext(
        "as of %(moment)s (%(zone)s), without %(many)s not synchronised yet",
        "as of %(moment)s (%(zone)s), without %(many)s not synchronised yet",
        never,
    )
    return text % (told | {"many": grouped(never)})


def oldest_check(each: Sequence[Freshness]) -> datetime | None:
    """The moment as of which all that was ever checked is true."""
    return min((one.checked_at for one in each if one.checked_at), default=None)
