"""The filters of every page that lists certificates."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property, partial
from typing import Any

from django.db.models import Count, Q, Value
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django_filters import ChoiceFilter, NumberFilter

from certdash.fields import DayField, MomentField, ValuesField, is_row_id, midnight, minute, period_start
from certdash.keys import name_groups, name_stories
from certdash.models import (
    Certificate,
    CertificateQuerySet,
    Change,
    Group,
    Learner,
    State,
    Story,
    StoryType,
    SyncRun,
)
from certdash.models.text import fold
from certdash.remembered import remembered_rows

from .base import OWN_NAMES, ListFilter, Of, Values

NO_GROUP = "~none"
# In front of a filter's name: what to look for among its values. It asks the rail, and is no filter.
FIND = "_find_"
_FOUND = ("state", "app", "story", "group", "type", "country", "city")
Kind = Change.Kind
# The kinds of change an address may ask for; `new` is first sight.
CHANGES = ("new", "delivered", "withdrawn", "returned", "link")
# Until today, in the viewer's time zone: unlike dates they mean the same tomorrow, so views are saved with them.
PERIODS: dict[str, str | Promise] = {
    "7d": _("last 7 days"),
    "30d": _("last 30 days"),
    "90d": _("last 90 days"),
    "quarter": _("this quarter"),
    "year": _("this year"),
}
_MISSING = "missing"  # no change: what held runs list, so it is asked for with them
_WORDS = (*CHANGES, "changed", "outside", _MISSING)
_ROW = (Kind.DELIVERED, Kind.STATE, Kind.LINK, Kind.TIMESTAMP, Kind.DETAILS)  # together: `changed`
_OF_CHANGES = ("change", "run", "changed_from")
_Places = partial(Of, ValuesField, "by_place", sensible=lambda _any: True)  # empty means: without one


def is_state(state: str, sent: str, wanted: Sequence[str]) -> bool:
    """Whether a certificate's state is among those of an address: documented ones without case, others as sent."""
    return sent in wanted if sent else state in {word.lower() for word in wanted}


def _type(asked: str) -> str:
    """A documented type without case, others as sent: as they are stored."""
    return asked.lower() if asked.lower() in StoryType else asked


