"""What was written down, in words."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

import django_tables2 as tables
from django.utils.functional import Promise
from django.utils.text import get_text_list
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from certdash.links import apart
from certdash.models import AuditEntry, AuditKind
from certdash.rows import grouped

from .base import Moment, Table

_COMMAND = "command"
# Of the details: what they are called.
_NAMES: dict[str, str | Promise] = {
    "account": _("account"),
    "before": _("before"),
    "certificates": _("certificates"),
    "change": _("change"),
    "fields": _("fields"),
    "how": _("how"),
    "learners": _("learners"),
    "reason": _("reason"),
    "role": _("role"),
    "stored": _("stored"),
    "team": _("team"),
}


def who(entry: AuditEntry) -> str:
    """Whoever did it, as people call them."""
    if entry.person_name:
        return entry.person_name
    return gettext("a command") if entry.details.get("by") == _COMMAND else gettext("somebody without an account")


def in_words(entry: AuditEntry, shown: Callable[[str], str] = str) -> str:
    """The details of an entry in words. `shown`: how others' words, such as names of teams, stand among ours."""
    details = {name: shown(value) if isinstance(value, str) else value for name, value in entry.details.items()}
    return _WORDS.get(entry.kind, _plainly)(details)


def _plainly(details: dict[str, Any]) -> str:
    told = {_NAMES.get(name) or name.replace("_", " "): value for name, value in details.items() if name != "by"}
    return "; ".join(f"{name}: {_plain(value)}" for name, value in told.items())


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    return _listed(value) if isinstance(value, list) else str(value)


def _listed(values: Sequence[Any]) -> str:
    return get_text_list([str(value) for value in values], gettext("and"))


def _download(details: dict[str, Any]) -> str:
    filters, rows = details.get("filters"), details.get("rows", 0)
    what, file_format = details.get("what") or gettext("a file"), str(details.get("format", "")).upper()
    parts = [
        gettext("%(what)s as %(format)s") % {"what": what, "format": file_format},
        ngettext("%(many)s row", "%(many)s rows", rows) % {"many": grouped(rows)},
        gettext("filtered by %(filters)s") % {"filters": _listed(filters)} if filters else gettext("without a filter"),
        *([] if details.get("whole", True) else [gettext("broken off before its end")]),
    ]
    return ", ".join(parts)


def _connection(details: dict[str, Any]) -> str:
    fields = _listed(details.get("changed", []))
    told = gettext("Added, with %(fields)s") if details.get("added") else gettext("Changed: %(fields)s")
    return told % {"fields": fields}


def _accepted(details: dict[str, Any]) -> str:
    many = details.get("certificates", 0)
    told = ngettext("Run %(run)s, %(many)s certificate", "Run %(run)s, %(many)s certificates", many)
    return told % {"run": details.get("run"), "many": grouped(many)}


_WORDS: dict[str, Callable[[dict[str, Any]], str]] = {
    AuditKind.DOWNLOAD: _download,
    AuditKind.CREDENTIALS: _connection,
    AuditKind.ACCEPTED: _accepted,
}


class AuditTable(Table):
    at = tables.TemplateColumn(template_name="audit/moment.html", verbose_name=_("When"), order_by="pk")
    person = tables.TemplateColumn(
        template_name="audit/person.html",
        verbose_name=_("Who"),
        accessor="person_name",
        empty_values=(),
        order_by=("person_name", "-pk"),
    )
    kind = tables.Column(verbose_name=_("What"), accessor="get_kind_display", order_by=("kind", "-pk"))
    told = tables.TemplateColumn(template_name="audit/told.html", verbose_name=_("Details"), orderable=False)
    app = tables.Column(verbose_name=_("App"), accessor="app_name", order_by=("app_name", "-pk"), empty_values=())

    caption = _("Audit")
    nothing_text = _("Nothing was written down yet: downloads, log-ins and changes of access will be.")
    columns_of_file: ClassVar[dict[str, Callable[[Any], Any]]] = {
        "at": Moment(lambda entry: entry.at),
        "person": lambda entry: entry.person_name,
        "kind": lambda entry: entry.kind,
        "details": in_words,
        "app": lambda entry: entry.app.slug if entry.app else entry.app_name,
    }

    class Meta:
        order_by = "-at"

    def records(self, ids: Sequence[int]) -> Iterable[AuditEntry]:
        return AuditEntry.objects.filter(pk__in=ids).select_related("app").defer("app__token")

    def rows_of(self, ids: Sequence[int]) -> list[Any]:
        rows = super().rows_of(ids)
        for entry in rows:
            entry.who, entry.told = who(entry), in_words(entry, apart)
        return rows


class AppAuditTable(AuditTable):
    """The same for one app."""

    app = None
