"""Certificates, and the pages of a story, a group and a person, which are the same list with a head."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from functools import cached_property
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy

from certdash.charts import WeeksChart, week_query, weeks_chart
from certdash.facets import facets, facets_known, kinds, periods, waiting, withdrawn
from certdash.filters import CHANGES, FIND, CertificateFilter
from certdash.models import Certificate, CertificateQuerySet, Group, Story
from certdash.remembered import exact_count
from certdash.rows import share_bar
from certdash.stats import OVERDUE_DAYS, Numbers, Share, Week, numbers_and_outside, weeks
from certdash.tables import CertificateTable
from certdash.views.page import List, SmallTable, address, here
from certdash.words import certificate_words

_SCRIPTS = "scripts"  # a cookie that says that scripts run; app.js sets it
_FILTERS, _WHOLE = "filters", "page"  # what `_part` asks for: the filters' values, or a page that has them

# Filters without a field of their own in the rail; it keeps them.
_KEPT = ("pending_under", "changed_from", "run", "id")
_PLACES = ("country", "city")


class Certificates(List):
    """The certificates of all visible apps."""

    filter_class = CertificateFilter
    table_class = CertificateTable
    template_name: ClassVar[str] = "certificates/list.html"
    title = gettext_lazy("Certificates")
    file_name = "certificates"
    not_offered: ClassVar[Sequence[str]] = ()  # filters that would leave all or nothing here; an address may use them

    def queryset(self) -> QuerySet[Any]:
        return self.certificates()

    def certificates(self) -> CertificateQuerySet:
        """All certificates of the page, withdrawn ones too, before the address's filters."""
        return Certificate.objects.of(self.apps)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = super().get(request, *args, **kwargs)
        if request.GET.get("_part") == _WHOLE:
            response.delete_cookie(_SCRIPTS)
        return response

    def part(self, name: str) -> HttpResponse | None:
        return render(self.request, "certificates/facets.html", self.rail()) if name == _FILTERS else None

    @property
    def counts_later(self) -> bool:
        """Whether the counts come in a second request: where scripts run, the page does not wait for them."""
        scripts = self.request.COOKIES.get(_SCRIPTS) == "1" or bool(self.request.headers.get("HX-Request"))
        return scripts and self.request.GET.get("_part") not in (_FILTERS, _WHOLE)

    def rail(self) -> dict[str, Any]:
        """What the filters show, beside the field for words."""
        later = self.counts_later
        # Asked for alone there is time for more counts than beside the rows.
        alone = self.request.GET.get("_part") == _FILTERS
        if later:
            offered = facets_known(self.filters, self.apps, but=self.not_offered)
        else:
            find = self.request.GET.dict()
            offered = facets(self.filters, self.apps, but=self.not_offered, find=find, as_known=alone)
        return {
            "filters": self.filters,
            "kept": [pair for pair in self.filters.active if self._is_kept(*pair)],
            "facets": offered,
            # Places are as many as their counts find, so they come last: when they come, they move nothing.
            "named": [facet for facet in offered if facet.name not in _PLACES],
            "places": [facet for facet in offered if facet.name in _PLACES],
            "periods": periods(self.filters, counted=alone),
            "waiting": waiting(self.filters, counted=alone),
            "withdrawn": withdrawn(self.filters, counted=alone),
            "kinds": kinds(self.filters),
            "counts_later": later,
            "by_script": "HX-Request" in self.request.headers,
            "whole_url": address(here(self.request), [*self.filters.active, ("_part", _WHOLE)]),
        }

    def _is_kept(self, name: str, value: str) -> bool:
        """Whether the rail has no field of its own for this, and keeps it as it is."""
        return name in {*_KEPT, *self.not_offered} or (name == "change" and value not in CHANGES)

    def context(self) -> dict[str, Any]:
        return self.rail() | {
            "filters_url": address(here(self.request), [*self.filters.active, ("_part", _FILTERS)]),
            "not_sent": ",".join(name for name in self.filters.own_names if name.startswith(FIND)),
            "offers_words": "q" not in self.not_offered,
            "chips": self._chips(),
            "of": self._of(),
        }

    def _of(self) -> int | None:
        """How many rows there would be without filters; None where withdrawn ones are among the rows."""
        if not self.filters.hides_withdrawn:
            return None
        return self.whole() if self.filters.active else self.count

    def whole(self) -> int:
        """How many live certificates there are without filters."""
        return exact_count(self.apps, self.certificates().live())

    def columns_without(self) -> Collection[str]:
        return () if any(app.stores_telephones for app in self.apps) else ("telephone",)

    def _chips(self) -> list[dict[str, str]]:
        """What is active, each with the address that does without it."""
        kept = self.filters.active
        return [
            {"label": label, "url": address(here(self.request), [pair for pair in kept if pair != one])}
            for one, label in zip(kept, self.filter_words(), strict=True)
        ]

    def filter_words(self) -> list[str]:
        return certificate_words(self.filters, self.apps)


