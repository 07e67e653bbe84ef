"""The filters of what was written down."""

from datetime import date, timedelta
from typing import Any

from django.db.models import Q, QuerySet

from certdash.fields import DayField, midnight
from certdash.models import AuditEntry, AuditKind

from .base import ListFilter, Of, Values


class AuditFilter(ListFilter):
    """Entries by who, what and when. `q` is a part of an account's or team's name: who did it, or whom it is about."""

    kind = Values("by_kind", sensible=AuditKind.values.__contains__)
    noted_from = Of(DayField, "by_first_day")
    noted_to = Of(DayField, "by_last_day")

    class Meta:
        model = AuditEntry
        fields: list[str] = []

    def by_words(self, queryset: QuerySet[Any], _name: str, words: str) -> QuerySet[Any]:
        for word in words.split():
            about = Q(details__account__icontains=word) | Q(details__team__icontains=word)
            queryset = queryset.filter(Q(person_name__icontains=word) | about)
        return queryset

    def by_kind(self, queryset: QuerySet[Any], _name: str, kinds: list[str]) -> QuerySet[Any]:
        return queryset.filter(kind__in=kinds)

    def by_first_day(self, queryset: QuerySet[Any], _name: str, day: date) -> QuerySet[Any]:
        return queryset.filter(at__gte=midnight(day))

    def by_last_day(self, queryset: QuerySet[Any], _name: str, day: date) -> QuerySet[Any]:
        return queryset.filter(at__lt=midnight(day + timedelta(days=1)))
