"""When a person was here last: what is new is new since then."""

from datetime import datetime, timedelta

from django.db.models import Case, F, When
from django.http import HttpRequest

from certdash.models import User

PAUSE = timedelta(minutes=30)  # without an opening, after which the next one begins another visit


def visit(user: User, now: datetime) -> datetime | None:
    """Note that this person opens the overview now; returns the last opening of their visit before, None if none was.

    Whoever opens it twice at once is still on one visit: the database decides, in one statement.
    """
    is_over = When(visited_at__lt=now - PAUSE, then=F("visited_at"))
    User.objects.filter(pk=user.pk).update(visited_before=Case(is_over, default=F("visited_before")), visited_at=now)
    return last_visit(user, now)


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
