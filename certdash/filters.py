"""What an address may ask for. Pages, downloads and the command filter through the same sets, so they agree.

A set is lenient and keeps a list: what it does not understand it leaves out and names in `ignored`. A page shows the
list; a download and a command refuse when it is not empty, since a typo must not hand out everybody's data.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property, partial
from typing import Any

from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils import timezone
from django_filters import CharFilter, ChoiceFilter, Filter, FilterSet, NumberFilter

from certdash.fields import DayField, MomentField, ValuesField, is_row_id
from certdash.keys import name_groups, name_stories
from certdash.models import App, Certificate, CertificateQuerySet, Grant, Group, Learner, State, Story, SyncRun
from certdash.models.text import fold

NO_GROUP = "~none"
# The kinds of change an address may ask for; `new` is first sight.
CHANGES = ("new", "delivered", "withdrawn", "returned", "link")
_OWN_NAMES = ("sort", "page", "per_page", "_export")  # of the page, not of its rows


class _Of(Filter):
    """A filter of the set's method, its values understood by one of our fields."""

    def __init__(self, field: type, method: str, **kwargs: Any) -> None:
        self.field_class = field
        super().__init__(method=method, **kwargs)


_Values = partial(_Of, ValuesField)
_Places = partial(_Of, ValuesField, "by_place", sensible=lambda _: True)  # empty means: without one


def is_state(state: str, sent: str, wanted: Sequence[str]) -> bool:
    """Whether a certificate's state is among those of an address: documented ones without case, others as sent."""
    return sent in wanted if sent else state in {word.lower() for word in wanted}


class ListFilter(FilterSet):
    """The base of all lists: leaves out what it does not understand, and names it in `ignored`."""

    app: Any = _Values("by_app")
    q: Any = CharFilter(method="by_words", max_length=200)

    def __init__(
        self, data: QueryDict, queryset: QuerySet[Any], apps: Sequence[App], fixed: Iterable[str] = ()
    ) -> None:
        """`apps` are those the viewer may see; `fixed` names filters that the page itself has already decided."""
        self.apps, self.ignored = list(apps), list[str]()
        super().__init__(data, queryset)
        for name in fixed:
            del self.filters[name]
        self.data = self._understood(data)

    def _understood(self, data: QueryDict) -> QueryDict:
        usable = data.copy()
        for name, values in data.lists():
            if name in _OWN_NAMES:
                continue
            repeats = name in self.filters and isinstance(self.filters[name].field, ValuesField)
            if name not in self.filters or (len(values) > 1 and not repeats):
                self._ignore(usable, name, values)
            else:
                self._ignore(usable, name, [value for value in values if "\0" in value])
        for name, errors in self.get_form_class()(usable).errors.as_data().items():
            for error in errors:
                bad: Any = (error.params or {}).get("bad") or usable.getlist(name)
                self._ignore(usable, name, bad)
        for name in self.filters.keys() & usable.keys():
            unknown: Any = getattr(self, f"unknown_{name}", lambda _: [])
            self._ignore(usable, name, unknown(usable.getlist(name)))
        return usable

    def _ignore(self, usable: QueryDict, name: str, bad: Sequence[str]) -> None:
        self.ignored += [f"{name}={value}" for value in bad]
        if kept := [value for value in usable.getlist(name) if value not in bad]:
            usable.setlist(name, kept)
        else:
            usable.pop(name, None)

    @property
    def active(self) -> list[tuple[str, str]]:
        """Name and value of every filter in use."""
        cleaned = self.form.cleaned_data if self.is_valid() else {}
        return [
            (name, value)
            for name in cleaned
            if cleaned[name] not in (None, "", [])
            for value in self.data.getlist(name)
        ]

    def without(self, *names: str) -> Any:
        """The rows that all the other filters leave: what the counts beside these filters' values count."""
        queryset = self.queryset.all()
        for other, value in (self.form.cleaned_data if self.is_valid() else {}).items():
            if other not in names:
                queryset = self.filters[other].filter(queryset, value)
        return queryset

    def unknown_app(self, slugs: list[str]) -> list[str]:
        return [slug for slug in slugs if slug not in {app.slug for app in self.apps}]

    def by_app(self, queryset: QuerySet[Any], _name: str, slugs: list[str]) -> QuerySet[Any]:
        return queryset.filter(app__in=[app.pk for app in self.apps if app.slug in slugs])

    def by_words(self, queryset: Any, _name: str, words: str) -> Any:
        """Every word must occur in the name, without case and accents. For lists short enough to be read for it."""
        wanted = fold(words).split()
        names = queryset.order_by().values_list("pk", "name")
        return queryset.filter(pk__in=[pk for pk, name in names if all(word in fold(name) for word in wanted)])


class StoryFilter(ListFilter):
    """Stories of the viewer's apps."""

    class Meta:
        model = Story
        fields: list[str] = []


