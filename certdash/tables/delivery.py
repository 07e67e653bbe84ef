"""The delivery clock: stories with the time that their certificates took, and those that are stuck."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.db.models import Model, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django_tables2 import Column

from certdash.models import Story
from certdash.rows import grouped, span, story_url
from certdash.stats.delivery import Clock

from .base import NumberColumn
from .ranked import RankedTable

_DAY = timedelta(days=1)
# By column; None where there is nothing to compare.
_VALUES: dict[str, Callable[[Clock], Any]] = {
    "observed": lambda clock: clock.observed.many if clock.observed else 0,
    "median": lambda clock: clock.observed.median if clock.observed else None,
    "slowest": lambda clock: clock.observed.slowest if clock.observed else None,
    "pending": lambda clock: clock.waiting.pending,
    "stuck": lambda clock: clock.waiting.stuck,
}


@dataclass(slots=True)
class DeliveryRow:
    """A story as the page and its files show it."""

    story: Story
    clock: Clock
    now: datetime

    @property
    def url(self) -> str:
        return story_url(self.story.app, self.story)

    @property
    def observed(self) -> int:
        return self.clock.observed.many if self.clock.observed else 0

    @property
    def median(self) -> str:
        return span(self.clock.observed.median, self.now) if self.clock.observed else ""

    @property
    def slowest(self) -> str:
        return span(self.clock.observed.slowest, self.now) if self.clock.observed else ""

    @property
    def slowest_url(self) -> str:
        return self._rows(id=self.clock.observed.slowest_id) if self.clock.observed else ""

    @property
    def pending_url(self) -> str:
        return self._rows(app=self.story.app.slug, story=self.story.key, state="pending")

    @property
    def stuck_url(self) -> str:
        return self._rows(app=self.story.app.slug, story=self.story.key, pending_days=self.clock.stuck_after)

    @property
    def stuck_why(self) -> str:
        days = self.clock.stuck_after
        return ngettext("%(days)s day or more", "%(days)s days or more", days) % {"days": grouped(days)}

    @staticmethod
    def _rows(**filters: object) -> str:
        return f"{reverse('certificates')}?{urlencode(filters)}"


class Days(float):
    """A number of days: a text of it, as a spreadsheet's cell has it, tells the hundredths."""

    def __str__(self) -> str:
        return f"{self:.2f}"


def _days(time: timedelta | None) -> Days | str:
    """In days and hundredths, as files have it; empty for none."""
    return Days(round(time / _DAY, 2)) if time is not None else ""


class DeliveryTable(RankedTable):
    """Stories with any observed or pending certificate, the slowest first."""

    name = Column(verbose_name=_("Story"), empty_values=(), order_by=("sort_name", "pk"))
    observed = NumberColumn(_("Observed"), empty_values=())
    median = NumberColumn(_("Median"), empty_values=())
    slowest = NumberColumn(_("Slowest"), empty_values=())
    pending = NumberColumn(_("Pending now"), empty_values=())
    stuck = NumberColumn(_("Stuck"), empty_values=())

    caption = _("Time from pending to delivered, by story, as observed by certdash")
    row_template = "delivery/row.html"
    ranks = _VALUES
    empty_text = _("No story fits these filters.")
    nothing_text = _("Nothing is pending, and no delivery was observed yet: the next syncs may bring some.")
    columns_of_file: ClassVar[dict[str, Callable[[Any], Any]]] = {
        "app": lambda row: row.story.app.slug,
        "story_id": lambda row: row.story.vendor_id,
        "story": lambda row: row.story.name,
        "observed": lambda row: row.observed,
        "median_days": lambda row: _days(_VALUES["median"](row.clock)),
        "slowest_days": lambda row: _days(_VALUES["slowest"](row.clock)),
        "pending": lambda row: row.clock.waiting.pending,
        "stuck_after_days": lambda row: row.clock.stuck_after,
        "stuck": lambda row: row.clock.waiting.stuck,
    }

    class Meta:
        sequence = ("name", "observed", "median", "slowest", "pending", "stuck")
        order_by = "-median"

    def __init__(self, data: QuerySet[Story], clocks: Mapping[int, Clock], **kwargs: Any) -> None:
        self.clocks = clocks
        super().__init__(data, **kwargs)

    def counted(self, ids: Sequence[int]) -> Mapping[int, Clock]:
        return {pk: self.clocks[pk] for pk in ids}

    def records(self, ids: Sequence[int]) -> Iterable[Model]:
        stories: QuerySet[Story] = self.data.data
        return stories.filter(pk__in=ids)

    def rows_of(self, ids: Sequence[int]) -> list[DeliveryRow]:
        now = timezone.now()
        return [DeliveryRow(story, self.clocks[story.pk], now) for story in super().rows_of(ids)]
