"""Changes as rows: what happened to whom, field by field."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, NamedTuple

import django_tables2 as tables
from django.urls import reverse
from django.utils import timezone

from certdash.links import safe_link
from certdash.models import Badge, Change, State
from certdash.rows import story_url, utc

from .base import Moment, Table

Kind = Change.Kind
BADGES = {
    Kind.DELIVERED: Badge("delivered", "check", "Delivered"),
    Kind.STATE: Badge("other", "dot", "State changed"),
    Kind.LINK: Badge("neutral", "link", "Link changed"),
    Kind.TIMESTAMP: Badge("neutral", "clock", "Timestamp changed"),
    Kind.DETAILS: Badge("neutral", "person", "Details changed"),
    Kind.WITHDRAWN: Badge("withdrawn", "struck", "Withdrawn"),
    Kind.OUTSIDE: Badge("withdrawn", "struck", "Out of scope"),
    Kind.RETURNED: Badge("neutral", "sync", "Returned"),
    Kind.RENAMED: Badge("neutral", "story", "Story renamed"),
}
_WHAT = {
    Kind.WITHDRAWN: "No longer in the vendor’s answer.",
    Kind.OUTSIDE: "Not asked for any more.",
    Kind.RETURNED: "In the vendor’s answer again.",
}
_FIELDS = {
    "firstname": "First name",
    "lastname": "Last name",
    "email": "E-mail",
    "url": "Link",
}


class Field(NamedTuple):
    """One field of a change; `link` and `old_link` are the new and the old value where they may be followed."""

    label: str
    before: str
    after: str
    link: str = ""
    old_link: str = ""


class Fields(dict[str, str]):
    """Values by field: an object in JSON lines, and in a spreadsheet's cell each with its name."""

    def __str__(self) -> str:
        return "; ".join(f"{name}: {value}" for name, value in self.items())


@dataclass(slots=True)
class ChangeRow:
    """A change as pages and files show it."""

    change: Change

    @property
    def badge(self) -> Badge:
        return BADGES[Kind(self.change.kind)]

    @property
    def what(self) -> str:
        """What happened, of a change without fields."""
        return _WHAT.get(Kind(self.change.kind), "")

    @property
    def person_name(self) -> str:
        """Empty of a story that was renamed."""
        return self.change.certificate.person_name or "(no name)" if self.change.certificate else ""

    @property
    def learner_url(self) -> str:
        return reverse("person", args=[self.change.certificate.learner_id]) if self.change.certificate else ""

    @property
    def story_name(self) -> str:
        return self.change.story.name or "(no name)"

    @property
    def story_url(self) -> str:
        return story_url(self.change.app, self.change.story)

    @property
    def fields(self) -> list[Field]:
        """The fields that changed, in words, moments in the viewer's time zone."""
        before, after = self.change.before, self.change.after
        return [
            Field(
                _FIELDS.get(name, name.capitalize()),
                _shown(name, before.get(name, "")),
                _shown(name, after.get(name, "")),
                *(safe_link(some.get(name, "")) if name == "url" else "" for some in (after, before)),
            )
            for name in dict.fromkeys([*before, *after])
        ]

    def of_person(self, name: str) -> str:
        return getattr(self.change.certificate, name) if self.change.certificate else ""


def _shown(name: str, value: str) -> str:
    if name == "state":
        return State(value).label if value in (State.PENDING, State.DELIVERED) else value
    if name == "timestamp" and value:
        return f"{timezone.localtime(datetime.fromisoformat(value)):%-d %b %Y, %H:%M:%S}"
    return value


def _in_file(values: dict[str, str]) -> Fields:
    return Fields((name, utc(datetime.fromisoformat(it)) if name == "timestamp" else it) for name, it in values.items())


class ChangeTable(Table):
    seen = tables.Column(order_by="pk")
    kind = tables.Column(order_by=("kind", "-pk"))
    person = tables.Column(orderable=False)
    story = tables.Column(orderable=False)
    what = tables.Column(orderable=False)

    caption = "Changes"
    row_template = "apps/change_row.html"
    empty_text = "No change of this run is of this kind."
    nothing_text = "This run saw no change of what was known before."
    columns_of_file: ClassVar[dict[str, Callable[[ChangeRow], Any]]] = {
        "app": lambda row: row.change.app.slug,
        "run": lambda row: row.change.run_id,
        "seen": Moment(lambda row: row.change.seen_at),
        "kind": lambda row: row.change.kind,
        "story_id": lambda row: row.change.story.vendor_id,
        "story": lambda row: row.change.story.name,
        "certificate": lambda row: row.change.certificate_id or "",
        "firstname": lambda row: row.of_person("firstname"),
        "lastname": lambda row: row.of_person("lastname"),
        "email": lambda row: row.of_person("email"),
        "before": lambda row: _in_file(row.change.before),
        "after": lambda row: _in_file(row.change.after),
    }

    class Meta:
        order_by = "-seen"
        attrs = {"class": "changes"}

    def records(self, ids: Sequence[int]) -> Iterable[Change]:
        related = Change.objects.filter(pk__in=ids).select_related("app", "story", "certificate")
        return related.defer("app__token")

    def rows_of(self, ids: Sequence[int]) -> list[ChangeRow]:
        return [ChangeRow(change) for change in super().rows_of(ids)]
