"""When the fake vendor awards which certificate: a pure function of seed, origin and volume, day by day.

A day's awards are drawn from a generator that is seeded with that day, so a later moment adds days and
changes none, and any single day can be drawn again without the others.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from hashlib import blake2b
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

from certdash.sandbox.catalogue import App, Story

#: The vendor's local time; its timestamps carry this zone's offset (+01:00 or +02:00).
ZONE = ZoneInfo("Europe/Copenhagen")
#: The days before the origin over which the world's certificates were awarded: 26 weeks.
PAST_DAYS = 182
# Monday to Sunday.
RHYTHM = (1.1, 1.25, 1.2, 1.15, 0.9, 0.15, 0.1)
MINUTE, HOUR, DAY = 60, 3600, 86400
# Of the awards, the share (cumulative) that is delivered between so many seconds after it; the rest never is.
DELAYS = (
    (0.55, MINUTE, 30 * MINUTE),
    (0.80, HOUR, 20 * HOUR),
    (0.94, DAY, 12 * DAY),
    (0.97, 14 * DAY, 60 * DAY),
)


class Award(NamedTuple):
    """One certificate's life; moments are Unix seconds, `delivered` None for never."""

    key: str
    learner: int
    awarded: int
    delivered: int | None
    stamped_on_delivery: bool


class Draw(NamedTuple):
    """One day of one story: `size` certificates, the first of which is number `first` of the story."""

    day: date
    first: int
    size: int


@dataclass(frozen=True)
class Plan:
    """The awards of one story. `number` counts plans over all apps; `total` is its awards before `origin`.

    Its learners have the numbers `learners.start` to `learners.stop`.
    """

    number: int
    app: App
    story: Story
    total: int
    learners: range
    origin: date
    seed: int

    def draws(self, until: date) -> Iterator[Draw]:
        """The days with awards, from the first to `until` inclusive."""
        if not self.total:
            return
        rng = Random(f"{self.seed}/days/{self.number}")
        start = rng.random() * 0.999
        weights = [self._weight(k, rng) for k in range(PAST_DAYS)]
        whole, so_far, before = sum(weights), 0.0, 0
        for k in range((until - self.origin).days + PAST_DAYS + 1):
            so_far += weights[k] if k < PAST_DAYS else self._weight(k, rng)
            # At the last day before the origin the quotient is exactly 1, and so the sum exactly `total`.
            after = math.floor(self.total * (so_far / whole) + start)
            if after > before:
                yield Draw(self.origin + timedelta(k - PAST_DAYS), before, after - before)
            before = after

    def _weight(self, k: int, rng: Random) -> float:
        growth = 0.85 + 0.3 * k / PAST_DAYS if k < PAST_DAYS else 1.0
        weekday = (self.origin.weekday() + k) % 7  # PAST_DAYS are whole weeks
        return RHYTHM[weekday] * growth * (0.4 + 0.6 * rng.expovariate(1.0))

    def awards(self, draw: Draw) -> Iterator[Award]:
        """The certificates of one day in the order of their award, no two in the same second."""
        rng = Random(f"{self.seed}/awards/{self.number}/{draw.day}")
        morning = local_moment(draw.day, 7)
        for index in range(draw.size):
            x = (index + rng.random()) / draw.size
            awarded = morning + int(13 * HOUR * (x + 0.12 * math.sin(2 * math.pi * x)))
            person = self.learners[int(rng.random() * len(self.learners))]
            delivered = _delivery(awarded, rng.random(), rng.random())
            stamped_on_delivery = rng.random() < 1 / 3
            yield Award(self._key(draw.day, index), person, awarded, delivered, stamped_on_delivery)

    def _key(self, day: date, index: int) -> str:
        position = f"{self.number:02d}-{day:%Y%m%d}-{index:04d}"
        check = blake2b(f"{self.seed}/key/{position}".encode(), digest_size=5).hexdigest()
        return f"{position}-{check}"


def local_moment(day: date, hour: int) -> int:
    """Unix seconds of a full hour of the vendor's local day."""
    return int(datetime.combine(day, time(hour), ZONE).timestamp())


def _delivery(awarded: int, kind: float, within: float) -> int | None:
    for share, shortest, longest in DELAYS:
        if kind < share:
            return awarded + shortest + int(within * (longest - shortest))
    return None


def withdrawals(plans: list[Plan], origin: date, seed: int, now: int) -> dict[int, set[int]]:
    """Which certificates are withdrawn by `now` (Unix seconds): their numbers in the story, by plan number.

    From a week before the origin on, every other day takes one certificate away.
    """
    gone: dict[int, set[int]] = {}
    totals = [plan.total for plan in plans]
    first = origin - timedelta(7)
    days = (datetime.fromtimestamp(now, ZONE).date() - first).days + 1 if any(totals) else 0
    for day in (first + timedelta(k) for k in range(days)):
        rng = Random(f"{seed}/withdrawal/{day}")
        happens, hour, which = rng.random() < 0.5, rng.randrange(9, 17), rng.random()
        plan = rng.choices(plans, totals)[0]
        if happens and local_moment(day, hour) <= now:
            awarded = list(plan.draws(day - timedelta(1)))
            count = awarded[-1].first + awarded[-1].size if awarded else 0
            if count:
                gone.setdefault(plan.number, set()).add(int(which * count))
    return gone
