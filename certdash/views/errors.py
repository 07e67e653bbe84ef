"""Pages for what went wrong before or while a page was made: they ask nothing of the database or of the request."""

from django.http import HttpRequest, HttpResponse
from django.template import loader

from certdash.logs import REFERENCE


def server_error(_request: HttpRequest) -> HttpResponse:
    """Something failed that nobody expected; the log tells of it under the reference that the page shows."""
    return _page("500.html", 500)


def bad_request(_request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """A request that cannot be understood."""
    return _page("400.html", 400)


def _page(template: str, status: int) -> HttpResponse:
    return HttpResponse(loader.get_template(template).render({"reference": REFERENCE.get()}), status=status)
