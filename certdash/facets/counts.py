"""How many rows there are per value of a filter, under the other active filters."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q, Value
from django.utils import timezone

from certdash.fields import midnight, minute, period_start
from certdash.filters import PERIODS, CertificateFilter, is_state
from certdash.models import CertificateQuerySet
from certdash.remembered import remembered_count, remembered_rows

IN_NONE = 0  # in the place of a group's pk


class Counts:
    """Rows by app, state, story, type and country, under all filters but these five.

    A facet's values count what the others leave; the five are so few together that they are narrowed here.
    """

    _NAMES = ("app", "state", "story", "type", "country")

    def __init__(self, filters: CertificateFilter) -> None:
        self._filters, data = filters, filters.data
        fields = ("app", "state", "state_sent", "story", "country")
        rows = filters.without(*self._NAMES).order_by().values_list(*fields).annotate(rows=Count("pk"))
        types = {story.pk: story.type for story in filters.visible_stories}
        self.cells: list[dict[str, Any]] = [
            {
                "app": app,
                "state": (state, sent),
                "story": story,
                "type": types.get(story, ""),
                "country": country,
                "rows": many,
            }
            for app, state, sent, story, country, many in remembered_rows(
                filters.apps, rows.values_list(*fields, "rows")
            )
        ]
        slugs = {app.pk: app.slug for app in filters.apps}
        chosen_stories = {story.pk for stories in filters.stories.values() for story in stories}
        self.passes: dict[str, Callable[[Any], bool]] = {
            "app": lambda app: slugs[app] in data.getlist("app"),
            "state": lambda state: is_state(state[0], state[1], data.getlist("state")),
            "story": chosen_stories.__contains__,
            "type": lambda kind: kind in filters.types,
            "country": lambda country: country in data.getlist("country"),
        }
        self.active = [name for name in self._NAMES if name in filters.filters and name in data]

    def by(self, name: str) -> dict[Any, int]:
        """The rows per value of one of the five, under the other four."""
        others = [(other, self.passes[other]) for other in self.active if other != name]
        found: dict[Any, int] = {}
        for cell in self.cells:
            if all(passes(cell[other]) for other, passes in others):
                found[cell[name]] = found.get(cell[name], 0) + cell["rows"]
        return found

    def by_group(self) -> dict[int, int]:
        """The rows of the learners of each tracked group (by pk) and of those in none, under all filters but groups."""
        group = "learner__memberships__group"
        rows = self._filters.without("group").order_by()
        in_groups = rows.filter(learner__memberships__until=None, learner__memberships__group__tracked=True)
        in_none = rows.in_no_group_or([]).annotate(none=Value(IN_NONE))
        counted, alone = (
            some.values_list(name).annotate(rows=Count("pk")).values_list(name, "rows")
            for some, name in ((in_groups, group), (in_none, "none"))
        )
        return dict(remembered_rows(self._filters.apps, counted.union(alone, all=True)))

    def by_city(self) -> dict[str, int]:
        rows = self._filters.without("city").order_by().values_list("city").annotate(rows=Count("pk"))
        return dict(remembered_rows(self._filters.apps, rows.values_list("city", "rows")))


class Uncounted:
    """In the place of counts where none are wanted."""

    def by(self, _name: str) -> dict[Any, int]:
        return {}

    def by_group(self) -> dict[int, int]:
        return {}

    def by_city(self) -> dict[str, int]:
        return {}


def by_period(filters: CertificateFilter) -> dict[str, int]:
    """The rows of each period until today, under all filters but that of periods."""
    today = timezone.localdate()
    begins = {word: midnight(period_start(word, today)) for word in PERIODS}
    rows = filters.without("awarded").filter(timestamp__gte=min(begins.values()))
    return _each(filters, rows, {word: Q(timestamp__gte=moment) for word, moment in begins.items()})


def by_waiting(filters: CertificateFilter, days: Iterable[int]) -> dict[str, int]:
    """The rows pending for at least so many days, under all filters but that of days."""
    since = {f"{each}": _before(each) for each in days}
    rows = filters.without("pending_days").pending_since(max(since.values()))
    return _each(filters, rows, {word: Q(timestamp__lte=moment) for word, moment in since.items()})


def count_withdrawn(filters: CertificateFilter) -> int:
    """The withdrawn rows under all filters but that of withdrawn ones."""
    return remembered_count(filters.apps, filters.without_hiding("withdrawn").order_by().withdrawn())


def _before(days: int) -> datetime:
    return minute(timezone.now()) - timedelta(days=days)


def _each(filters: CertificateFilter, rows: CertificateQuerySet, conditions: dict[str, Q]) -> dict[str, int]:
    """How many of the rows fit each condition: in one look at them."""
    counts = {f"rows_{place}": Count("pk", filter=condition) for place, condition in enumerate(conditions.values())}
    # One group of all: `aggregate` would ask at once, and could not be remembered by its query.
    summed = rows.order_by().annotate(all=Value(1)).values("all").annotate(**counts).values_list(*counts)
    found = remembered_rows(filters.apps, summed)
    return dict(zip(conditions, found[0] if found else [0] * len(conditions), strict=True))
