"""Ways out of an empty list: without which of its filters there would be rows."""

from collections.abc import Sequence
from functools import reduce
from typing import NamedTuple
from urllib.parse import urlencode

from django.utils.translation import gettext

from certdash.filters import ListFilter

# Each filter is counted, all in one query, whose cost grows with them; who has more than these begins anew. A word, a
# certificate or a city keeps out most, so they come first; a state or an app seldom leaves nothing by itself.
_COUNTED, _TOLD = 8, 5
_NARROWEST = ("q", "id", "run", "change", "changed_from", "city", "group", "story", "country", "type")


class Suggestion(NamedTuple):
    label: str  # of the filter to do without
    rows: int
    url: str


def suggestions(filters: ListFilter, words: Sequence[str], path: str) -> list[Suggestion]:
    """The filters of a list without rows that keep out some by themselves, the most first.

    `words`: each of the active filters. With a single one there is nothing to choose.
    """
    labels: dict[str, list[str]] = {}
    for (name, _), told in zip(filters.active, words, strict=True):
        labels.setdefault(name, []).append(told)
    if len(labels) < 2:
        return []
    narrowest = [name for name in _NARROWEST if name in labels]
    rows = filters.rows_but_for([*narrowest, *(name for name in labels if name not in narrowest)][:_COUNTED])
    return [
        Suggestion(
            reduce(_either, labels[name]),
            rows[name],
            f"{path}?{urlencode([pair for pair in filters.active if pair[0] != name])}",
        )
        for name in sorted(rows, key=rows.__getitem__, reverse=True)[:_TOLD]
        if rows[name]
    ]


def _either(one: str, other: str) -> str:
    return gettext("%(one)s or %(other)s") % {"one": one, "other": other}
