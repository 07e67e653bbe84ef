"""What the matrix's template shows: lines and columns, each cell with the address of the rows that it counts."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.core.paginator import Page
from django.urls import reverse
from django.utils.translation import gettext

from certdash.filters import NO_GROUP, CertificateFilter
from certdash.models import Group, Story
from certdash.rows import grouped, story_url
from certdash.stats.matrix import COUNTED, Cell, Matrix
from certdash.views.page import address


@dataclass(slots=True)
class Spot:
    """A cell; `url` is empty where there is nothing. `step`: its share delivered, 1 to 5."""

    label: str  # of its column
    delivered: str
    pending: str
    step: int
    url: str


@dataclass(slots=True)
class Head:
    """Of a line or a column."""

    name: str
    url: str
    note: str
    kind: str = ""


@dataclass(slots=True)
class Line:
    head: Head
    spots: list[Spot]


class Grid:
    """A part of a matrix, with what the templates of lists read from a table: some stories, and as many groups."""

    template_name = "matrix/grid.html"
    prefixed_page_field, prefixed_order_by_field, prefixed_per_page_field = "page", "sort", "per_page"
    live = True
    as_of = ""

    def __init__(self, matrix: Matrix, filters: CertificateFilter, page: "Page[Story]", groups: int) -> None:
        self.page, self.paginator = page, page.paginator
        self._links, self._apps = _Links(filters), {app.pk: app for app in filters.apps}
        largest = sorted(matrix.groups, key=lambda group: -matrix.of_group[group.pk].total)[:groups]
        shown = [group for group in matrix.groups if group in largest]
        self.groups_left_out = len(matrix.groups) - len(shown)
        self.groups_empty = len(matrix.offered) - len(matrix.groups)
        self.heads = [self._head(group) for group in shown]
        self.has_no_group = matrix.has_no_group
        self.lines = [Line(self._head(story), self._spots(matrix, shown, story)) for story in page]
        self.sums = self._spots(matrix, shown)

    def _head(self, one: Story | Group) -> Head:
        app, kind = self._apps[one.app_id], str(one.type_label) if isinstance(one, Story) else ""
        url = story_url(app, one) if isinstance(one, Story) else reverse("group", args=[app.slug, one.key])
        return Head(one.name or gettext("(no name)"), url, app.name if len(self._apps) > 1 else "", kind)

    def _spots(self, matrix: Matrix, groups: Iterable[Group], story: Story | None = None) -> list[Spot]:
        """The cells of a story, or the sums over all stories."""
        stories = [story] if story else matrix.stories

        def spot(label: str, cell: Cell, group: Group | str = "") -> Spot:
            url = self._links.rows_of(story, group) if cell.total else ""
            return Spot(label, grouped(cell.delivered), grouped(cell.pending), cell.step, url)

        spots = [
            spot(group.name, matrix.cell(story, group) if story else matrix.of_group[group.pk], group)
            for group in groups
        ]
        if matrix.has_no_group:
            spots.append(spot(gettext("in no tracked group"), matrix.none(*stories), NO_GROUP))
        return [*spots, spot(gettext("all"), matrix.all(*stories))]


class _Links:
    """Addresses of exactly the certificates that a cell counts, under the filters of its page."""

    def __init__(self, filters: CertificateFilter) -> None:
        self._apps = {app.pk: app for app in filters.apps}
        active = filters.active
        self._asked = {name: [pair for pair in active if pair[0] == name] for name in ("app", "story", "group")}
        states = {value.lower() for name, value in active if name == "state"}
        # Certificates of other states are not counted, so they are not among the rows either.
        counted = [("state", state.value) for state in COUNTED if not states or state.value in states]
        self._rest = [*counted, *(pair for pair in active if pair[0] not in (*self._asked, "state"))]
        self._path = reverse("certificates")

    def rows_of(self, story: Story | None, group: Group | str) -> str:
        """`group`: its certificates, those in none (`~none`), or all (empty)."""
        one = story or (group if isinstance(group, Group) else None)
        return address(
            self._path,
            [
                *([("app", self._apps[one.app_id].slug)] if one else self._asked["app"]),
                *([("story", story.key)] if story else self._asked["story"]),
                *([("group", group.key if isinstance(group, Group) else group)] if group else self._asked["group"]),
                *self._rest,
            ],
        )
