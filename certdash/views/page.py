"""What every page has: the viewer's apps, how fresh they are, and lists that are declared rather than programmed."""

from collections.abc import Collection, Iterable, Sequence, Sized
from dataclasses import replace
from datetime import UTC
from functools import cached_property
from typing import Any, ClassVar, cast
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import escape_uri_path
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.views import View

from certdash.access import apps_for
from certdash.downloads import Download
from certdash.exports import FORMATS, MOST_ROWS, About
from certdash.fields import LARGEST_PAGE, LONGEST_LIST, is_page_number
from certdash.filters import ListFilter
from certdash.models import App, Role, User
from certdash.remembered import exact_count
from certdash.saved_views import page_of
from certdash.stats import Freshness, as_of, freshness
from certdash.tables import Table
from certdash.views.beginnings import Beginning, no_app
from certdash.views.refusals import nothing_selected, refused, senseless, too_long
from certdash.views.suggestions import suggestions
from certdash.ways import led_to
from certdash.words import list_words

PAGE_SIZE, PAGE_SIZES = 50, (25, 50, 100, 200)


def viewer(request: HttpRequest) -> User:
    """The person who asks; every page but a few is behind the log-in."""
    return cast(User, request.user)


def visible_apps(request: HttpRequest) -> list[App]:
    """The apps this viewer may see, asked for once a request."""
    if not hasattr(request, "_visible_apps"):
        request._visible_apps = list(apps_for(viewer(request)).defer("token"))  # type: ignore[attr-defined]
    return cast(list[App], request._visible_apps)  # type: ignore[attr-defined]


def visible_app(request: HttpRequest, slug: str) -> App:
    """The one of them with this slug. Raises `Http404` when it is foreign."""
    for app in visible_apps(request):
        if app.slug == slug:
            return app
    raise Http404("No such app.")


def own_role(request: HttpRequest, app: App) -> Role:
    """The viewer's role in an app that they may see, read with all of them. Raises `Http404` when it is foreign."""
    return Role(visible_app(request, app.slug).own_role)  # type: ignore[attr-defined]  # annotated by `apps_for`


def visible_freshness(request: HttpRequest, apps: Sequence[App] | None = None) -> list[Freshness]:
    """How fresh they (or only these of them) are, asked for once a request."""
    if not hasattr(request, "_freshness"):
        request._freshness = freshness(visible_apps(request), timezone.now())  # type: ignore[attr-defined]
    every = cast(list[Freshness], request._freshness)  # type: ignore[attr-defined]
    return every if apps is None else [one for one in every if one.app in apps]


def page_is_about(request: HttpRequest, apps: Sequence[App]) -> None:
    """Have the page head tell how fresh these apps are, instead of all that the viewer may see."""
    request._page_apps = apps  # type: ignore[attr-defined]


def address(path: str, pairs: Sequence[tuple[str, str]]) -> str:
    """A path with a query of these names and values."""
    return f"{path}?{urlencode(pairs)}" if pairs else path


def here(request: HttpRequest) -> str:
    """The path of this page as an address has it: a key in it can hold what ends a path."""
    return escape_uri_path(request.path)


def moved(request: HttpRequest, url: str) -> HttpResponseBase:
    """The way to where this page is now, with the query it was asked with."""
    query = request.META["QUERY_STRING"]
    return HttpResponseRedirect(f"{url}?{query}" if query else url)


def way_back(request: HttpRequest, otherwise: str) -> HttpResponse:
    """To the page of ours from which a form was sent, as it says in `next`; or to that of the name `otherwise`."""
    return led_to(request.POST.get("next"), otherwise)


SmallTable = tuple[Sequence[str], Sequence[Sequence[Any]]]  # head and rows of a table that a page shows whole


