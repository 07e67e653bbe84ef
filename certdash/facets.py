"""The values a filter offers, with the number of rows each would leave under the other active filters."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db.models import Count

from certdash.filters import NO_GROUP, CertificateFilter
from certdash.models import App, Group, Membership, State, Story, StoryType
from certdash.models.certificate import BADGES

SHOWN, MOST = 8, 50
_LABELS = {
    "app": "App", "state": "State", "story": "Story", "group": "Group",
    "type": "Type", "country": "Country", "city": "City",
}  # fmt: skip


@dataclass(slots=True)
class FacetValue:
    value: str
    label: str
    count: int
    checked: bool
    tone: str = ""


@dataclass
class Facet:
    """A filter's values, those in use first, then the most frequent."""

    name: str
    values: list[FacetValue]
    more: list[FacetValue]
    total: int
    left_out: int  # values beyond those listed

    @property
    def label(self) -> str:
        return _LABELS[self.name]


def facets(filters: CertificateFilter, apps: Sequence[App]) -> list[Facet]:
    """The facets of a page that lists certificates, in the order of the rail; a query each, two for some."""
    by_name: dict[str, Callable[[CertificateFilter, Sequence[App]], Iterable[FacetValue]]] = {
        "state": _states, "app": _apps, "story": _stories, "group": _groups, "type": _types,
        "country": partial(_places, "country"), "city": partial(_places, "city"),
    }  # fmt: skip
    if len(apps) < 2:
        del by_name["app"]
    return [_facet(name, offered(filters, apps)) for name, offered in by_name.items() if name in filters.filters]


def _facet(name: str, offered: Iterable[FacetValue]) -> Facet:
    values = sorted(offered, key=lambda one: (not one.checked, -one.count, one.label))
    shown = max(SHOWN, sum(one.checked for one in values))
    return Facet(name, values[:shown], values[shown:MOST], min(len(values), MOST), max(0, len(values) - MOST))


def _counts(filters: CertificateFilter, name: str, *fields: str) -> list[tuple[Any, ...]]:
    rows = filters.without(name).order_by().values_list(*fields)
    return list(rows.annotate(rows=Count("pk")).values_list(*fields, "rows"))


def _states(filters: CertificateFilter, _apps: Sequence[App]) -> list[FacetValue]:
    chosen = {value.lower() for value in filters.data.getlist("state")}
    found = {(state, sent): count for state, sent, count in _counts(filters, "state", "state", "state_sent")}
    for state in (State.PENDING, State.DELIVERED):
        found.setdefault((state, ""), 0)
    return [
        FacetValue(
            sent or state, sent or State(state).label, count, (sent or state).lower() in chosen,
            BADGES[State(state)].tone if not sent else "other",
        )
        for (state, sent), count in found.items()
    ]  # fmt: skip


def _apps(filters: CertificateFilter, apps: Sequence[App]) -> list[FacetValue]:
    chosen = set(filters.data.getlist("app"))
    counts = dict(_counts(filters, "app", "app"))
    return [FacetValue(app.slug, app.name, counts.get(app.pk, 0), app.slug in chosen) for app in apps]


def _stories(filters: CertificateFilter, apps: Sequence[App]) -> list[FacetValue]:
    chosen = {story.pk for stories in filters.stories.values() for story in stories}
    counts = dict(_counts(filters, "story", "story"))
    stories = list(Story.objects.filter(pk__in=counts.keys() | chosen).only("vendor_id", "slug", "name", "app_id"))
    labels = _labels(stories, apps)
    return [FacetValue(story.key, labels[story.pk], counts.get(story.pk, 0), story.pk in chosen) for story in stories]


def _groups(filters: CertificateFilter, apps: Sequence[App]) -> list[FacetValue]:
    chosen = {group.pk for groups in filters.groups.values() for group in groups}
    groups = list(Group.objects.filter(app__in=apps, tracked=True))
    if not groups:
        return []
    rows = filters.without("group").order_by()
    members = Membership.objects.filter(until=None, group__in=groups, learner__certificates__in=rows)
    counts = dict(members.values_list("group").annotate(rows=Count("pk")).values_list("group", "rows"))
    labels = _labels(groups, apps)
    offered = [FacetValue(group.key, labels[group.pk], counts.get(group.pk, 0), group.pk in chosen) for group in groups]
    in_none = rows.in_no_group_or([]).count()
    return [*offered, FacetValue(NO_GROUP, "in no tracked group", in_none, NO_GROUP in filters.data.getlist("group"))]


def _labels(named: Sequence[Story] | Sequence[Group], apps: Sequence[App]) -> dict[int, str]:
    """Names, with the app's name where several apps have the same one."""
    times = Counter(one.name for one in named)
    app_names = {app.pk: app.name for app in apps}
    return {one.pk: one.name if times[one.name] == 1 else f"{one.name} ({app_names[one.app_id]})" for one in named}


def _types(filters: CertificateFilter, _apps: Sequence[App]) -> list[FacetValue]:
    chosen = set(filters.data.getlist("type"))
    counts = dict(_counts(filters, "type", "story__type"))
    labels = dict(StoryType.choices)
    return [
        FacetValue(kind, labels.get(kind, kind), counts.get(kind, 0), kind in chosen)
        for kind in {*counts, *chosen}
        if kind
    ]


def _places(name: str, filters: CertificateFilter, _apps: Sequence[App]) -> list[FacetValue]:
    """Countries or cities; an empty one means without."""
    chosen = set(filters.data.getlist(name))
    counts = dict(_counts(filters, name, name))
    return [
        FacetValue(place, place or f"without a {name}", counts.get(place, 0), place in chosen)
        for place in {*counts, *chosen}
    ]
