"""The values a filter offers, with the number of rows each would leave under the other active filters."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from certdash.filters import FIND, NO_GROUP, CertificateFilter, is_state
from certdash.keys import keys_of
from certdash.links import apart
from certdash.models import App, Group, State, Story, StoryType
from certdash.models.certificate import BADGES
from certdash.models.text import fold

from .counts import IN_NONE, Counts, Uncounted

SHOWN, MOST = 8, 50
_LONGEST = 100  # characters of a name that are looked for
_LABELS = {
    "state": _("State"),
    "app": _("App"),
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
    """A filter's values, those in use first, then the most frequent; or those of them that were looked for."""

    name: str
    values: list[FacetValue]
    more: list[FacetValue]  # behind "Show all"
    total: int
    words: str = ""  # looked for
    found: int = 0  # of them, those with the words in their names
    left_out: int = 0  # values, or finds, beyond those listed
    awaited: Sequence[int] = ()  # places in sight of what is not counted yet, and so in no order

    @property
    def label(self) -> str:
        return str(_LABELS[self.name])

    @property
    def find(self) -> str:
        """The name of the field in which its values are looked for; empty where a glance finds them."""
        return f"{FIND}{self.name}" if self.total > SHOWN or self.words else ""

    @property
    def listed(self) -> int:
        return len(self.values) + len(self.more)


def facets(
    filters: CertificateFilter,
    apps: Sequence[App],
    but: Collection[str] = (),
    find: Mapping[str, str] | None = None,
    as_known: bool = False,
) -> list[Facet]:
    """The facets of a page that lists certificates, but for some, in the order of the rail.

    In as many queries whatever is filtered: most facets are sums over one table of counts. `find`: by a facet's field
    (`Facet.find`), what to look for among its values. `as_known`: with every value that `facets_known` has shown.
    """
    every = _offered(filters, apps, Counts(filters), but, filters.odd_states if as_known else ())
    made = [_facet(name, values, (find or {}).get(f"{FIND}{name}", "")) for name, values in every]
    return [facet for facet in made if facet.values or facet.words]


def facets_in_use(filters: CertificateFilter, apps: Sequence[App]) -> list[Facet]:
    """The same with nothing but the values that an address filters by, uncounted: what needs no look at the rows."""
    every = _offered(filters, apps, Uncounted(), [name for name in _LABELS if name not in filters.data])
    made = [_facet(name, _in_use(values)) for name, values in every]
    return [facet for facet in made if facet.values]


def facets_known(filters: CertificateFilter, apps: Sequence[App], but: Collection[str] = ()) -> list[Facet]:
    """The same before they are counted: states, and of the others what is in use, with room for what will come."""
    made = []
    for name, values in _offered(filters, apps, Uncounted(), but, filters.odd_states):
        if name == "state":
            made.append(_facet(name, [replace(one, count=None) for one in values]))
        else:
            facet = _facet(name, _in_use(values))
            facet.total, facet.awaited = len(values), range(len(facet.values), min(SHOWN, len(values)))
            made.append(facet)
    return [facet for facet in made if facet.total]


def _in_use(values: Iterable[FacetValue]) -> list[FacetValue]:
    return [replace(one, count=None) for one in values if one.checked]


def _offered(
    filters: CertificateFilter,
    apps: Sequence[App],
    counts: Counts | Uncounted,
    but: Collection[str] = (),
    odd_states: Sequence[str] = (),
) -> list[tuple[str, list[FacetValue]]]:
    offered: dict[str, Callable[[], list[FacetValue]]] = {
        "state": lambda: _states(filters, counts, odd_states),
        "app": lambda: _apps(filters, counts) if len(apps) > 1 else [],
        "story": lambda: _stories(filters, counts),
        "group": lambda: _groups(filters, counts),
        "type": lambda: _types(filters, counts),
        "country": lambda: _places(filters, "country", counts.by("country")),
        "city": lambda: _places(filters, "city", counts.by_city()),
    }
    return [(name, values()) for name, values in offered.items() if name in filters.filters and name not in but]