def file_response(
    request: HttpRequest,
    name: str,
    ignored: Sequence[str],
    head: Sequence[str],
    rows: Iterable[Sequence[Any]],
    apps: Sequence[App],
    *,
    of_vendor: bool = True,
    filters: Iterable[str] = (),
    about: About | None = None,
) -> HttpResponseBase:
    """Rows as a file of the format that the address asks for, its name ending in the moment (UTC) of their truth.

    `apps`: those that the rows are of. `of_vendor`: whether they are true as of their syncs, or now. The download is
    written down, with `filters`, the names of those in use. `about`: the page's part of what a workbook tells.
    """
    asked = request.GET.getlist("_export")
    if ignored or len(asked) != 1 or asked[0] not in FORMATS:
        odd = [f"_export={value}" for value in asked if value not in FORMATS or len(asked) > 1]
        return refused(senseless([*ignored, *odd]))
    if "_selected" in request.GET and "id" not in request.GET:
        return refused(nothing_selected())
    if asked[0] == "xlsx" and isinstance(rows, Sized) and len(rows) > MOST_ROWS:
        return refused(too_long(len(rows)))
    each = visible_freshness(request, apps)
    told = replace(about or About(name.replace("-", " ").capitalize()), sheet=name, each=each, of_vendor=of_vendor)
    download = Download(name, asked[0], [*filters], apps, viewer(request), told)
    response = StreamingHttpResponse(download.stream(head, rows), content_type=FORMATS[asked[0]])
    moment = told.as_of or told.made
    file_name = f"{name}-{moment.astimezone(UTC):%Y-%m-%dT%H%MZ}.{asked[0]}"
    response["Content-Disposition"] = f'attachment; filename="{file_name}"'
    response["Cache-Control"] = "no-store"
    return response


