"""Saved views: to which pages they may lead, what of an address they keep, and what that names of which apps."""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

from django.db.models import QuerySet
from django.urls import Resolver404, resolve
from django.utils.crypto import get_random_string
from django.utils.encoding import escape_uri_path
from django.utils.functional import Promise, lazy
from django.utils.text import format_lazy, slugify
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from certdash.fields import is_row_id
from certdash.filters.certificates import NO_GROUP
from certdash.keys import name_groups, name_stories, stories_of_same_id
from certdash.models import App, Group, Learner, SavedView, Story, SyncRun
from certdash.rows import grouped
from certdash.words import word

# The pages that take filters, by the names of their addresses: a view leads to no other one, here or elsewhere.
PAGES: dict[str, str | Promise] = {
    "certificates": _("Certificates"),
    "stories": _("Stories"),
    "story": _("A story"),
    "groups": _("Groups"),
    "group": _("A group"),
    "matrix": _("Matrix"),
    "people": _("People"),
    "person": _("A person"),
    "delivery": _("Delivery clock"),
}
MOST_IDS = 200
MOST_VIEWS = 200  # of a person
_MOST_PAIRS = 600
_LONGEST = 3000  # characters, as they stand in an address
TOO_LONG = format_lazy(
    _("This address is too long to be kept: a view has room for {most} characters of filters."),
    most=lazy(grouped, str)(_LONGEST),
)
# Where in the list somebody was, or how they like it: no filter, no order.
_LEFT_OUT = ("page", "per_page")
_EMPTY_MEANS = ("country", "city")  # without one
_NOT_YOURS = {
    "app": _("an app (not in your apps)"),
    "story": _("a story (not in your apps)"),
    "group": _("a group (not tracked in your apps)"),
    "person": _("a person (not in your apps)"),
}
_FILTERS = ("app", "story", "group")
_IN_NO_GROUP = ("group", NO_GROUP)  # a filter of any app, and no group that has a page
_UNAMBIGUOUS = "abcdefghjkmnpqrstuvwxyz23456789"


Subject = list[tuple[str, str]]  # what a path names, in the way of filters: an app and its story, say


class NotKept(ValueError):
    """This address cannot be kept; the message says why."""


class Kept(NamedTuple):
    """What a view keeps of an address."""

    page: str  # in words
    pairs: list[tuple[str, str]]
    words: Sequence[str] = ()  # of each pair
    about: str = ""  # the name of whom or what the page is about, of a page that is about one

    @property
    def query(self) -> str:
        return urlencode(self.pairs)


def page_of(path: str) -> str:
    """The page of a (decoded) path in words; empty for one that no view leads to."""
    if {".", ".."} & {*path.split("/")}:  # a browser would go elsewhere
        return ""
    try:
        return str(PAGES.get(resolve(path).url_name or "", ""))
    except Resolver404:
        return ""


def kept(path: str, query: str) -> Kept:
    """The filters and the order of an address. Raises `NotKept`."""
    page = page_of(path)
    if not page:
        raise NotKept(
            gettext("This page has no filters that a view could keep. Save the view on the page that it is of.")
        )
    try:
        pairs = parse_qsl(query.lstrip("?"), keep_blank_values=True, max_num_fields=_MOST_PAIRS)
    except ValueError:
        many = gettext("A view keeps at most %(most)s values of filters.")
        raise NotKept(many % {"most": _MOST_PAIRS}) from None
    if sum(name == "id" for name, _ in pairs) > MOST_IDS:
        many = gettext("A view lists at most %(most)s certificates one by one. Filter by what they have in common.")
        raise NotKept(many % {"most": MOST_IDS})
    found = Kept(page, [(name, value) for name, value in pairs if _is_kept(name, value)])
    if len(found.query) > _LONGEST:
        raise NotKept(TOO_LONG)
    return found


def _is_kept(name: str, value: str) -> bool:
    return not name.startswith("_") and name not in _LEFT_OUT and (bool(value) or name in _EMPTY_MEANS)


def told(views: Sequence[SavedView], apps: Sequence[App]) -> list[Kept]:
    """What each stored view keeps, also when its page is no more, as somebody is told who may see these apps."""
    each = [parse_qsl(view.query, keep_blank_values=True) for view in views]
    names = _names(apps, {pair for pairs in each for pair in pairs})
    pages = [page_of(view.path) for view in views]
    subjects = [_named_by(view.path) if page else [] for view, page in zip(views, pages, strict=True)]
    about = _subject_names(apps, subjects)
    return [
        Kept(page or gettext("A page that is no more"), pairs, [word(*pair, names) for pair in pairs], whose)
        for page, pairs, whose in zip(pages, each, about, strict=True)
    ]


def leads_somewhere(view: SavedView, apps: Sequence[App]) -> bool:
    """Whether a view's page is there for somebody who may see these apps: itself, and what it is about."""
    if not page_of(view.path):
        return False
    subject = _named_by(view.path)
    return not subject or tuple(subject) in _subjects_there(apps, [subject]) or _is_choice(apps, subject)


def _is_choice(apps: Sequence[App], subject: Subject) -> bool:
    """Whether the page of a story that has another name by now lets one choose among those of its ID."""
    (_, slug), (kind, key) = subject[0], subject[-1]
    stories = Story.objects.filter(app__in=[app for app in apps if app.slug == slug])
    return kind == "story" and bool(stories_of_same_id(stories, key))


