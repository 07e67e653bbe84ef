"""What was written down, in words."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

import django_tables2 as tables
from django.utils.text import get_text_list

from certdash.models import AuditEntry, AuditKind

from .base import Moment, Table

_COMMAND = "command"


def who(entry: AuditEntry) -> str:
    """Whoever did it, as people call them."""
    if entry.person_name:
        return entry.person_name
    return "a command" if entry.details.get("by") == _COMMAND else "somebody without an account"


def in_words(entry: AuditEntry) -> str:
    """The details of an entry in words."""
    return _WORDS.get(entry.kind, _plainly)(entry.details)


def _plainly(details: dict[str, Any]) -> str:
    return "; ".join(f"{name.replace('_', ' ')}: {_plain(value)}" for name, value in details.items() if name != "by")


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _listed(value) if isinstance(value, list) else str(value)


def _listed(values: Sequence[Any]) -> str:
    return get_text_list([str(value) for value in values], "and")


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _download(details: dict[str, Any]) -> str:
    filters = details.get("filters")
    parts = [
        f"{details.get('what', 'a file')} as {str(details.get('format', '')).upper()}",
        _many(details.get("rows", 0), "row"),
        f"filtered by {_listed(filters)}" if filters else "without a filter",
        *([] if details.get("whole", True) else ["broken off before its end"]),
    ]
    return ", ".join(parts)


def _connection(details: dict[str, Any]) -> str:
    fields = _listed(details.get("changed", []))
    return f"Added, with {fields}" if details.get("added") else f"Changed: {fields}"


def _accepted(details: dict[str, Any]) -> str:
    return f"Run {details.get('run')}, {_many(details.get('certificates', 0), 'certificate')}"


_WORDS: dict[str, Callable[[dict[str, Any]], str]] = {
    AuditKind.DOWNLOAD: _download,
    AuditKind.CREDENTIALS: _connection,
    AuditKind.ACCEPTED: _accepted,
}


class AuditTable(Table):
    at = tables.TemplateColumn(template_name="audit/moment.html", verbose_name="When", order_by="pk")
    person = tables.TemplateColumn(
        template_name="audit/person.html",
        verbose_name="Who",
        accessor="person_name",
        empty_values=(),
        order_by=("person_name", "-pk"),
    )
    kind = tables.Column(verbose_name="What", accessor="get_kind_display", order_by=("kind", "-pk"))
    told = tables.TemplateColumn(template_name="audit/told.html", verbose_name="Details", orderable=False)
    app = tables.Column(verbose_name="App", accessor="app_name", order_by=("app_name", "-pk"), empty_values=())

    caption = "Audit"
    nothing_text = "Nothing was written down yet: downloads, log-ins and changes of access will be."
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
            entry.who, entry.told = who(entry), in_words(entry)
        return rows


class AppAuditTable(AuditTable):
    """The same for one app."""

    app = None
