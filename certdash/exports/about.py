"""What a workbook tells of itself on its first sheet: which rows, as of when, how many, and what did not fit."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from django.conf import settings
from django.utils import timezone

from certdash.rows import utc
from certdash.stats import Freshness, oldest_check

# What happened to cells that Excel could not take as they are, each with the sentence that says so.
CUT, REPLACED, UNDATED, UNLINKED, UNSAFE = "cut", "replaced", "undated", "unlinked", "unsafe"
_NOTES = {
    CUT: "Cells cut at the 32,767 characters that Excel takes: {}. The CSV has them whole.",
    REPLACED: "Cells with characters that a workbook cannot hold, each shown as \ufffd: {}.",
    UNDATED: "Moments that are text in UTC, because Excel has no dates for their years: {}.",
    UNLINKED: "Addresses that are text, because Excel takes at most 65,530 links a sheet: {}.",
    UNSAFE: "Addresses that are text, because they are too long or no web addresses that are safe to follow: {}.",
}
_TIMES = (
    "Dates and times are those of {}. Excel knows no time zones: the columns whose names end in _utc hold the same "
    "moments in UTC, as text, exactly."
)


@dataclass(frozen=True)
class About:
    """Of a file: its page and filters in words, the address that shows the same rows, and how fresh its apps are.

    `of_vendor`: whether the rows are true as of the syncs of `each`, or as of `made`. `zone` is the reader's: a file is
    made after its request, when that is no longer the current one. `moments`: the columns that hold them.
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

    @property
    def as_of(self) -> datetime | None:
        """The moment of the rows' truth; None when nothing was ever checked."""
        return oldest_check(self.each) if self.of_vendor else self.made

    def lines(self, rows: int, happened: Counter[str]) -> Iterator[tuple[str | int, ...]]:
        """The first sheet, a tuple for each of its lines; the last word on cells that did not fit is `happened`."""
        yield ("certdash", self.page)
        yield ("Filters", "; ".join(self.filters) or "none: all rows of the page")
        if self.url:
            yield ("Address", f"{settings.PUBLIC_URL}{self.url}")
        yield ("Rows", rows)
        yield ("As of", self._told(self.as_of))
        yield ("Made", self._told(self.made))
        if self.of_vendor and self.each:
            yield ()
            yield ("App", "As of", "Data")
            for one in self.each:
                yield (one.app.name, self._told(one.checked_at), one.text)
        notes = [_TIMES.format(self.zone)] if self.moments else []
        notes += [sentence.format(f"{happened[what]:,}") for what, sentence in _NOTES.items() if happened[what]]
        for number, note in enumerate(notes):
            if number == 0:
                yield ()
            yield ("" if number else "Notes", note)

    def _told(self, moment: datetime | None) -> str:
        if moment is None:
            return "not synchronised yet"
        return f"{moment.astimezone(self.zone):%-d %b %Y, %H:%M} ({self.zone}), {utc(moment.replace(microsecond=0))}"