class GroupFilter(ListFilter):
    """Tracked groups of the viewer's apps."""

    class Meta:
        model = Group
        fields: list[str] = []


class LearnerFilter(ListFilter):
    """Learners of the viewer's apps."""

    class Meta:
        model = Learner
        fields: list[str] = []

    def by_words(self, queryset: Any, _name: str, words: str) -> Any:
        """Every word must occur in the name or e-mail of one of the learner's rows, without case and accents."""
        for word in fold(words).split():
            queryset = queryset.filter(search__contains=word)
        return queryset


class AppFilter(ListFilter):
    """Apps by their name."""

    app = None  # an app is what the list is of

    class Meta:
        model = App
        fields: list[str] = []


class _WholeFilter(ListFilter):
    """A list that is always shown whole."""

    app = q = None


class RunFilter(_WholeFilter):
    class Meta:
        model = SyncRun
        fields: list[str] = []


class GrantFilter(_WholeFilter):
    class Meta:
        model = Grant
        fields: list[str] = []


class CertificateFilter(ListFilter):
    """The filters of every page that lists certificates; `docs/interface.md` says what each means."""

    story = _Values("by_story")
    group = _Values("by_group")
    state = _Values("by_state")
    type = _Values("by_type")
    country = _Places()
    city = _Places()
    awarded_from = _Of(DayField, "by_first_day")
    awarded_to = _Of(DayField, "by_last_day")
    pending_days = NumberFilter(method="by_waiting", min_value=0, max_value=36_500, decimal_places=0)
    withdrawn = ChoiceFilter(method="by_withdrawn", choices=[(word, word) for word in ("hide", "only", "all")])
    change = _Values("by_change", sensible=CHANGES.__contains__)
    changed_from = _Of(MomentField, "by_change_since")
    id = _Values("by_id", sensible=is_row_id, most=200)

    class Meta:
        model = Certificate
        fields: list[str] = []

    def filter_queryset(self, queryset: CertificateQuerySet) -> CertificateQuerySet:
        return self._hiding(super().filter_queryset(queryset))

    def without(self, *names: str) -> CertificateQuerySet:
        return self._hiding(super().without(*names))

    def _hiding(self, queryset: CertificateQuerySet) -> CertificateQuerySet:
        """Withdrawn certificates stay out unless somebody asks for them, or for what was withdrawn."""
        asked = self.form.cleaned_data.get("withdrawn") or "withdrawn" in self.form.cleaned_data.get("change", [])
        return queryset if asked else queryset.live()

    # -- Whose and what -----------------------------------------------------------------------------------------

    @cached_property
    def visible_stories(self) -> list[Story]:
        """The stories of the viewer's apps, withdrawn ones too; read once for keys, types and counts."""
        return list(Story.objects.filter(app__in=self.apps).order_by("sort_name", "pk"))

    @cached_property
    def visible_groups(self) -> list[Group]:
        """The tracked groups of the viewer's apps."""
        return list(Group.objects.filter(app__in=self.apps, tracked=True).order_by("name", "pk"))

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
        return [kind for kind in types if kind not in stored]

    def by_type(self, queryset: CertificateQuerySet, _name: str, types: list[str]) -> CertificateQuerySet:
        return queryset.filter(story__in=[story.pk for story in self.visible_stories if story.type in types])

    def by_place(self, queryset: CertificateQuerySet, name: str, values: list[str]) -> CertificateQuerySet:
        return queryset.in_place(name, values)

    def by_withdrawn(self, queryset: CertificateQuerySet, _name: str, which: str) -> CertificateQuerySet:
        if which == "all":
            return queryset
        return queryset.withdrawn() if which == "only" else queryset.live()

    # -- When ---------------------------------------------------------------------------------------------------

    def by_first_day(self, queryset: CertificateQuerySet, _name: str, day: date) -> CertificateQuerySet:
        return queryset.filter(timestamp__gte=_midnight(day))

    def by_last_day(self, queryset: CertificateQuerySet, _name: str, day: date) -> CertificateQuerySet:
        return queryset.filter(timestamp__lt=_midnight(day + timedelta(days=1)))

    def by_waiting(self, queryset: CertificateQuerySet, _name: str, days: Decimal) -> CertificateQuerySet:
        return queryset.pending_since(timezone.now() - timedelta(days=int(days)))

    def by_change(self, queryset: CertificateQuerySet, _name: str, kinds: list[str]) -> CertificateQuerySet:
        return queryset.changed(kinds, self.form.cleaned_data.get("changed_from"))

    def by_change_since(self, queryset: CertificateQuerySet, _name: str, moment: datetime) -> CertificateQuerySet:
        return queryset if self.form.cleaned_data.get("change") else queryset.changed(list(CHANGES), moment)


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))
