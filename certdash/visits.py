"""When a person was here last: what is new is new since then."""

from datetime import datetime, timedelta

from django.db.models import Case, F, When
from django.http import HttpRequest, HttpResponseBase

from certdash.models import User

PAUSE = timedelta(minutes=30)  # without an opening, after which the next one begins another visit


def note_visit(response: HttpResponseBase, user: User, now: datetime) -> None:
    """Note that this person opens the overview, once they have been answered: on SQLite a sync that writes could have
    them wait longer for that note than for all the rest.

    Whoever opens it twice at once is still on one visit: the database decides, in one statement.
    """
    is_over = When(visited_at__lt=now - PAUSE, then=F("visited_at"))
    close = response.close

    def note_and_close() -> None:
        try:
            noted = {"visited_before": Case(is_over, default=F("visited_before")), "visited_at": now}
            User.objects.filter(pk=user.pk).update(**noted)
        finally:
            close()

    response.close = note_and_close  # type: ignore[method-assign]


def last_visit(user: User, now: datetime) -> datetime | None:
    """The last opening of the visit before the one that is under way at this moment, as the person was read."""
    if user.visited_at is not None and user.visited_at < now - PAUSE:
        return user.visited_at
    return user.visited_before


def is_opened(request: HttpRequest) -> bool:
    """Whether a person opens a page, and not a file, a script, a look ahead, or something that only asks if it is."""
    by_itself = "X-Background" in request.headers or "HX-Request" in request.headers
    ahead = "prefetch" in request.headers.get("Sec-Purpose", "")
    return request.method == "GET" and "_export" not in request.GET and not by_itself and not ahead
