"""The delivery clock: how long certificates took from pending to delivered, where both were observed."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Case, Count, F, Q, Value, When, Window
from django.db.models.functions import RowNumber

from certdash.fields import minute
from certdash.models import App, CertificateQuerySet, State
from certdash.remembered import remembered_rows

# From so many observed deliveries on a story's own median tells what is usual; one or two would call half of what
# is pending stuck by chance.
ENOUGH_OBSERVED = 5
USUAL_DAYS = 14  # after which pending counts as stuck in a story of which fewer were observed
_DAY = timedelta(days=1)
_NOT_DELIVERED = (State.PENDING, State.OTHER)


class Observed(NamedTuple):
    """The observed deliveries of a story: how many, and from first seen pending to first seen delivered."""

    many: int
    median: timedelta
    slowest: timedelta
    slowest_id: int  # the certificate that took longest


def observed(apps: Sequence[App], certificates: CertificateQuerySet) -> dict[int, Observed]:
    """Per story with any observed delivery, in one query of at most three rows a story."""
    # Put so, SQLite takes the index of what was observed, and not that of everything delivered.
    seen = certificates.live().filter(delivered_after__isnull=False).exclude(state__in=_NOT_DELIVERED).order_by()
    placed = seen.annotate(
        many=Window(Count("pk"), partition_by="story"),
        twice=2 * Window(RowNumber(), partition_by="story", order_by=["delivered_after", "pk"]),
    )
    # Twice the place, so that nothing is divided: of an odd number one lies in the middle, of an even one two.
    told = placed.filter(Q(twice__gte=F("many"), twice__lte=F("many") + 2) | Q(twice=2 * F("many")))
    by_story: dict[int, list[tuple[int, int, timedelta, int]]] = {}
    for story, *row in remembered_rows(apps, told.values_list("story", "twice", "many", "delivered_after", "pk")):
        by_story.setdefault(story, []).append(tuple(row))
    return {story: _observed(sorted(rows)) for story, rows in by_story.items()}


def _observed(rows: list[tuple[int, int, timedelta, int]]) -> Observed:
    _, many, slowest, slowest_id = rows[-1]
    middle = [took for twice, _, took, _ in rows if many <= twice <= many + 2]
    return Observed(many, sum(middle, timedelta()) / len(middle), slowest, slowest_id)


def stuck_after(story: Observed | None) -> int:
    """Whole days after which a pending certificate of a story is stuck: twice its median, rounded up."""
    if story is None or story.many < ENOUGH_OBSERVED:
        return USUAL_DAYS
    return max(1, -(-2 * story.median // _DAY))


class Waiting(NamedTuple):
    """The pending certificates of a story, and those of them that are stuck."""

    pending: int
    stuck: int


def waiting(
    apps: Sequence[App], certificates: CertificateQuerySet, days: Mapping[int, int], now: datetime
) -> dict[int, Waiting]:
    """Per story with anything pending, in one query; `days` is after how many a story's pending ones are stuck.

    They wait since their timestamp, as of the last full minute: as the filter `pending_days` sees it.
    """
    steps = sorted({*days.values(), USUAL_DAYS}, reverse=True)
    since = minute(now)
    waited = Case(*(When(timestamp__lte=since - step * _DAY, then=step) for step in steps), default=Value(0))
    counted = (
        certificates.live().pending().order_by().annotate(waited=waited).values_list("story", "waited")
        .annotate(rows=Count("pk"))
    )  # fmt: skip
    found: dict[int, Waiting] = {}
    for story, step, rows in remembered_rows(apps, counted):
        before = found.get(story, Waiting(0, 0))
        stuck = rows if step >= days.get(story, USUAL_DAYS) else 0
        found[story] = Waiting(before.pending + rows, before.stuck + stuck)
    return found


class Clock(NamedTuple):
    """What is known of the time a story's certificates take."""

    observed: Observed | None
    waiting: Waiting
    stuck_after: int  # days


def clocks(apps: Sequence[App], certificates: CertificateQuerySet, now: datetime) -> dict[int, Clock]:
    """Per story with anything observed or pending, in two queries."""
    seen = observed(apps, certificates)
    days = {story: stuck_after(it) for story, it in seen.items()}
    pending = waiting(apps, certificates, days, now)
    return {
        story: Clock(seen.get(story), pending.get(story, Waiting(0, 0)), days.get(story, USUAL_DAYS))
        for story in {**seen, **pending}
    }
