"""Saved views: to which pages they may lead, and what of an address they keep."""

from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

from django.urls import Resolver404, resolve
from django.utils.crypto import get_random_string
from django.utils.encoding import escape_uri_path
from django.utils.text import slugify

from certdash.models import SavedView

# The pages that take filters, by the names of their addresses: a view leads to no other one, here or elsewhere.
PAGES = {
    "certificates": "Certificates", "stories": "Stories", "story": "A story", "groups": "Groups", "group": "A group",
    "matrix": "Matrix", "people": "People", "person": "A person", "delivery": "Delivery clock",
}  # fmt: skip
MOST_IDS = 200
_MOST_PAIRS = 600
_LONGEST = 3000  # characters, as they stand in an address
TOO_LONG = f"This address is too long to be kept: a view has room for {_LONGEST:,} characters of filters."
# Where in the list somebody was, or how they like it: no filter, no order.
_LEFT_OUT = ("page", "per_page")
_EMPTY_MEANS = ("country", "city")  # without one
_UNAMBIGUOUS = "abcdefghjkmnpqrstuvwxyz23456789"


class NotKept(ValueError):
    """This address cannot be kept; the message says why."""


class Kept(NamedTuple):
    """What a view keeps of an address."""

    page: str  # in words
    pairs: list[tuple[str, str]]

    @property
    def query(self) -> str:
        return urlencode(self.pairs)

    @property
    def in_words(self) -> str:
        return ", ".join(f"{name}: {value or '(empty)'}" for name, value in self.pairs)


def page_of(path: str) -> str:
    """The page of a (decoded) path in words; empty for one that no view leads to."""
    try:
        return PAGES.get(resolve(path).url_name or "", "")
    except Resolver404:
        return ""


def kept(path: str, query: str) -> Kept:
    """The filters and the order of an address. Raises `NotKept`."""
    page = page_of(path)
    if not page:
        raise NotKept("This page has no filters that a view could keep. Save the view on the page that it is of.")
    try:
        pairs = parse_qsl(query.lstrip("?"), keep_blank_values=True, max_num_fields=_MOST_PAIRS)
    except ValueError:
        raise NotKept(f"A view keeps at most {_MOST_PAIRS} values of filters.") from None
    if sum(name == "id" for name, _ in pairs) > MOST_IDS:
        raise NotKept(f"A view lists at most {MOST_IDS} certificates one by one. Filter by what they have in common.")
    found = Kept(page, [(name, value) for name, value in pairs if _is_kept(name, value)])
    if len(found.query) > _LONGEST:
        raise NotKept(TOO_LONG)
    return found


def _is_kept(name: str, value: str) -> bool:
    return not name.startswith("_") and name not in _LEFT_OUT and (bool(value) or name in _EMPTY_MEANS)


def told(view: SavedView) -> Kept:
    """What a stored view keeps, also when its page is no more."""
    pairs = parse_qsl(view.query, keep_blank_values=True)
    return Kept(page_of(view.path) or "A page that is no more", pairs)


def address_of(view: SavedView) -> str:
    """Where a view leads, on this host."""
    path = escape_uri_path(view.path)
    return f"{path}?{view.query}" if view.query else path


def new_slug(name: str) -> str:
    """A slug for a view of this name. Its end is drawn by lot: no slug tells that somebody else has such a view."""
    return f"{slugify(name)[:60].strip('-') or 'view'}-{get_random_string(8, _UNAMBIGUOUS)}"