class List(View):
    """A page of rows, or a file of them: queryset, filters, table and template are declared by subclasses."""

    filter_class: ClassVar[type[ListFilter]]
    table_class: ClassVar[type[Table]]
    template_name: ClassVar[str] = "list.html"
    title: ClassVar[str | Promise] = ""
    file_name: str = ""
    of_vendor: ClassVar[bool] = True  # whether the rows are true as of a sync
    is_about_one: ClassVar[bool] = False  # a story, a group or a person: worth a view also without filters

    def listed_apps(self) -> list[App]:
        """The apps whose rows are listed."""
        return visible_apps(self.request)

    def queryset(self) -> QuerySet[Any]:
        """All rows of the page for this viewer, before the address's filters."""
        raise NotImplementedError

    def context(self) -> dict[str, Any]:
        """What the template needs beyond the list."""
        return {}

    def part(self, _name: str) -> HttpResponse | None:
        """What the address asks for instead of the page, if this page has such a part."""
        return None

    def beginning(self) -> Beginning:
        """Why there is nothing although nothing is filtered, and a first step."""
        if self.apps or not self.of_vendor:
            return Beginning(str(self.table.nothing_text))
        return no_app(viewer(self.request))

    def columns_without(self) -> Collection[str]:
        """Columns that hold nothing here, whoever chose them."""
        return ()

    def small_tables(self) -> dict[str, SmallTable]:
        """Tables that the page shows beside its rows, by the name under which the address asks for their file."""
        return {}

    def get(self, request: HttpRequest, *_: Any, **__: Any) -> HttpResponseBase:
        self.apps = self.listed_apps()
        page_is_about(request, self.apps)
        self.filters = self.filter_class(request.GET, self.queryset(), self.apps)
        return self.answer(request)

    def make_table(self) -> Table:
        """The table of the filtered rows."""
        return self.table_class(self.filters.qs, request=None)

    def answer(self, request: HttpRequest) -> HttpResponseBase:
        """The page, a part of it, or its file, once its filters are read."""
        self.table = self.make_table()
        self.ignored = [*self.filters.ignored, *self.table.order(request.GET)]
        person = viewer(request)
        self.table.choose(person.columns.get(self.table.remembered_as), self.columns_without())
        size = self._number("per_page", person.page_size or PAGE_SIZE, LARGEST_PAGE)
        page = self._number("page", 1)
        if "_export" in request.GET:
            return self._file(request)
        if part := self.part(request.GET.get("_part", "")):
            return part
        self._page(page, size)
        if self.of_vendor:
            self.table.as_of = as_of(visible_freshness(request, self.apps))
        return render(request, self.template_name, self._list_context(request) | self.context())

    def _number(self, name: str, default: int, most: int = LONGEST_LIST) -> int:
        text = self.request.GET.get(name, str(default))
        if is_page_number(text, most):
            return int(text)
        self.ignored.append(f"{name}={text}")
        return default

    def _page(self, number: int, size: int) -> None:
        rows = self.count
        self.unordered = self.table.order_quickly(rows)
        self.table.paginator = Paginator(self.table.rows, size)
        self.table.paginator.count = rows
        last = self.table.paginator.num_pages
        if number > last:
            self.ignored.append(f"page={number}")
        self.table.page = self.table.paginator.page(min(number, last))

    def subject(self) -> str:
        """What the page is about, in words: what a file of it says of itself."""
        return str(self.title)

    def filter_words(self) -> list[str]:
        """The filters in use, in words."""
        return list_words(self.filters)

    def _file(self, request: HttpRequest) -> HttpResponseBase:
        asked = request.GET.getlist("_table")
        small = self.small_tables() if asked else {}
        head: Sequence[str] = list(self.table.columns_of_file)
        rows: Iterable[Sequence[Any]] = self.table.file_rows()
        name, about = self.file_name, None
        if "xlsx" in request.GET.getlist("_export"):
            about = About(self.subject(), self.filter_words(), self._rows_url(), self.table.moments())
        if len(asked) == 1 and asked[0] in small:
            head, rows = small[asked[0]]
            name, about = f"{name}-{asked[0]}", about and replace(about, moments=())
            # They are of the whole page: filters would promise what is not in the file.
            self.ignored += [f"{name}={value}" for name, value in self.filters.active]
        elif asked:
            self.ignored += [f"_table={one}" for one in asked]
        elif request.GET.getlist("_export") == ["xlsx"] and not self.ignored and self.count > MOST_ROWS:
            return refused(too_long(self.count))
        own = getattr(self, "app", None)  # of a page of one app
        apps = [own] if own else self.apps if self.of_vendor else []
        names = [name for name, _ in self.filters.active]
        return file_response(
            request, name, self.ignored, head, rows, apps, of_vendor=self.of_vendor, filters=names, about=about
        )

    @cached_property
    def count(self) -> int:
        """How many rows there are on all pages."""
        if self.of_vendor:
            return exact_count(self.apps, self.filters.qs)
        return int(self.filters.qs.count())

    def _rows_url(self, *more: tuple[str, str]) -> str:
        """The address of exactly these rows in this order."""
        return address(here(self.request), [*self.filters.active, *self._ordered(), *more])

    def _downloads(self, rows: int) -> dict[str, Any]:
        """The formats that take so many rows, each with the address of the file."""
        too_long_for = {"xlsx": MOST_ROWS} if rows > MOST_ROWS else {}
        offered = [(name, self._rows_url(("_export", name))) for name in FORMATS if name not in too_long_for]
        return {"downloads": offered, "too_long_for": too_long_for}

    def _ordered(self) -> list[tuple[str, str]]:
        return [("sort", value) for value in self.request.GET.getlist("sort") if not self._is_ignored("sort", value)]

    def _list_context(self, request: HttpRequest) -> dict[str, Any]:
        kept = self.filters.active
        if kept:
            self.table.empty_url, self.table.empty_label = here(request), gettext("Clear all filters")
            if not self.table.paginator.count:
                self.table.suggestions = suggestions(self.filters, self.filter_words(), here(request))
        elif not self.table.paginator.count:
            self.table.empty_text, self.table.empty_url, self.table.empty_label = self.beginning()
        # A form without script sends its empty fields, too: only a file has to refuse them.
        ignored = [part for part in self.ignored if part.partition("=")[2]]
        return {
            "title": self.title,
            "table": self.table,
            "rows": self.table.paginator.count,
            "filters": self.filters,
            "filter_words": self.filter_words,
            "ignored": ignored,
            "ignored_filter": any(part.partition("=")[0] not in ("sort", "page", "per_page") for part in ignored),
            **self._downloads(self.table.paginator.count),
            "apps": self.apps,
            "page_sizes": sorted({*PAGE_SIZES, self.table.paginator.per_page}),
            "unordered": self.unordered,
            "way_back": self._rows_url(),
            "selected_of": [pair for pair in [*kept, *self._ordered()] if pair[0] != "id"],
            "save_url": self._save_url(),
        }

    def _save_url(self) -> str:
        """Where what the page shows is kept as a view; empty when it shows all of a list, or is no page for that."""
        path, query = self.request.path_info, self._rows_url().partition("?")[2]
        if not page_of(path) or not (query or self.is_about_one):
            return ""
        return address(reverse("view_add"), [("path", path), ("query", query)])

    def _is_ignored(self, name: str, value: str) -> bool:
        return f"{name}={value}" in self.ignored