def _subject_names(apps: Sequence[App], subjects: Sequence[Subject]) -> list[str]:
    """What each page is about is called, to somebody who may see these apps; empty for a page that is about nothing."""
    names = _subjects_there(apps, subjects)

    def called(subject: Subject) -> str:
        if not subject:
            return ""
        name = names.get(tuple(subject))
        return str(_NOT_YOURS[subject[-1][0]]) if name is None else name or gettext("(no name)")

    return [called(subject) for subject in subjects]


def _subjects_there(apps: Sequence[App], subjects: Sequence[Subject]) -> dict[tuple[tuple[str, str], ...], str]:
    """The names of those of these that somebody may see who may see these apps.

    A key is looked up in its own app alone: in another one it can name something else.
    """
    names = _names_by_app(Story.objects.all(), name_stories, apps, subjects, "story")
    names |= _names_by_app(Group.objects.filter(tracked=True), name_groups, apps, subjects, "group")
    people = {int(pk) for subject in subjects for kind, pk in subject if kind == "person" and is_row_id(pk)}
    learners = Learner.objects.filter(app__in=apps, pk__in=people).values_list("pk", "name") if people else ()
    return names | {(("person", f"{pk}"),): name for pk, name in learners}


def _names_by_app(
    rows: QuerySet[Any], named_by: Callable[..., Any], apps: Iterable[App], subjects: Iterable[Subject], kind: str
) -> dict[tuple[tuple[str, str], ...], str]:
    """The names of the stories or groups that pages are about; a key is looked up in its own app."""
    asked: dict[str, set[str]] = {}
    for subject in subjects:
        if subject and subject[-1][0] == kind:
            asked.setdefault(subject[0][1], set()).add(subject[-1][1])
    slugs = {app.pk: app.slug for app in apps if app.slug in asked}
    there: dict[str, list[Any]] = {slug: [] for slug in slugs.values()}
    for row in rows.filter(app__in=slugs) if slugs else ():
        there[slugs[row.app_id]].append(row)
    return {
        (("app", slug), (kind, key)): found[0].name
        for slug, some in there.items()
        for key, found in named_by(some, asked[slug]).items()
        if found
    }


def foreign_to(app: App, path: str, pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """What a page of ours with these filters names that the app has not: names and values, in their order."""
    asked = dict.fromkeys([*_named_by(path), *pairs])
    foreign = _nothing_of([app], asked) | ({_IN_NO_GROUP} & {*_named_by(path)})
    rows = {"person": app.learners.all(), "id": app.certificates.all(), "run": SyncRun.objects.filter(app=app)}
    for name, some in rows.items():
        values = {value for one, value in asked if one == name}
        ids = {int(value) for value in values if is_row_id(value)}
        known = set(some.filter(pk__in=ids).values_list("pk", flat=True))
        foreign |= {(name, value) for value in values if not is_row_id(value) or int(value) not in known}
    return [pair for pair in asked if pair in foreign]


def _named_by(path: str) -> Subject:
    """What the path itself names, in the way of filters."""
    page = resolve(path)
    if "key" in page.kwargs:
        return [("app", page.kwargs["app"]), (page.url_name or "", page.kwargs["key"])]
    return [("person", f"{pk}") for pk in page.kwargs.values()]


def _nothing_of(apps: Sequence[App], pairs: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of these filters by app, story or group that name none of these apps or of theirs."""
    asked = {pair for pair in pairs if pair[0] in _FILTERS} - {_IN_NO_GROUP}
    return asked - _named(apps, asked).keys()


def _names(apps: Sequence[App], pairs: Collection[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """What those of these filters by app, story or group are called, to somebody who may see these apps."""
    asked = {pair for pair in pairs if pair[0] in _FILTERS} - {_IN_NO_GROUP}
    found = _named(apps, asked)
    return {pair: found.get(pair) or str(_NOT_YOURS[pair[0]]) for pair in asked}


def _named(apps: Sequence[App], pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """The names of what these filters by app, story or group name of these apps."""
    asked: dict[str, set[str]] = {name: set() for name in _FILTERS}
    for name, value in pairs:
        asked.get(name, set()).add(value)
    names = {("app", app.slug): app.name for app in apps if app.slug in asked["app"]}
    if asked["story"]:
        stories = name_stories(Story.objects.filter(app__in=apps), asked["story"])
        names |= {("story", key): named[0].name or gettext("(no name)") for key, named in stories.items() if named}
    if asked["group"]:
        groups = name_groups(Group.objects.filter(app__in=apps, tracked=True), asked["group"])
        names |= {("group", key): named[0].name for key, named in groups.items() if named}
    return names


def address_of(view: SavedView) -> str:
    """Where a view leads, on this host."""
    path = escape_uri_path(view.path)
    return f"{path}?{view.query}" if view.query else path


def new_slug(name: str) -> str:
    """A slug for a view of this name. Its end is drawn by lot: no slug tells that somebody else has such a view."""
    return f"{slugify(name)[:60].strip('-') or 'view'}-{get_random_string(8, _UNAMBIGUOUS)}"
