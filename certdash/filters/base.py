"""The base of all filter sets."""

from collections.abc import Collection, Sequence
from copy import copy, deepcopy
from functools import partial
from typing import Any, ClassVar, Self

from django.db.models import QuerySet
from django.http import QueryDict
from django_filters import CharFilter, Filter, FilterSet

from certdash.fields import ValuesField
from certdash.models import App
from certdash.models.text import fold

OWN_NAMES = ("sort", "page", "per_page", "_export", "_table", "_part", "_selected")  # of the page, not of its rows


class Of(Filter):
    """A filter of the set's method, its values understood by one of our fields."""

    def __init__(self, field: type, method: str, **kwargs: Any) -> None:
        self.field_class = field
        super().__init__(method=method, **kwargs)


Values = partial(Of, ValuesField)


class ListFilter(FilterSet):
    """The base of all lists: leaves out what it does not understand, and names it in `ignored`."""

    own_names: ClassVar[Collection[str]] = OWN_NAMES

    app: Any = Values("by_app")
    q: Any = CharFilter(method="by_words", max_length=200)

    def __init__(self, data: QueryDict, queryset: QuerySet[Any], apps: Sequence[App]) -> None:
        """`apps` are those that the page lists, among the viewer's."""
        self.apps, self.ignored = list(apps), list[str]()
        super().__init__(data, queryset)
        self.data = self._understood(data)

    def _understood(self, data: QueryDict) -> QueryDict:
        usable = data.copy()
        for name, values in data.lists():
            if name in self.own_names:
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

    def but_for(self, name: str) -> Self:
        """The same set as of an address that does not say anything of one name."""
        other = copy(self)
        other.data = self.data.copy()
        other.data.pop(name, None)
        other.filters = deepcopy(self.base_filters)
        for each in other.filters.values():
            each.parent, each.model = other, self.queryset.model
        for made in ("_form", "_qs"):  # of the former data
            other.__dict__.pop(made, None)
        return other

    def rows_but_for(self, names: Sequence[str]) -> dict[str, int]:
        """How many rows there would be without each of these filters alone."""
        return {name: self.but_for(name).qs.count() for name in names}

    def unknown_q(self, words: list[str]) -> list[str]:
        """Words of which nothing is left to search for would be no filter at all."""
        return [some for some in words if some.strip() and not fold(some)]

    def unknown_app(self, slugs: list[str]) -> list[str]:
        return [slug for slug in slugs if slug not in {app.slug for app in self.apps}]

    def by_app(self, queryset: QuerySet[Any], _name: str, slugs: list[str]) -> QuerySet[Any]:
        return queryset.filter(app__in=[app.pk for app in self.apps if app.slug in slugs])

    def by_words(self, queryset: Any, _name: str, words: str) -> Any:
        """Every word must occur in the name, without case and accents. For lists short enough to be read for it."""
        wanted = fold(words).split()
        names = queryset.order_by().values_list("pk", "name")
        return queryset.filter(pk__in=[pk for pk, name in names if all(word in fold(name) for word in wanted)])
