"""The filters and the order of an address in words: for chips, ways out of an empty list, saved views and files."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from certdash.facets import facets_in_use
from certdash.fields import MomentField
from certdash.filters import NO_GROUP, PERIODS, CertificateFilter, ListFilter
from certdash.links import apart
from certdash.models import App, AuditKind, Change, State, StoryType, SyncRun
from certdash.rows import day, zoned

Names = Mapping[tuple[str, str], str]  # what the database calls the values of an address

_WITHDRAWN = {
    "hide": _("without withdrawn"),
    "only": _("only withdrawn"),
    "all": _("withdrawn and out of scope too"),
}
_CHANGES = {
    "changed": _("change: any of the row"),
    "outside": _("change: out of scope"),
    "missing": _("missing in a held run"),
    "new": _("change: new"),
    "delivered": _("change: delivered"),
    "withdrawn": _("change: withdrawn"),
    "returned": _("change: returned"),
    "link": _("change: link"),
}
_DOCUMENTED = (State.PENDING, State.DELIVERED)
_WHOSE = {"mine": _("my own views"), "shared": _("views shared with me")}
_KINDS: dict[str, str | Promise] = {**dict(Change.Kind.choices), **dict(AuditKind.choices)}
# What the columns of the lists are ordered by, as it is said in a sentence.
_ORDERS = {
    "app": _("app"),
    "awarded": _("date of award"),
    "certificates": _("number of certificates"),
    "changed": _("last change"),
    "delivered": _("number of delivered"),
    "first_seen": _("first seen"),
    "groups": _("groups"),
    "median": _("median time to delivery"),
    "members": _("number of people"),
    "name": _("name"),
    "newest": _("newest certificate"),
    "observed": _("number of observed deliveries"),
    "pending": _("number of pending"),
    "person": _("person"),
    "place": _("place"),
    "share": _("share of delivered"),
    "slowest": _("slowest delivery"),
    "state": _("state"),
    "story": _("story"),
    "stuck": _("number of stuck"),
    "telephone": _("telephone"),
    "total": _("number of certificates"),
}


def _order(text: str) -> str:
    told = gettext("by %(column)s, from the end") if text.startswith("-") else gettext("by %(column)s")
    return told % {"column": _ORDERS[text.removeprefix("-")]}


def _day(text: str) -> str:
    return day(date.fromisoformat(text))


def _pending_days(text: str) -> str:
    told = ngettext("pending for %(days)s day or more", "pending for %(days)s days or more", int(Decimal(text)))
    return told % {"days": text}


def _pending_under(text: str) -> str:
    told = ngettext("pending for less than %(days)s day", "pending for less than %(days)s days", int(Decimal(text)))
    return told % {"days": text}


def _moment(text: str) -> str:
    moment = MomentField().clean(text)
    return zoned(moment) if moment else text


_WORDS: dict[str, Callable[[str], str]] = {
    "app": lambda value: gettext("app %(name)s") % {"name": value},
    "awarded": lambda value: gettext("awarded: %(period)s") % {"period": PERIODS[value]},
    "awarded_from": lambda value: gettext("from %(day)s") % {"day": _day(value)},
    "awarded_to": lambda value: gettext("until %(day)s") % {"day": _day(value)},
    "change": lambda value: str(_CHANGES[value]),
    "changed_from": lambda value: gettext("changed since %(moment)s") % {"moment": _moment(value)},
    "city": lambda value: apart(value) or gettext("without a city"),
    "country": lambda value: apart(value) or gettext("without a country"),
    "group": lambda value: gettext("in no tracked group") if value == NO_GROUP else _unnamed("group", value),
    "id": lambda value: gettext("certificate %(id)s") % {"id": value},
    "kind": lambda value: str(_KINDS[value]),
    "noted_from": lambda value: gettext("from %(day)s") % {"day": _day(value)},
    "noted_to": lambda value: gettext("until %(day)s") % {"day": _day(value)},
    "pending_days": _pending_days,
    "pending_under": _pending_under,
    "q": lambda value: f"“{apart(value)}”",
    "run": lambda value: gettext("sync run %(run)s") % {"run": value},
    "sort": _order,
    "state": lambda value: str(State(value.lower()).label) if value.lower() in _DOCUMENTED else apart(value),
    "status": lambda value: str(SyncRun.Status(value).label),
    "story": lambda value: _unnamed("story", value),
    "type": lambda value: str(StoryType(value.lower()).label) if value.lower() in StoryType else apart(value),
    "whose": lambda value: str(_WHOSE[value]),
    "withdrawn": lambda value: str(_WITHDRAWN[value]),
}


def _unnamed(name: str, value: str) -> str:
    """Of a story or group that there is not (any more)."""
    told = gettext("story %(key)s") if name == "story" else gettext("group %(key)s")
    return told % {"key": apart(value)}


def word(name: str, value: str, names: Names) -> str:
    """One filter. What means nothing (a kept address can be of another day) is told as it stands there."""
    try:
        return apart(names.get((name, value), "")) or _WORDS[name](value)
    except (KeyError, ValueError, ArithmeticError, ValidationError):
        return f"{apart(name)}: {apart(value)}"


def list_words(filters: ListFilter) -> list[str]:
    """Every filter in use of one of the smaller lists."""
    names = _apps(filters)
    return [word(name, value, names) for name, value in filters.active]


def certificate_words(filters: CertificateFilter, apps: Sequence[App]) -> list[str]:
    """Every filter in use of a list of certificates."""
    chosen = facets_in_use(filters, apps)
    names = _apps(filters) | {(facet.name, one.value): one.label for facet in chosen for one in facet.values}
    names |= {("run", text): _run(run) for text, run in filters.runs.items()}
    return [word(name, value, names) for name, value in filters.active]


def _apps(filters: ListFilter) -> dict[tuple[str, str], str]:
    return {("app", app.slug): app.name for app in filters.apps}


def _run(run: SyncRun) -> str:
    return gettext("sync run of %(moment)s") % {"moment": zoned(run.requested_at)}
