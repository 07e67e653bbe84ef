"""Choices of a filter that excludes one another, and kinds of change, which are always the same."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy

from certdash.filters import CHANGES, PERIODS, CertificateFilter

from .counts import by_period, by_waiting, count_withdrawn

_ANY = _("any")
_WAITING = (7, 14, 30)  # days
_KINDS = {
    "new": pgettext_lazy("a change", "new"),
    "delivered": pgettext_lazy("a change", "delivered"),
    "withdrawn": pgettext_lazy("a change", "withdrawn"),
    "returned": pgettext_lazy("a change", "returned"),
    "link": pgettext_lazy("a change", "link changed"),
}


@dataclass(slots=True)
class Choice:
    value: str  # empty: any
    label: str
    checked: bool
    count: int | None = None  # None: not counted


def periods(filters: CertificateFilter, counted: bool = False) -> list[Choice]:
    """How far back certificates were awarded: `awarded`."""
    return _choices(filters.data.get("awarded", ""), PERIODS, by_period(filters) if counted else {})


def waiting(filters: CertificateFilter, counted: bool = False) -> list[Choice]:
    """For how many days at least they have been pending: `pending_days`, with the one of this address among them."""
    asked = filters.form.cleaned_data.get("pending_days")
    days = sorted({*_WAITING, *([] if asked is None else [int(asked)])})
    labels = {f"{each}": ngettext("%(days)s day", "%(days)s days", each) % {"days": each} for each in days}
    counts = by_waiting(filters, days) if counted else {}
    return _choices("" if asked is None else f"{int(asked)}", labels, counts)


def withdrawn(filters: CertificateFilter, counted: bool = False) -> list[Choice]:
    """What is done with withdrawn certificates: `withdrawn`. All together are not counted: no index holds them."""
    labels = {"only": _("Only these"), "all": _("Show all, also out of scope")}
    otherwise = _("Hide")
    if not filters.hides_by_itself:
        labels, otherwise = {"hide": otherwise} | labels, _("Show, as the address asks")
    counts = {"only": count_withdrawn(filters)} if counted else {}
    return _choices(filters.data.get("withdrawn", ""), labels, counts, otherwise)


def kinds(filters: CertificateFilter) -> list[Choice]:
    """What changed: `change`, of which an address may ask for several."""
    chosen = filters.data.getlist("change")
    return [Choice(kind, str(_KINDS[kind]), kind in chosen) for kind in CHANGES]


def _choices(
    chosen: str, labels: Mapping[str, str | Promise], counts: Mapping[str, int], otherwise: str | Promise = _ANY
) -> list[Choice]:
    offered = {"": otherwise, **labels}
    return [Choice(value, str(label), value == chosen, counts.get(value)) for value, label in offered.items()]
