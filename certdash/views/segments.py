"""A row of links that filter a list by one name, each value with its count: works without script."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.db.models import Count
from django.utils.translation import gettext

from certdash.filters import ListFilter
from certdash.models import Badge
from certdash.views.page import List, address, here


class Segment(NamedTuple):
    """One value; its `url` takes it into the filter, or out of it when it is `active`."""

    value: str
    badge: Badge
    rows: int
    active: bool
    url: str


def segments(view: List, name: str, badges: Mapping[Any, Badge], column: str = "") -> dict[str, Any]:
    """The values of a filter that rows have or the address asks for, and the way to all of them.

    `column`: what the filter looks at, when that has another name.
    """
    filters: ListFilter = view.filters
    column = column or name
    counted = filters.without(name).order_by().values_list(column).annotate(rows=Count("pk"))
    counts = dict(counted.values_list(column, "rows"))
    chosen = filters.data.getlist(name)
    kept = [pair for pair in filters.active if pair[0] != name] + _of_the_page(view)

    def url(values: list[str]) -> str:
        return address(here(view.request), [*((name, value) for value in values), *kept])

    def toggled(value: str) -> list[str]:
        return [one for one in chosen if one != value] if value in chosen else [*chosen, value]

    offered = {str(value): badge for value, badge in badges.items() if value in counts or value in chosen}
    return {
        "name": name,
        "all": Segment("all", Badge("", "", gettext("All")), sum(counts.values()), not chosen, url([])),
        "values": [
            Segment(value, badge, counts.get(value, 0), value in chosen, url(toggled(value)))
            for value, badge in offered.items()
        ],
    }


def _of_the_page(view: List) -> list[tuple[str, str]]:
    given = [(name, value) for name in ("sort", "per_page") for value in view.request.GET.getlist(name)]
    return [(name, value) for name, value in given if f"{name}={value}" not in view.ignored]
