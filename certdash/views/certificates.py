"""Certificates, and the pages of a story, a group and a person, which are the same list with a head."""

from collections.abc import Callable
from datetime import date
from functools import cached_property
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils import timezone

from certdash.charts import WeeksChart, week_query, weeks_chart
from certdash.facets import Facet, facets
from certdash.filters import CertificateFilter
from certdash.models import Certificate, CertificateQuerySet
from certdash.stats import Numbers, numbers, weeks
from certdash.tables import CertificateTable
from certdash.views.page import List, address

_WORDS: dict[str, Callable[[str], str]] = {
    "q": lambda value: f"“{value}”",
    "awarded_from": lambda value: f"from {_day(value)}",
    "awarded_to": lambda value: f"until {_day(value)}",
    "pending_days": lambda value: f"pending for {value} days or more",
    "withdrawn": lambda value: {"only": "only withdrawn", "all": "withdrawn too"}.get(value, "without withdrawn"),
    "change": lambda value: f"change: {value}",
    "changed_from": lambda value: f"changed since {value}",
    "id": lambda value: f"certificate {value}",
}


def _day(text: str) -> str:
    return f"{date.fromisoformat(text):%-d %b %Y}"


class Certificates(List):
    """The certificates of all visible apps."""

    filter_class = CertificateFilter
    table_class = CertificateTable
    template_name: ClassVar[str] = "certificates/list.html"
    title = "Certificates"
    file_name = "certificates"

    def queryset(self) -> QuerySet[Any]:
        return self.certificates()

    def certificates(self) -> CertificateQuerySet:
        """All certificates of the page, withdrawn ones too, before the address's filters."""
        return Certificate.objects.of(self.apps)

    @cached_property
    def numbers(self) -> Numbers:
        """The headline numbers of the page, whatever its filters."""
        return numbers(self.certificates().live(), timezone.now())

    def context(self) -> dict[str, Any]:
        offered = facets(self.filters, self.apps)
        return {
            "facets": offered,
            "chips": self._chips(offered),
            "of": self.numbers.total,
        }

    def _chips(self, offered: list[Facet]) -> list[dict[str, str]]:
        """What is active, each with the address that does without it."""
        labels = {(facet.name, one.value): one.label for facet in offered for one in (*facet.values, *facet.more)}
        kept = self.filters.active
        return [
            {
                "label": labels.get((name, value)) or _WORDS.get(name, str)(value),
                "url": address(self.request.path, [pair for pair in kept if pair != (name, value)]),
            }
            for name, value in kept
        ]

    def weeks_chart(self) -> WeeksChart:
        """The live certificates of the page per week, each bar a link to its rows."""

        def rows_of(first: date, last: date) -> str:
            return address(self.request.path, week_query(first, last))

        return weeks_chart(weeks(self.certificates().live(), timezone.now()), rows_of)
