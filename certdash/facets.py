"""The values a filter offers, with the number of rows each would leave under the other active filters."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Count
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from certdash.filters import NO_GROUP, PERIODS, CertificateFilter, is_state
from certdash.keys import keys_of
from certdash.models import App, Group, State, Story, StoryType
from certdash.models.certificate import BADGES
from certdash.remembered import remembered_count, remembered_rows

SHOWN, MOST = 8, 50
_LABELS = {
    "app": _("App"),
    "state": _("State"),
    "story": _("Story"),
    "group": _("Group"),
    "type": _("Type"),
    "country": _("Country"),
    "city": _("City"),
}
_WITHOUT = {"country": _("without a country"), "city": _("without a city")}


@dataclass(slots=True)
class FacetValue:
    value: str
    label: str
    count: int | None  # None: not counted yet
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
        return str(_LABELS[self.name])


def facets(filters: CertificateFilter, apps: Sequence[App], but: Collection[str] = ()) -> list[Facet]:
    """The facets of a page that lists certificates, but for some, in the order of the rail.

    In as many queries whatever is filtered: most facets are sums over one table of counts.
    """
    return [facet for facet in _facets(filters, apps, _Counts(filters), but) if facet.values]


def facets_in_use(filters: CertificateFilter, apps: Sequence[App]) -> list[Facet]:
    """The same with nothing but the values that an address filters by, uncounted: what needs no look at the rows."""
    every = _facets(filters, apps, _Uncounted(), [name for name in _LABELS if name not in filters.data])
    for facet in every:
        facet.values = [replace(one, count=None) for one in facet.values if one.checked]
        facet.more, facet.left_out = [], 0
    return [facet for facet in every if facet.values]


def _facets(
    filters: CertificateFilter, apps: Sequence[App], counts: "_Counts | _Uncounted", but: Collection[str] = ()
) -> list[Facet]:
    offered: dict[str, Callable[[], list[FacetValue]]] = {
        "state": lambda: _states(filters, counts),
        "app": lambda: _apps(filters, counts) if len(apps) > 1 else [],
        "story": lambda: _stories(filters, counts),
        "group": lambda: _groups(filters, counts),
        "type": lambda: _types(filters, counts),
        "country": lambda: _places(filters, "country", counts.by("country")),
        "city": lambda: _places(filters, "city", counts.by_city()),
    }
    return [_facet(name, values()) for name, values in offered.items() if name in filters.filters and name not in but]


class _Counts:
    """Rows by app, state, story, type and country, under all filters but these five.

    A facet's values count what the others leave; the five are so few together that they are narrowed here.
    """

    _NAMES = ("app", "state", "story", "type", "country")

    def __init__(self, filters: CertificateFilter) -> None:
        self._filters, data = filters, filters.data
        fields = ("app", "state", "state_sent", "story", "country")
        rows = filters.without(*self._NAMES).order_by().values_list(*fields).annotate(rows=Count("pk"))
        types = {story.pk: story.type for story in filters.visible_stories}
        self.cells: list[dict[str, Any]] = [
            {
                "app": app,
                "state": (state, sent),
                "story": story,
                "type": types.get(story, ""),
                "country": country,
                "rows": many,
            }
            for app, state, sent, story, country, many in remembered_rows(
                filters.apps, rows.values_list(*fields, "rows")
            )
        ]
        slugs = {app.pk: app.slug for app in filters.apps}
        chosen_stories = {story.pk for stories in filters.stories.values() for story in stories}
        self.passes: dict[str, Callable[[Any], bool]] = {
            "app": lambda app: slugs[app] in data.getlist("app"),
            "state": lambda state: is_state(state[0], state[1], data.getlist("state")),
            "story": chosen_stories.__contains__,
            "type": lambda kind: kind in filters.types,
            "country": lambda country: country in data.getlist("country"),
        }
        self.active = [name for name in self._NAMES if name in filters.filters and name in data]

    def by(self, name: str) -> dict[Any, int]:
        """The rows per value of one of the five, under the other four."""
        others = [(other, self.passes[other]) for other in self.active if other != name]
        found: dict[Any, int] = {}
        for cell in self.cells:
            if all(passes(cell[other]) for other, passes in others):
                found[cell[name]] = found.get(cell[name], 0) + cell["rows"]
        return found

    def by_group(self) -> dict[int, int]:
        """The rows of the learners of each tracked group, under all filters but that of groups."""
        group = "learner__memberships__group"
        rows = self._filters.without("group").order_by()
        in_groups = rows.filter(learner__memberships__until=None, learner__memberships__group__tracked=True)
        counted = in_groups.values_list(group).annotate(rows=Count("pk")).values_list(group, "rows")
        return dict(remembered_rows(self._filters.apps, counted))

    def in_no_group(self) -> int:
        return remembered_count(self._filters.apps, self._filters.without("group").order_by().in_no_group_or([]))

    def by_city(self) -> dict[str, int]:
        rows = self._filters.without("city").order_by().values_list("city").annotate(rows=Count("pk"))
        return dict(remembered_rows(self._filters.apps, rows.values_list("city", "rows")))


class _Uncounted:
    """In the place of counts where none are wanted."""

    def by(self, _name: str) -> dict[Any, int]:
        return {}

    def by_group(self) -> dict[int, int]:
        return {}

    def in_no_group(self) -> int:
        return 0

    def by_city(self) -> dict[str, int]:
        return {}


def _facet(name: str, offered: Iterable[FacetValue]) -> Facet:
    values = sorted(offered, key=lambda one: (not one.checked, -(one.count or 0), one.label))
    shown = max(SHOWN, sum(one.checked for one in values))
    return Facet(name, values[:shown], values[shown:MOST], min(len(values), MOST), max(0, len(values) - MOST))


def _states(filters: CertificateFilter, counts: "_Counts | _Uncounted") -> list[FacetValue]:
    chosen = filters.data.getlist("state")
    found = {(State.PENDING.value, ""): 0, (State.DELIVERED.value, ""): 0} | counts.by("state")
    return [
        FacetValue(
            sent or state, sent or str(State(state).label), count, is_state(state, sent, chosen),
            "other" if sent else BADGES[State(state)].tone,
        )
        for (state, sent), count in found.items()
    ]  # fmt: skip


def _apps(filters: CertificateFilter, counts: "_Counts | _Uncounted") -> list[FacetValue]:
    chosen, found = filters.data.getlist("app"), counts.by("app")
    return [FacetValue(app.slug, app.name, found.get(app.pk, 0), app.slug in chosen) for app in filters.apps]


def _stories(filters: CertificateFilter, counts: "_Counts | _Uncounted") -> list[FacetValue]:
    chosen = {story.pk for stories in filters.stories.values() for story in stories}
    found = counts.by("story")
    offered = [story for story in filters.visible_stories if story.pk in found or story.pk in chosen]
    return _by_key(offered, found, chosen, filters.apps)


def _groups(filters: CertificateFilter, counts: "_Counts | _Uncounted") -> list[FacetValue]:
    if not filters.visible_groups:
        return []
    chosen = {group.pk for groups in filters.groups.values() for group in groups}
    in_none = FacetValue(
        NO_GROUP, gettext("in no tracked group"), counts.in_no_group(), NO_GROUP in filters.data.getlist("group")
    )
    return [*_by_key(filters.visible_groups, counts.by_group(), chosen, filters.apps), in_none]


def _by_key(
    offered: Sequence[Story] | Sequence[Group], counts: dict[int, int], chosen: set[int], apps: Sequence[App]
) -> list[FacetValue]:
    """A value per key. Several apps can share one: then it means all of theirs, and counts them together."""
    named: dict[str, list[Story | Group]] = {one.key: [] for one in offered}
    for one in offered:
        for key in keys_of(one) & named.keys():
            named[key].append(one)
    times = Counter(same[0].name for same in named.values())
    app_names = {app.pk: app.name for app in apps}
    return [
        FacetValue(
            key,
            same[0].name if times[same[0].name] == 1 else f"{same[0].name} ({app_names[same[0].app_id]})",
            sum(counts.get(one.pk, 0) for one in same),
            any(one.pk in chosen for one in same),
        )
        for key, same in named.items()
    ]


def _types(filters: CertificateFilter, counts: "_Counts | _Uncounted") -> list[FacetValue]:
    chosen, found, labels = filters.types, counts.by("type"), dict(StoryType.choices)
    return [
        FacetValue(kind, str(labels.get(kind, kind)), found.get(kind, 0), kind in chosen)
        for kind in {*found, *chosen}
        if kind
    ]


def _places(filters: CertificateFilter, name: str, counts: dict[str, int]) -> list[FacetValue]:
    """Countries or cities; an empty one means without."""
    chosen = filters.data.getlist(name)
    return [
        FacetValue(place, place or str(_WITHOUT[name]), counts.get(place, 0), place in chosen)
        for place in {*counts, *chosen}
    ]


# -- Choices: of these one at most ------------------------------------------------------------------------------


@dataclass(slots=True)
class Choice:
    value: str  # empty: any
    label: str
    checked: bool


_WAITING = (7, 14, 30)  # days


def periods(filters: CertificateFilter) -> list[Choice]:
    """How far back certificates were awarded: `awarded`."""
    return _choices(filters.data.get("awarded", ""), PERIODS)


def waiting(filters: CertificateFilter) -> list[Choice]:
    """For how many days at least they have been pending: `pending_days`, with the one of this address among them."""
    asked = filters.form.cleaned_data.get("pending_days")
    days = sorted({*_WAITING, *([] if asked is None else [int(asked)])})
    labels = {f"{each}": ngettext("%(days)s day", "%(days)s days", each) % {"days": each} for each in days}
    return _choices("" if asked is None else f"{int(asked)}", labels)


def _choices(chosen: str, labels: Mapping[str, str | Promise]) -> list[Choice]:
    return [Choice(value, str(label), value == chosen) for value, label in {"": gettext("any"), **labels}.items()]
