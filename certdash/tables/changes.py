"""Changes as rows: what happened to whom, field by field."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, NamedTuple

import django_tables2 as tables
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.dateformat import format as formatted
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from certdash.links import safe_link
from certdash.models import Badge, Change, State
from certdash.rows import person_url, story_url, utc

from .base import Moment, Table

Kind = Change.Kind
BADGES = {
    Kind.DELIVERED: Badge("delivered", "check", Kind.DELIVERED.label),
    Kind.STATE: Badge("other", "dot", Kind.STATE.label),
    Kind.LINK: Badge("neutral", "link", Kind.LINK.label),
    Kind.TIMESTAMP: Badge("neutral", "clock", Kind.TIMESTAMP.label),
    Kind.DETAILS: Badge("neutral", "person", Kind.DETAILS.label),
    Kind.WITHDRAWN: Badge("withdrawn", "struck", Kind.WITHDRAWN.label),
    Kind.OUTSIDE: Badge("withdrawn", "struck", Kind.OUTSIDE.label),
    Kind.RETURNED: Badge("neutral", "sync", Kind.RETURNED.label),
    Kind.RENAMED: Badge("neutral", "story", Kind.RENAMED.label),
}
_WHAT: dict[Kind, str | Promise] = {
    Kind.WITHDRAWN: _("No longer in the vendor’s answer."),
    Kind.OUTSIDE: _("Not asked for any more."),
    Kind.RETURNED: _("In the vendor’s answer again."),
}
_FIELDS: dict[str, str | Promise] = {
    "firstname": _("First name"),
    "lastname": _("Last name"),
    "email": _("E-mail"),
    "telephone": _("Telephone"),
    "country": _("Country"),
    "city": _("City"),
    "state": _("State"),
    "timestamp": _("Timestamp"),
    "url": _("Link"),
    "name": _("Name"),
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
        return str(_WHAT.get(Kind(self.change.kind), ""))

    @property
    def person_name(self) -> str:
        """Empty of a story that was renamed."""
        return self.change.certificate.person_name or gettext("(no name)") if self.change.certificate else ""

    @property
    def learner_url(self) -> str:
        return person_url(self.change.certificate.learner_id) if self.change.certificate else ""

    @property
    def story_name(self) -> str:
        return self.change.story.name or gettext("(no name)")

    @property
    def story_url(self) -> str:
        return story_url(self.change.app, self.change.story)

    @property
    def before(self) -> dict[str, str]:
        """The fields that changed, as they were."""
        return self._told(self.change.before)

    @property
    def after(self) -> dict[str, str]:
        return self._told(self.change.after)

    def _told(self, values: dict[str, str]) -> dict[str, str]:
        """Without the telephone as soon as the app stores none, also while the worker has not removed it yet."""
        if self.change.app.stores_telephones:
            return values
        return {name: value for name, value in values.items() if name != "telephone"}

    @property
    def fields(self) -> list[Field]:
        """The fields that changed, in words, moments in the viewer's time zone."""
        before, after = self.before, self.after
        return [
            Field(
                str(_FIELDS.get(name, name.capitalize())),
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
        return str(State(value).label) if value in (State.PENDING, State.DELIVERED) else value
    if name == "timestamp" and value:
        return formatted(timezone.localtime(datetime.fromisoformat(value)), gettext("j M Y, H:i:s T"))
    return value


def _in_file(values: dict[str, str]) -> Fields:
    return Fields((name, utc(datetime.fromisoformat(it)) if name == "timestamp" else it) for name, it in values.items())


class ChangeTable(Table):
    seen = tables.Column(verbose_name=_("Seen"), order_by="pk")
    kind = tables.Column(verbose_name=_("Kind"), order_by=("kind", "-pk"))
    person = tables.Column(verbose_name=_("Person"))
    story = tables.Column(verbose_name=_("Story"), order_by=("story__sort_name", "-pk"))
    what = tables.Column(verbose_name=_("What"), orderable=False)

    caption = _("Changes")
    row_template = "apps/change_row.html"
    slowly_ordered = ("person", "story")
    empty_text = _("No change of this run is of this kind.")
    nothing_text = _("This run saw no change of what was known before.")
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
        "before": lambda row: _in_file(row.before),
        "after": lambda row: _in_file(row.after),
    }

    class Meta:
        order_by = "-seen"
        attrs = {"class": "changes"}

    def order_person(self, changes: QuerySet[Change], downwards: bool) -> tuple[QuerySet[Change], bool]:
        """What is of nobody, a renamed story, comes last."""
        name = F("certificate__sort_name")
        ordered = name.desc(nulls_last=True) if downwards else name.asc(nulls_last=True)
        return changes.order_by(ordered, "pk" if downwards else "-pk"), True

    def records(self, ids: Sequence[int]) -> Iterable[Change]:
        related = Change.objects.filter(pk__in=ids).select_related("app", "story", "certificate")
        return related.defer("app__token")

    def rows_of(self, ids: Sequence[int]) -> list[ChangeRow]:
        return [ChangeRow(change) for change in super().rows_of(ids)]