class CertificatesOf(Certificates):
    """The certificates of one story, group or person, below a head with its numbers."""

    is_about_one: ClassVar[bool] = True

    @cached_property
    def numbers_and_outside(self) -> tuple[Numbers, int]:
        """The headline numbers of the page, whatever its filters, and how many of its certificates are out of scope."""
        return numbers_and_outside(self.apps, self.certificates(), timezone.now())

    def whole(self) -> int:
        return self.numbers_and_outside[0].total

    def headline(self) -> dict[str, Any]:
        """What the head shows."""
        numbers, _ = self.numbers_and_outside
        return {
            "numbers": numbers,
            "share": share_bar(numbers.delivered, numbers.pending),
            "chart": self.weeks_chart(),
            "breakdown": self.breakdown,
            "rows_of": {
                "delivered": address(here(self.request), [("state", "delivered")]),
                "pending": address(here(self.request), [("state", "pending")]),
                "overdue": address(here(self.request), [("pending_days", f"{OVERDUE_DAYS}")]),
            },
        }

    def broken_down(
        self, name: str, offered: Iterable[Story | Group], counts: dict[int, Share]
    ) -> list[dict[str, Any]]:
        """The page's numbers by another dimension, each a link that filters the page by it; most pending first."""
        rows = [
            {
                "name": one.name,
                "url": address(here(self.request), [(name, one.key)]),
                "counts": it,
                "share": share_bar(it.delivered, it.pending),
            }
            for one in offered
            if (it := counts.get(one.pk))
        ]
        return sorted(rows, key=lambda row: -row["counts"].pending)

    @cached_property
    def breakdown(self) -> list[dict[str, Any]]:
        """The page's certificates by another dimension, as `broken_down` gives them."""
        raise NotImplementedError

    @cached_property
    def weeks(self) -> list[Week]:
        """The live certificates of the page per week."""
        return weeks(self.apps, self.certificates().live(), timezone.now())

    def small_tables(self) -> dict[str, SmallTable]:
        return {"weeks": weeks_table(self.weeks), "breakdown": breakdown_table(self.breakdown)}

    def weeks_chart(self) -> WeeksChart:
        """The live certificates of the page per week, each bar a link to its rows."""

        def rows_of(first: date, last: date) -> str:
            return address(here(self.request), week_query(first, last))

        return weeks_chart(self.weeks, rows_of)


def weeks_table(counted: Sequence[Week]) -> SmallTable:
    """The table beside the chart, as a file."""
    return ("week", "delivered", "pending"), [(week.begins.date(), week.delivered, week.pending) for week in counted]


def breakdown_table(breakdown: Sequence[dict[str, Any]]) -> SmallTable:
    """The counts by the other dimension, as a file."""
    rows = [(row["name"], (it := row["counts"]).delivered, it.pending, it.total) for row in breakdown]
    return ("name", "delivered", "pending", "certificates"), rows
