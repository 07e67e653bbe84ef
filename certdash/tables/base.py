"""The base of all tables."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar

import django_tables2 as tables
from django.db.models import Model, QuerySet
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django_tables2.data import TableQuerysetData

from certdash.rows import grouped, utc

NUMBERS = {"th": {"class": "num"}, "td": {"class": "num"}}


class NumberColumn(tables.Column):  # type: ignore[misc]
    """Right-aligned, in groups of three digits."""

    def __init__(self, heading: str | Promise | None = None, **kwargs: Any) -> None:
        super().__init__(heading, attrs=NUMBERS, **kwargs)

    def render(self, value: int) -> str:
        return grouped(value)


class Data(TableQuerysetData):  # type: ignore[misc]
    """Reads a page's ids first, then its rows: a deep page skips over an index instead of over whole rows."""

    data: QuerySet[Any]

    def order_by(self, aliases: Any) -> None:
        """Rows that are alike in what they are ordered by are ordered by their id: else pages could overlap."""
        super().order_by(aliases)
        ordering = list(self.data.query.order_by)
        if ordering and ordering[-1] not in ("pk", "-pk"):
            self.data = self.data.order_by(*ordering, "pk")

    def __getitem__(self, key: slice) -> Any:
        return self.table.rows_of(self._ids(key.start, key.stop))

    def every_id(self, batch: int) -> Iterator[int]:
        """The ids of all rows, so many in memory at a time."""
        return iter(self.data.values_list("pk", flat=True).iterator(chunk_size=batch))

    def _ids(self, start: int, stop: int) -> list[int]:
        """Read from the nearer end, so that the last page is as quick as the first. `stop` is within the rows."""
        ids, rows = self.data.values_list("pk", flat=True), self.table.paginator.count
        if start <= rows - stop:
            return list(ids[start:stop])
        return list(ids.reverse()[rows - stop : rows - start])[::-1]


@dataclass(frozen=True)
class Moment:
    """A column of a file that holds moments: text in UTC, which a workbook shows as dates of the reader's clock."""

    of: Callable[[Any], datetime | None]

    def __call__(self, row: Any) -> str:
        return utc(self.of(row))


class Table(tables.Table):  # type: ignore[misc]
    """The base of all tables. `rows_of` turns ids into what the row template shows and a file holds."""

    data_class: ClassVar[type[Data]] = Data
    columns_of_file: ClassVar[dict[str, Callable[[Any], Any]]]
    remembered_as: ClassVar[str] = ""  # under which a person's choice of columns is remembered; empty: there is none
    # Columns by name, with what they are called where they are chosen.
    choosable: ClassVar[Mapping[str, str | Promise]] = {}
    selects = False  # whether rows can be ticked: the row template has the boxes
    # Columns without an index: a page puts at most so many rows into their order, a file all of them.
    slowly_ordered: ClassVar[Collection[str]] = ()
    most_ordered: ClassVar[int] = 50_000
    usual: ClassVar[Sequence[str]] = ()  # of these, those that are shown to who has not chosen
    order_by: Any  # as django-tables2 keeps it
    row_template = ""
    caption: str | Promise = ""
    live = True
    empty_text: str | Promise = _("Nothing fits these filters.")
    suggestions: Sequence[Any] = ()  # ways out of an empty list, beside the one to all of it
    nothing_text: str | Promise = _("Nothing here yet: the next sync may bring some.")  # of a list without any filter

    def __init__(self, data: QuerySet[Any], **kwargs: Any) -> None:
        self.choices: list[tuple[str, str | Promise]] = []
        self.chosen: list[str] = []
        self.chosen_elsewhere: list[str] = []  # columns that are not to be had here, for the form to keep
        # django-tables2 would put its own in the place of the class's.
        super().__init__(data=self.data_class(data), empty_text=self.empty_text, **kwargs)

    @classmethod
    def moments(cls) -> list[str]:
        """The columns of a file that hold moments."""
        return [name for name, cell in cls.columns_of_file.items() if isinstance(cell, Moment)]

    def choose(self, chosen: Collection[str] | None, without: Collection[str] = ()) -> None:
        """Show, of the columns that can be chosen, only these; None: the usual ones. `without`: not to be had here."""
        self.choices = [(name, label) for name, label in self.choosable.items() if name not in without]
        self.chosen = [one for one, _ in self.choices if one in (self.usual if chosen is None else chosen)]
        self.chosen_elsewhere = [one for one in chosen or () if one in without]
        for one in self.choosable:
            if one not in self.chosen:
                self.columns.hide(one)

    def order_quickly(self, rows: int) -> str:
        """Do without the orders that would take long for so many rows; the column whose order was asked for so."""
        if rows <= self.most_ordered:
            return ""
        asked = {alias.bare for alias in self.order_by} & {*self.slowly_ordered}
        if asked:
            self.order_by = self._meta.order_by
        for name in self.slowly_ordered:
            self.columns[name].column.orderable = False
        return "".join(str(self.columns[name].header) for name in asked)

    @cached_property
    def shows(self) -> dict[str, bool]:
        """What row templates ask for every row: the columns they have to show, and the boxes as `pick`."""
        return {"pick": self.selects, **{name: name in self.chosen for name in self.choosable}}

    @property
    def width(self) -> str:
        """How much room the chosen columns ask for, as a class of the table."""
        beyond = len(self.chosen) - len(self.usual)
        return "" if beyond <= 0 else "wide" if beyond == 1 else "wider" if beyond <= 3 else "widest"

    def order(self, data: QueryDict) -> list[str]:
        """Order by the address's `sort`, also by a hidden column; returns what of it means nothing here."""
        asked = data.getlist("sort")
        orderable = {column.name for column in self.columns.iterall() if column.orderable}
        if len(asked) == 1 and asked[0].removeprefix("-") in orderable:
            self.order_by = asked[0]
            return []
        return [f"sort={value}" for value in asked]

    def rows_of(self, ids: Sequence[int]) -> list[Any]:
        """What the page shows of these records, in this order."""
        records = {record.pk: record for record in self.records(ids)}
        return [records[pk] for pk in ids if pk in records]

    def records(self, ids: Sequence[int]) -> Iterable[Model]:
        raise NotImplementedError

    def file_rows(self, batch: int = 2000) -> Iterator[list[Any]]:
        """The cells of every row for a file, in the table's order, a batch of records in memory at a time."""
        ids: list[int] = []
        for pk in self.data.every_id(batch):
            ids.append(pk)
            if len(ids) == batch:
                yield from self._cells(ids)
                ids = []
        yield from self._cells(ids)

    def _cells(self, ids: Sequence[int]) -> Iterator[list[Any]]:
        for row in self.rows_of(ids):
            yield [cell(row) for cell in self.columns_of_file.values()]
