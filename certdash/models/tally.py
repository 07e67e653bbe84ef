"""Counts of live certificates beside what they belong to."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Q, QuerySet

from .certificate import Certificate, State, is_live


def tallied(queryset: QuerySet[Any]) -> QuerySet[Any]:
    """Stories or learners with `delivered`, `pending`, `total` (int) and `newest` (aware datetime or None)."""
    live = is_live("certificates__")
    counted: QuerySet[Any] = queryset.annotate(
        delivered=Count("certificates", filter=live & Q(certificates__state=State.DELIVERED)),
        pending=Count("certificates", filter=live & Q(certificates__state=State.PENDING)),
        total=Count("certificates", filter=live),
        newest=Max("certificates__timestamp", filter=live),
    )
    return counted


def tally_groups(groups: Sequence[int]) -> dict[int, tuple[int, int, int, datetime]]:
    """The same four of groups by pk, over the certificates of who is in them now; those without any are left out."""
    group = "learner__memberships__group"
    counted = (
        Certificate.objects.live()
        .filter(learner__memberships__until=None, learner__memberships__group__in=groups)
        .values_list(group)
        .annotate(
            delivered=Count("pk", filter=Q(state=State.DELIVERED)),
            pending=Count("pk", filter=Q(state=State.PENDING)),
            total=Count("pk"),
            newest=Max("timestamp"),
        )
    )
    return {pk: (delivered, pending, total, newest) for pk, delivered, pending, total, newest in counted}