def _facet(name: str, offered: Iterable[FacetValue], find: str = "") -> Facet:
    values = list(offered)
    if name != "state" or len(values) > SHOWN:  # so few keep their places: none moves when it is ticked, or counted
        values.sort(key=lambda one: (not one.checked, -(one.count or 0), one.label))
    if find := find[:_LONGEST].strip():
        return _found(name, values, find)
    shown = max(SHOWN, sum(one.checked for one in values))
    return Facet(name, values[:shown], values[shown:MOST], len(values), left_out=max(0, len(values) - MOST))


def _found(name: str, values: Sequence[FacetValue], find: str) -> Facet:
    """Those with every word in their names, without case and accents; and what is in use, which a form would lose."""
    words = fold(find).split()
    fitting = [one for one in values if all(word in fold(one.label) for word in words)]
    chosen = [one for one in values if one.checked]
    others = [one for one in fitting if not one.checked]
    room = max(0, MOST - len(chosen))
    return Facet(name, chosen + others[:room], [], len(values), find, len(fitting), max(0, len(others) - room))


def _states(filters: CertificateFilter, counts: Counts | Uncounted, odd: Sequence[str]) -> list[FacetValue]:
    chosen = filters.data.getlist("state")
    known = [(State.PENDING.value, ""), (State.DELIVERED.value, ""), *((State.OTHER.value, sent) for sent in odd)]
    found = dict.fromkeys(known, 0) | counts.by("state")
    return [
        FacetValue(
            sent or state, sent or str(State(state).label), count, is_state(state, sent, chosen),
            "other" if sent else BADGES[State(state)].tone,
        )
        for (state, sent), count in found.items()
    ]  # fmt: skip


def _apps(filters: CertificateFilter, counts: Counts | Uncounted) -> list[FacetValue]:
    chosen, found = filters.data.getlist("app"), counts.by("app")
    return [FacetValue(app.slug, app.name, found.get(app.pk, 0), app.slug in chosen) for app in filters.apps]


def _stories(filters: CertificateFilter, counts: Counts | Uncounted) -> list[FacetValue]:
    chosen = {story.pk for stories in filters.stories.values() for story in stories}
    return _by_key(filters.visible_stories, counts.by("story"), chosen, filters.apps)


def _groups(filters: CertificateFilter, counts: Counts | Uncounted) -> list[FacetValue]:
    if not filters.visible_groups:
        return []
    chosen = {group.pk for groups in filters.groups.values() for group in groups}
    found = counts.by_group()
    label, is_chosen = gettext("in no tracked group"), NO_GROUP in filters.data.getlist("group")
    in_none = FacetValue(NO_GROUP, label, found.get(IN_NONE, 0), is_chosen)
    return [*_by_key(filters.visible_groups, found, chosen, filters.apps), in_none]


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
            same[0].name if times[same[0].name] == 1 else f"{apart(same[0].name)} ({apart(app_names[same[0].app_id])})",
            sum(counts.get(one.pk, 0) for one in same),
            any(one.pk in chosen for one in same),
        )
        for key, same in named.items()
    ]


def _types(filters: CertificateFilter, counts: Counts | Uncounted) -> list[FacetValue]:
    chosen, found, labels = filters.types, counts.by("type"), dict(StoryType.choices)
    return [
        FacetValue(kind, str(labels.get(kind, kind)), found.get(kind, 0), kind in chosen)
        for kind in {story.type for story in filters.visible_stories} | {*chosen}
        if kind
    ]


def _places(filters: CertificateFilter, name: str, counts: dict[str, int]) -> list[FacetValue]:
    """Countries or cities; an empty one means without."""
    chosen = filters.data.getlist(name)
    return [
        FacetValue(place, place or str(_WITHOUT[name]), counts.get(place, 0), place in chosen)
        for place in {*counts, *chosen}
    ]
