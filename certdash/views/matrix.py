"""The matrix: stories down, tracked groups across, each cell a link to exactly the certificates that it counts."""

from collections.abc import Callable, Iterator
from copy import copy
from typing import Any, ClassVar

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy

from certdash.exports import About
from certdash.stats import as_of
from certdash.stats.matrix import COUNTED, Cell, Matrix
from certdash.views.beginnings import Beginning, no_app, no_group
from certdash.views.certificates import Certificates
from certdash.views.grid import Grid
from certdash.views.page import address, file_response, here, viewer, visible_freshness
from certdash.views.suggestions import Suggestion, suggestions

STORIES, GROUPS = 50, 30  # on a page; files have all
# Heads and marks of the file, which programs read: they are the same in every language.
_HEAD = ("app", "story_id", "story", "group", "delivered", "pending")
_NO_GROUP, _EVERYBODY, _ALL_STORIES = "(in no tracked group)", "(all, each certificate once)", "(all stories)"
_BY_NAME = "story"
_ORDERS: dict[str, tuple[str | Promise, Callable[[Cell], float]]] = {
    _BY_NAME: (gettext_lazy("name"), lambda _: 0),
    "-certificates": (gettext_lazy("most certificates"), lambda cell: -cell.total),
    "-pending": (gettext_lazy("most pending"), lambda cell: -cell.pending),
    "delivered": (gettext_lazy("least delivered"), lambda cell: cell.delivered / cell.total),
}


class MatrixPage(Certificates):
    """Delivered and pending certificates by story and tracked group, as many as the filters leave."""

    template_name: ClassVar[str] = "matrix/matrix.html"
    title = gettext_lazy("Matrix")
    file_name = "matrix"

    def answer(self, request: HttpRequest) -> HttpResponseBase:
        self.ignored = [*self.filters.ignored, *(f"per_page={text}" for text in request.GET.getlist("per_page"))]
        number, self.order = self._number("page", 1), self._order()
        if part := self.part(request.GET.get("_part", "")):
            return part
        self.matrix = matrix = Matrix(self.filters)
        rank = _ORDERS[self.order][1]
        matrix.stories.sort(key=lambda story: rank(matrix.all(story)))
        self.lines = list(_lines(self.matrix))
        if "_export" in request.GET:
            return self._file(request)
        return render(request, self.template_name, self._page_of(number) | self.context())

    def _order(self) -> str:
        asked = self.request.GET.getlist("sort")
        if len(asked) == 1 and asked[0] in _ORDERS:
            return asked[0]
        self.ignored += [f"sort={value}" for value in asked]
        return _BY_NAME

    def _file(self, request: HttpRequest) -> HttpResponseBase:
        ignored = [*self.ignored, *(f"_table={name}" for name in request.GET.getlist("_table"))]
        names = [name for name, _ in self.filters.active]
        about = About(self.subject(), self.filter_words(), self._rows_url())
        return file_response(request, self.file_name, ignored, _HEAD, self.lines, self.apps, filters=names, about=about)

    def _page_of(self, number: int) -> dict[str, Any]:
        stories = self.matrix.stories
        paginator = Paginator(stories, STORIES)
        if number > paginator.num_pages:
            self.ignored.append(f"page={number}")
        grid = Grid(self.matrix, self.filters, paginator.page(min(number, paginator.num_pages)), GROUPS)
        grid.as_of = as_of(visible_freshness(self.request, self.apps))
        ignored = [part for part in self.ignored if part.partition("=")[2]]
        return {
            "title": self.title,
            "table": grid,
            "orders": self._orders(),
            "rows": len(self.lines),
            "counted": self.matrix.all(*stories).total,
            "stories": len(stories),
            "groups": len(self.matrix.groups),
            "beginning": self.beginning(),
            "ignored": ignored,
            "ignored_filter": any(part.partition("=")[0] not in ("sort", "page", "per_page") for part in ignored),
            **self._downloads(len(self.lines)),
            "save_url": self._save_url(),
            "apps": self.apps,
            "suggestions": [] if stories else self._suggestions(),
        }

    def _suggestions(self) -> list[Suggestion]:
        counted = copy(self.filters)
        counted.queryset = counted.queryset.filter(state__in=COUNTED)  # others would be promised and not shown
        return suggestions(counted, self.filter_words(), here(self.request))

    def beginning(self) -> Beginning:
        """Of a matrix without stories, or without groups."""
        if not self.apps:
            return no_app(viewer(self.request))
        if self.lines and not self.filters.visible_groups:
            return no_group(viewer(self.request), self.apps)
        return Beginning(gettext("Nothing here yet: the next sync may bring some."))

    def _orders(self) -> list[dict[str, Any]]:
        return [
            {
                "name": name.removeprefix("-"),
                "label": label,
                "url": address(here(self.request), [*self.filters.active, ("sort", name)]),
                "is_current": name == self.order,
            }
            for name, (label, _) in _ORDERS.items()
        ]


def _lines(matrix: Matrix) -> Iterator[tuple[str, str, str, str, int, int]]:
    """The whole matrix in long form: of each app its stories, then their sums; without cells in which nothing is."""
    for app in matrix.apps:
        groups = [group for group in matrix.groups if group.app_id == app.pk]
        stories = [story for story in matrix.stories if story.app_id == app.pk]
        for story in stories:
            cells = [(group.name, matrix.cell(story, group)) for group in groups]
            cells += [(_NO_GROUP, matrix.none(story)), (_EVERYBODY, matrix.all(story))]
            yield from ((app.slug, story.vendor_id, story.name, name, *cell) for name, cell in cells if cell.total)
        sums = [(group.name, matrix.of_group[group.pk]) for group in groups]
        sums += [(_NO_GROUP, matrix.none(*stories)), (_EVERYBODY, matrix.all(*stories))]
        yield from ((app.slug, "", _ALL_STORIES, name, *cell) for name, cell in sums if cell.total)
