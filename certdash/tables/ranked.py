"""Orders that no column of the database holds."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from django_tables2.utils import OrderBy

from .base import Data, Table


class Ranked(Data):
    """Rows that are few enough to be sorted here, by what was counted of them; else, and among equals, by name."""

    table: "RankedTable"
    rank: OrderBy | None = None
    ids: list[int] | None = None  # all of them in the order of the rank, once they are asked for

    def order_by(self, aliases: Sequence[str]) -> None:
        asked = [OrderBy(alias) for alias in aliases]
        self.rank, self.ids = next((alias for alias in asked if alias.bare in self.table.ranks), None), None
        super().order_by(["name"] if self.rank else aliases)

    def every_id(self, batch: int) -> Iterator[int]:
        return iter(self._ranked(self.rank)) if self.rank else super().every_id(batch)

    def _ids(self, start: int, stop: int) -> list[int]:
        return self._ranked(self.rank)[start:stop] if self.rank else super()._ids(start, stop)

    def _ranked(self, rank: OrderBy) -> list[int]:
        if self.ids is None:
            by_name = list(self.data.values_list("pk", flat=True))
            counted, value_of = self.table.counted(by_name), self.table.ranks[rank.bare]
            values = {pk: value_of(counted[pk]) for pk in by_name}
            known = [pk for pk in by_name if values[pk] is not None]
            known.sort(key=values.__getitem__, reverse=rank.is_descending)
            self.ids = [*known, *(pk for pk in by_name if values[pk] is None)]
        return self.ids


class RankedTable(Table):
    """A table with a column `name` whose rows can be ordered by what `counted` gives, too."""

    data_class = Ranked
    # By column. What has None has nothing to compare, and comes last whichever way.
    ranks: ClassVar[Mapping[str, Callable[[Any], Any]]]

    def counted(self, ids: Sequence[int]) -> Mapping[int, Any]:
        """What is known of each of these."""
        raise NotImplementedError
