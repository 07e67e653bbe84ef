"""How much is missing of what was there: little enough to believe, or so much that an owner has to decide."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from django.db.models import Count, Max, QuerySet

from certdash.models import App, Certificate, Change, SyncRun, is_live

from . import bulk
from .withdrawals import still_listed

FEW = 20
Time = TypeVar("Time", int, datetime)


def must_hold(missing: int, before: int, *, empty: bool) -> bool:
    """Whether so much is missing that the answer may be wrong: everything, or more than 20 % and more than 20."""
    if empty:
        return missing > 0
    return missing > FEW and missing * 5 > before


def too_many(before: Counter[Time], missing: Counter[Time]) -> bool:
    """Whether too much is missing of what was there at any of these times, each with what came since the one before.

    Of all that was there before the run; and of what was there before something was held: else the news that came
    with the lack would make it look small, and the second answer of equal bytes be believed.
    """
    there = lacking = 0
    for time in sorted(before):
        there += before[time]
        lacking += missing[time]
        if must_hold(lacking, there, empty=False):
            return True
    return False


def last_settled(app: App) -> SyncRun | None:
    """The last full run after which nothing was open; none as long as what a held one listed waits for an owner."""
    complete = SyncRun.objects.filter(app=app).full().complete()
    held = complete.filter(status=SyncRun.Status.HELD, accepted_at=None)
    decisive = complete.settled().exclude(status=SyncRun.Status.PARTIAL).first()
    if decisive:
        held = held.filter(pk__gt=decisive.pk)
    if (first := held.last()) and held.filter(still_listed()).exists():
        return complete.filter(pk__lt=first.pk).first()  # a partial one after it has decided nothing
    return complete.first()


def lacks_much(run: SyncRun, missing: Sequence[int], outside: Sequence[int]) -> bool:
    """Whether a full run lacks too much. `outside`: certificates that are missing because nobody asks for them."""
    if len(missing) <= FEW:
        return False
    settled = last_settled(run.app)
    since = settled.pk if settled else 0
    returned = Change.objects.filter(is_live("certificate__"), app=run.app, kind=Change.Kind.RETURNED, run__gt=since)
    live = _by_run(run.app.certificates.live(), returned, since)
    before = Counter({time: many for time, many in live.items() if time < run.pk})
    before.subtract(_of(outside, since))
    return too_many(before, _of(missing, since))


def _of(certificates: Sequence[int], since: int) -> Counter[int]:
    counts: Counter[int] = Counter()
    for some in bulk.chunks(certificates):
        returned = Change.objects.filter(certificate__in=some, kind=Change.Kind.RETURNED, run__gt=since)
        counts.update(_by_run(Certificate.objects.filter(pk__in=some), returned, since))
    return counts


def _by_run(certificates: QuerySet[Certificate], returned: QuerySet[Change], since: int) -> Counter[int]:
    """How many of these certificates the run `since` knew as live, and how many came in each run after it.

    `returned`: those that were gone meanwhile. Whichever run brought them back, they are its news.
    """
    counts: Counter[int] = Counter()
    for first, many in certificates.order_by().values_list("first_run").annotate(Count("pk")):
        counts[max(first or 0, since)] += many
    back = returned.order_by().values_list("certificate", "certificate__first_run").annotate(Max("run"))
    for _, first, again in back.iterator():
        counts[max(first or 0, since)] -= 1
        counts[again] += 1
    return counts
