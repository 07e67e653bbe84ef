"""The time zone of whoever asks: everybody reads pages by their own clock. Commands and files know nothing of it."""

import zoneinfo
from collections.abc import Callable
from datetime import tzinfo
from functools import cache

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

# What machines call themselves; it means something else on each of them, or nothing.
_OF_MACHINES = {"Factory", "localtime", "posixrules"}


@cache
def names() -> frozenset[str]:
    """The IANA names that this machine knows; read from its files once."""
    return frozenset(zoneinfo.available_timezones() - _OF_MACHINES)


def offered() -> list[tuple[str, list[str]]]:
    """The names to choose from, by region; older and technical ones are understood but not offered."""
    regions: dict[str, list[str]] = {}
    for name in sorted(names()):
        region, slash, _ = name.partition("/")
        if slash and region in _REGIONS:
            regions.setdefault(region, []).append(name)
    return list(regions.items())


_REGIONS = {
    "Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific",
}  # fmt: skip


def zone_of(name: str) -> tzinfo | None:
    """The zone of this name; None, which is the installation's, without one and for what this machine does not know."""
    return zoneinfo.ZoneInfo(name) if name in names() else None


class TimeZoneMiddleware:
    """Has a request answered in the time zone of the person who asks, and no other one.

    A file is streamed after that: its moments are in UTC, and its filters are understood before.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        name = request.user.time_zone if request.user.is_authenticated else ""
        with timezone.override(zone_of(name)):
            return self.get_response(request)