class CertificateFilter(ListFilter):
    """The filters of every page that lists certificates; `docs/interface.md` says what each means."""

    own_names = (*OWN_NAMES, *(f"{FIND}{name}" for name in _FOUND))

    story = Values("by_story")
    group = Values("by_group")
    state = Values("by_state")
    type = Values("by_type")
    country = _Places()
    city = _Places()
    awarded = ChoiceFilter(method="by_period", choices=[*PERIODS.items()])
    awarded_from = Of(DayField, "by_first_day")
    awarded_to = Of(DayField, "by_last_day")
    pending_days = NumberFilter(method="by_waiting", min_value=0, max_value=36_500, decimal_places=0)
    pending_under = NumberFilter(method="by_waiting_less", min_value=1, max_value=36_500, decimal_places=0)
    withdrawn = ChoiceFilter(method="by_withdrawn", choices=[(word, word) for word in ("hide", "only", "all")])
    change = Values("by_changes", sensible=_WORDS.__contains__)
    changed_from = Of(MomentField, "by_changes")
    run = Values("by_changes", sensible=is_row_id)
    id = Values("by_id", sensible=is_row_id, most=200)

    class Meta:
        model = Certificate
        fields: list[str] = []

    def filter_queryset(self, queryset: CertificateQuerySet) -> CertificateQuerySet:
        return self._hiding(super().filter_queryset(queryset))

    def without(self, *names: str) -> CertificateQuerySet:
        return self._hiding(super().without(*names))

    def without_hiding(self, *names: str) -> CertificateQuerySet:
        """The same with withdrawn ones, too, unless another name asks otherwise."""
        rows: CertificateQuerySet = super().without(*names)
        return rows

    def _hiding(self, queryset: CertificateQuerySet) -> CertificateQuerySet:
        return queryset.live() if self.hides_withdrawn else queryset

    @property
    def hides_withdrawn(self) -> bool:
        """Whether the address leaves it to us what to do with withdrawn ones, and we keep them out."""
        return not self.form.cleaned_data.get("withdrawn") and self.hides_by_itself

    @property
    def hides_by_itself(self) -> bool:
        """Withdrawn certificates stay out unless they are asked for, also by a run or by changes that include them."""
        asked = self.form.cleaned_data
        kinds = asked.get("change") or (CHANGES if asked.get("changed_from") else ())
        return not (asked.get("run") or {Kind.WITHDRAWN, Kind.OUTSIDE} & {*kinds})

    def rows_but_for(self, names: Sequence[str]) -> dict[str, int]:
        if not names:
            return {}
        counts = [
            self.but_for(name).qs.order_by().annotate(place=Value(place)).values("place").annotate(rows=Count("pk"))
            for place, name in enumerate(names)
        ]
        first, *others = (count.values_list("place", "rows") for count in counts)
        found = dict(remembered_rows(self.apps, first.union(*others, all=True)))
        return {name: found.get(place, 0) for place, name in enumerate(names)}

    # -- Whose and what -----------------------------------------------------------------------------------------

    @cached_property
    def visible_stories(self) -> list[Story]:
        """The stories of the viewer's apps, withdrawn ones too; read once for keys, types and counts."""
        return list(Story.objects.filter(app__in=self.apps).order_by("sort_name", "pk"))

    @cached_property
    def odd_states(self) -> list[str]:
        """The undocumented states among the rows of the page, whatever is filtered."""
        held = self.queryset.all().live().filter(state=State.OTHER).order_by()
        return sorted(remembered_rows(self.apps, held.values_list("state_sent", flat=True).distinct()))

    @cached_property
    def types(self) -> list[str]:
        """The types of this address, documented ones in lower case: as they are stored."""
        return [_type(kind) for kind in self.data.getlist("type")]

    @cached_property
    def visible_groups(self) -> list[Group]:
        """The tracked groups of the viewer's apps."""
        return list(Group.objects.filter(app__in=self.apps, tracked=True).order_by("slug", "pk"))

    @cached_property
    def stories(self) -> dict[str, list[Story]]:
        """The stories that the keys of this address name."""
        return name_stories(self.visible_stories, self.data.getlist("story"))

    @cached_property
    def groups(self) -> dict[str, list[Group]]:
        """The tracked groups that the keys of this address name."""
        return name_groups(self.visible_groups, self.data.getlist("group"))

    def unknown_story(self, keys: list[str]) -> list[str]:
        return [key for key in keys if not self.stories[key]]

    def by_story(self, queryset: CertificateQuerySet, _name: str, keys: list[str]) -> CertificateQuerySet:
        return queryset.filter(story__in=[story.pk for key in keys for story in self.stories[key]])

    def unknown_group(self, keys: list[str]) -> list[str]:
        return [key for key in keys if key != NO_GROUP and not self.groups[key]]

    def by_group(self, queryset: CertificateQuerySet, _name: str, keys: list[str]) -> CertificateQuerySet:
        groups = [group.pk for key in keys if key != NO_GROUP for group in self.groups[key]]
        if NO_GROUP not in keys:
            return queryset.in_group(groups)
        return queryset.in_no_group_or(groups)

    def by_words(self, queryset: Any, _name: str, words: str) -> Any:
        """Every word must occur in the name or e-mail of one of the learner's rows, without case and accents."""
        learners = Learner.objects.filter(app__in=self.apps)
        for word in fold(words).split():
            learners = learners.filter(search__contains=word)
        return queryset.filter(learner__in=learners)

    def by_id(self, queryset: CertificateQuerySet, _name: str, ids: list[str]) -> CertificateQuerySet:
        return queryset.filter(pk__in=[int(one) for one in ids])

    # -- How it stands ------------------------------------------------------------------------------------------

    def unknown_state(self, states: list[str]) -> list[str]:
        """A state that is neither documented nor stored is a typo."""
        odd = [state for state in states if state.lower() not in (State.PENDING, State.DELIVERED)]
        visible = Certificate.objects.of(self.apps)
        stored = visible.filter(state=State.OTHER, state_sent__in=odd) if odd else visible.none()
        return [state for state in odd if state not in set(stored.values_list("state_sent", flat=True))]

    def by_state(self, queryset: CertificateQuerySet, _name: str, states: list[str]) -> CertificateQuerySet:
        known = [state.lower() for state in states if state.lower() in (State.PENDING, State.DELIVERED)]
        if len(known) == len(states):  # no OR, which an index could not serve
            return queryset.filter(state__in=known)
        return queryset.filter(Q(state__in=known) | Q(state=State.OTHER, state_sent__in=states))

    def unknown_type(self, types: list[str]) -> list[str]:
        stored = {story.type for story in self.visible_stories}
        return [kind for kind in types if _type(kind) not in stored]

    def by_type(self, queryset: CertificateQuerySet, _name: str, _types: list[str]) -> CertificateQuerySet:
        return queryset.filter(story__in=[story.pk for story in self.visible_stories if story.type in self.types])

    def by_place(self, queryset: CertificateQuerySet, name: str, values: list[str]) -> CertificateQuerySet:
        return queryset.in_place(name, values)

    def by_withdrawn(self, queryset: CertificateQuerySet, _name: str, which: str) -> CertificateQuerySet:
        if which == "all":
            return queryset
        return queryset.withdrawn() if which == "only" else queryset.live()

    # -- When ---------------------------------------------------------------------------------------------------

    def by_period(self, queryset: CertificateQuerySet, _name: str, word: str) -> CertificateQuerySet:
        return queryset.filter(timestamp__gte=midnight(period_start(word, timezone.localdate())))

    def by_first_day(self, queryset: CertificateQuerySet, _name: str, day: date) -> CertificateQuerySet:
        return queryset.filter(timestamp__gte=midnight(day))

    def by_last_day(self, queryset: CertificateQuerySet, _name: str, day: date) -> CertificateQuerySet:
        return queryset.filter(timestamp__lt=midnight(day + timedelta(days=1)))

    def by_waiting(self, queryset: CertificateQuerySet, _name: str, days: Decimal) -> CertificateQuerySet:
        return queryset.pending_since(minute(timezone.now()) - timedelta(days=int(days)))

    def by_waiting_less(self, queryset: CertificateQuerySet, _name: str, days: Decimal) -> CertificateQuerySet:
        return queryset.pending().filter(timestamp__gt=minute(timezone.now()) - timedelta(days=int(days)))

    @cached_property
    def runs(self) -> dict[str, SyncRun]:
        """The runs of the viewer's apps that this address names, each by its text there."""
        ids = {text: int(text) for text in self.data.getlist("run") if is_row_id(text)}
        found = SyncRun.objects.filter(app__in=self.apps).in_bulk(list(ids.values()))
        return {text: found[pk] for text, pk in ids.items() if pk in found}

    def unknown_run(self, texts: list[str]) -> list[str]:
        return [text for text in texts if text not in self.runs]

    def unknown_change(self, kinds: list[str]) -> list[str]:
        return [kind for kind in kinds if kind == _MISSING and not self.runs]

    def by_changes(self, queryset: CertificateQuerySet, name: str, _value: Any) -> CertificateQuerySet:
        """Kinds, runs and moment are of one and the same change, so the first of them asks for all."""
        asked = self.form.cleaned_data
        if name != next(one for one in _OF_CHANGES if asked.get(one)):
            return queryset
        kinds = asked.get("change") or (("new", *Kind.values) if asked.get("run") else CHANGES)
        if "changed" in kinds:
            kinds = [*kinds, *_ROW]
        return queryset.changed(kinds, asked.get("changed_from"), [self.runs[text].pk for text in asked["run"]])
