"""What a workbook tells of itself on its first sheet: which rows, as of when, how many, and what did not fit."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import NamedTuple

from django.conf import settings
from django.utils import timezone
from django.utils.dateformat import format as formatted
from django.utils.translation import get_language, gettext, gettext_lazy

from certdash.rows import grouped, utc
from certdash.stats import Freshness, oldest_check

# What happened to cells that Excel could not take as they are, each with the sentence that says so.
CUT, REPLACED, UNDATED, UNLINKED, UNSAFE = "cut", "replaced", "undated", "unlinked", "unsafe"
_NOTES = {
    CUT: gettext_lazy("Cells cut at the 32,767 characters that Excel takes: %(many)s. The CSV has them whole."),
    REPLACED: gettext_lazy("Cells with characters that a workbook cannot hold, each shown as \ufffd: %(many)s."),
    UNDATED: gettext_lazy("Moments that are text in UTC, because Excel has no dates for their years: %(many)s."),
    UNLINKED: gettext_lazy("Addresses that are text, because Excel takes at most 65,530 links a sheet: %(many)s."),
    UNSAFE: gettext_lazy(
        "Addresses that are text, because they are too long or no web addresses that are safe to follow: %(many)s."
    ),
}
_TIMES = gettext_lazy(
    "Dates and times are those of %(zone)s. Excel knows no time zones: the columns whose names end in _utc hold the "
    "same moments in UTC, as text, exactly."
)


class Line(NamedTuple):
    """Of the first sheet; `headed`: its first cell names what the others say."""

    cells: tuple[str | int, ...] = ()
    headed: bool = True


@dataclass(frozen=True)
class About:
    """Of a file: its page and filters in words, the address that shows the same rows, and how fresh its apps are.

    `of_vendor`: whether the rows are true as of the syncs of `each`, or as of `made`. `zone` and `language` are the
    reader's: a file is made after its request, when they are no longer the current ones. `moments`: the columns that
    hold them.
    """

    page: str = ""
    filters: Sequence[str] = ()
    url: str = ""  # from the host on
    moments: Collection[str] = ()
    sheet: str = "rows"
    each: Sequence[Freshness] = ()
    of_vendor: bool = False
    made: datetime = field(default_factory=timezone.now)
    zone: tzinfo = field(default_factory=timezone.get_current_timezone)
    language: str | None = field(default_factory=get_language)

    @property
    def as_of(self) -> datetime | None:
        """The moment of the rows' truth; None when nothing was ever checked."""
        return oldest_check(self.each) if self.of_vendor else self.made

    def lines(self, rows: int, happened: Counter[str]) -> Iterator[Line]:
        """The first sheet, line by line; the last word on cells that did not fit is `happened`."""
        yield Line(("certdash", self.page))
        yield Line((gettext("Filters"), "; ".join(self.filters) or gettext("none: all rows of the page")))
        if self.url:
            yield Line((gettext("Address"), f"{settings.PUBLIC_URL}{self.url}"))
        yield Line((gettext("Rows"), rows))
        yield Line((gettext("As of"), self._told(self.as_of)))
        yield Line((gettext("Made"), self._told(self.made)))
        if self.of_vendor and self.each:
            yield Line()
            yield Line((gettext("App"), gettext("As of"), gettext("Data")))
            for one in self.each:
                yield Line((one.app.name, self._told(one.checked_at), one.text), headed=False)
        notes = [_TIMES % {"zone": self.zone}] if self.moments else []
        notes += [note % {"many": grouped(happened[what])} for what, note in _NOTES.items() if happened[what]]
        for number, note in enumerate(notes):
            if number == 0:
                yield Line()
            yield Line(("" if number else gettext("Notes"), note))

    def _told(self, moment: datetime | None) -> str:
        if moment is None:
            return gettext("not synchronised yet")
        local = formatted(moment.astimezone(self.zone), gettext("j M Y, H:i"))
        return f"{local} ({self.zone}), {utc(moment.replace(microsecond=0))}"
