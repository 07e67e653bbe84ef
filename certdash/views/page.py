"""What every page has: the viewer's apps, how fresh they are, and lists that are declared rather than programmed."""

from collections.abc import Sequence
from typing import Any, ClassVar, cast
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.views import View

from certdash.access import apps_for
from certdash.exports import FORMATS, in_blocks, lines
from certdash.filters import ListFilter
from certdash.models import App, User
from certdash.stats import Freshness, as_of, freshness, overall
from certdash.tables import Table

PAGE_SIZE, LARGEST_PAGE = 50, 200


def viewer(request: HttpRequest) -> User:
    """The person who asks; every page but a few is behind the log-in."""
    return cast(User, request.user)


def visible_apps(request: HttpRequest) -> list[App]:
    """The apps this viewer may see, asked for once a request."""
    if not hasattr(request, "_visible_apps"):
        request._visible_apps = list(apps_for(viewer(request)).defer("token"))  # type: ignore[attr-defined]
    return cast(list[App], request._visible_apps)  # type: ignore[attr-defined]


def visible_freshness(request: HttpRequest) -> list[Freshness]:
    """How fresh they are, asked for once a request."""
    if not hasattr(request, "_freshness"):
        request._freshness = freshness(visible_apps(request), timezone.now())  # type: ignore[attr-defined]
    return cast(list[Freshness], request._freshness)  # type: ignore[attr-defined]


def page_context(request: HttpRequest) -> dict[str, Any]:
    """Context of every template: the freshness in the page head, and the section of the page."""

    def head() -> dict[str, str]:
        if not request.user.is_authenticated:
            return {}
        tone, text = overall(visible_freshness(request), timezone.now())
        return {"tone": tone, "text": text, "url": f"{reverse('overview')}#apps"}

    return {
        "freshness": SimpleLazyObject(head),
        "section": request.path.split("/")[1] or "overview",
        "time_zone": timezone.get_current_timezone_name(),
    }


def address(path: str, pairs: Sequence[tuple[str, str]]) -> str:
    """A path with a query of these names and values."""
    return f"{path}?{urlencode(pairs)}" if pairs else path


def moved(request: HttpRequest, url: str) -> HttpResponseBase:
    """The way to where this page is now, with the query it was asked with."""
    query = request.META["QUERY_STRING"]
    return redirect(f"{url}?{query}" if query else url)


class Refused(Exception):
    """A file was asked for with words that mean nothing; handing out more than was meant would be worse."""

    def __init__(self, ignored: Sequence[str]) -> None:
        super().__init__(
            f"No file was made, because this part of the request means nothing here: {', '.join(ignored)}. "
            "Correct or leave it out; otherwise the file would hold more than was asked for."
        )


class List(View):
    """A page of rows, or a file of them: queryset, filters, table and template are declared by subclasses."""

    filter_class: ClassVar[type[ListFilter]]
    table_class: ClassVar[type[Table]]
    template_name: ClassVar[str] = "list.html"
    title: ClassVar[str] = ""
    file_name: str = ""
    fixed: ClassVar[Sequence[str]] = ()  # filters that the page itself decides

    def listed_apps(self) -> list[App]:
        """The apps whose rows are listed."""
        return visible_apps(self.request)

    def queryset(self) -> QuerySet[Any]:
        """All rows of the page for this viewer, before the address's filters."""
        raise NotImplementedError

    def context(self) -> dict[str, Any]:
        """What the template needs beyond the list."""
        return {}

    def get(self, request: HttpRequest, *_: Any, **__: Any) -> HttpResponseBase:
        self.apps = self.listed_apps()
        self.filters = self.filter_class(request.GET, self.queryset(), self.apps, self.fixed)
        self.table = self.table_class(self.filters.qs, request=None)
        self.ignored = [*self.filters.ignored, *self.table.order(request.GET)]
        if "_export" in request.GET:
            return self._file(request)
        self._page(request.GET)
        self.table.as_of = as_of(visible_freshness(request), timezone.now())
        return render(request, self.template_name, self._list_context(request) | self.context())

    def _page(self, data: QueryDict) -> None:
        size = self._number(data, "per_page", PAGE_SIZE, most=LARGEST_PAGE)
        page = self._number(data, "page", 1)
        self.table.paginator = Paginator(self.table.rows, size)
        last = self.table.paginator.num_pages
        if page > last:
            self.ignored.append(f"page={data['page']}")
        self.table.page = self.table.paginator.page(min(page, last))

    def _number(self, data: QueryDict, name: str, default: int, most: int | None = None) -> int:
        text = data.get(name, str(default))
        if text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= (most or int(text)):
            return int(text)
        self.ignored.append(f"{name}={text}")
        return default

    def _file(self, request: HttpRequest) -> HttpResponseBase:
        file_format = request.GET["_export"]
        if file_format not in FORMATS or len(request.GET.getlist("_export")) > 1:
            self.ignored += [f"_export={value}" for value in request.GET.getlist("_export")]
        if self.ignored:
            return HttpResponse(str(Refused(self.ignored)), status=400, content_type="text/plain; charset=utf-8")
        response = StreamingHttpResponse(in_blocks(lines(self.table, file_format)), content_type=FORMATS[file_format])
        name = f"{self.file_name}-{timezone.now():%Y-%m-%dT%H%MZ}.{file_format}"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        response["Cache-Control"] = "no-store"
        return response

    def _list_context(self, request: HttpRequest) -> dict[str, Any]:
        kept = [(name, value) for name, value in self.filters.active]
        ordered = [("sort", value) for value in request.GET.getlist("sort") if not self._is_ignored("sort", value)]
        if kept:
            self.table.empty_url, self.table.empty_label = request.path, "Clear all filters"
        downloads = [(name, address(request.path, [*kept, *ordered, ("_export", name)])) for name in FORMATS]
        return {
            "title": self.title,
            "table": self.table,
            "rows": self.table.paginator.count,
            "filters": self.filters,
            # A form without script sends its empty fields, too: only a file has to refuse them.
            "ignored": [part for part in self.ignored if part.partition("=")[2]],
            "downloads": downloads,
            "apps": self.apps,
        }

    def _is_ignored(self, name: str, value: str) -> bool:
        return f"{name}={value}" in self.ignored
