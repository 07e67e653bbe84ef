"""Where a text of an address or a form may lead somebody: to a page of ours, by its path alone."""

from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

_LONGEST = 8000  # characters: longer ones no page of ours has


def is_way(text: str | None) -> bool:
    """Whether this is the path of a page on this host, with or without a query.

    A text that names a host is none, also when that host is ours, nor is the name of a page.
    """
    if not text or len(text) > _LONGEST or not text.startswith("/"):
        return False
    path, _, _ = text.partition("?")  # only before it can there be a host
    return url_has_allowed_host_and_scheme(path, None)


def led_to(wanted: str | None, otherwise: str) -> HttpResponseRedirect:
    """To the page that somebody's text asks for, or else to ours of the name `otherwise`.

    Not by Django's `redirect`, which takes a text for the name of a page before it takes it for a path.
    """
    return HttpResponseRedirect(wanted if wanted and is_way(wanted) else reverse(otherwise))
