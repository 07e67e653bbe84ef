"""The base of all tables."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, ClassVar

import django_tables2 as tables
from django.db.models import Model, QuerySet
from django.http import QueryDict
from django_tables2.data import TableQuerysetData


class NumberColumn(tables.Column):  # type: ignore[misc]
    """Right-aligned, in groups of three digits."""

    def __init__(self, heading: str | None = None, **kwargs: Any) -> None:
        super().__init__(heading, attrs={"th": {"class": "num"}, "td": {"class": "num"}}, **kwargs)

    def render(self, value: int) -> str:
        return f"{value:,}"


class _Data(TableQuerysetData):  # type: ignore[misc]
    """Reads a page's ids first, then its rows: a deep page skips over an index instead of over whole rows."""

    data: QuerySet[Any]

    def order_by(self, aliases: Any) -> None:
        """Rows that are alike in what they are ordered by are ordered by their id: else pages could overlap."""
        super().order_by(aliases)
        ordering = list(self.data.query.order_by)
        if ordering and ordering[-1] not in ("pk", "-pk"):
            self.data = self.data.order_by(*ordering, "pk")

    def __getitem__(self, key: Any) -> Any:
        ids = list(self.data.values_list("pk", flat=True)[key])
        return self.table.rows_of(ids)


class Table(tables.Table):  # type: ignore[misc]
    """The base of all tables. `rows_of` turns ids into what the row template shows and a file holds."""

    columns_of_file: ClassVar[dict[str, Callable[[Any], Any]]]
    row_template = ""
    caption = ""
    live = True
    empty_text = "Nothing fits these filters."
    nothing_text = "Nothing here yet: the next sync may bring some."  # of a list without any filter

    def __init__(self, data: QuerySet[Any], **kwargs: Any) -> None:
        # django-tables2 would put its own in the place of the class's.
        super().__init__(data=_Data(data), empty_text=self.empty_text, **kwargs)

    def order(self, data: QueryDict) -> list[str]:
        """Order by the address's `sort`; returns what of it means nothing here."""
        asked = data.getlist("sort")
        orderable = {column.name for column in self.columns if column.orderable}
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
        for pk in self.data.data.values_list("pk", flat=True).iterator(chunk_size=batch):
            ids.append(pk)
            if len(ids) == batch:
                yield from self._cells(ids)
                ids = []
        yield from self._cells(ids)

    def _cells(self, ids: Sequence[int]) -> Iterator[list[Any]]:
        for row in self.rows_of(ids):
            yield [cell(row) for cell in self.columns_of_file.values()]
