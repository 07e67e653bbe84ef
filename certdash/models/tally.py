"""Counts of live certificates beside the rows they belong to."""

from typing import Any

from django.db.models import Count, Max, Q, QuerySet

from .certificate import State


def tallied(queryset: QuerySet[Any], path: str = "certificates", where: Q | None = None) -> QuerySet[Any]:
    """The rows with `delivered`, `pending`, `total` (int) and `newest` (aware datetime or None) beside them.

    `path` leads to the certificates; `where` narrows what lies on the way to them.
    """
    live = Q(**{f"{path}__withdrawn_at": None}) & (where or Q())
    counted: QuerySet[Any] = queryset.annotate(
        delivered=Count(path, filter=live & Q(**{f"{path}__state": State.DELIVERED})),
        pending=Count(path, filter=live & Q(**{f"{path}__state": State.PENDING})),
        total=Count(path, filter=live),
        newest=Max(f"{path}__timestamp", filter=live),
    )
    return counted
