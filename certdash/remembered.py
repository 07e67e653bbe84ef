"""Counts that stay true until rows of their apps change, remembered under the apps' versions."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from django.core.cache import cache
from django.core.exceptions import EmptyResultSet
from django.db.models import QuerySet

from certdash.models import App

T = TypeVar("T")
_SECONDS = 24 * 3600  # what is not asked for again in this time makes room


def remembered(what: str, apps: Sequence[App], rows: QuerySet[Any], count: Callable[[], T]) -> T:
    """What `count` gives, or gave before for the same rows of the same versions of their apps.

    `what`: which count it is, with everything in it that the rows' query does not say. `apps`: all to which the rows
    may belong, read in this request before the rows are.
    """
    try:
        sql, values = rows.query.sql_with_params()
    except EmptyResultSet:  # no row can fit
        return count()
    versions = sorted((app.stamp, app.version) for app in apps)
    key = hashlib.sha256(repr((what, versions, sql, values)).encode()).hexdigest()
    found: tuple[T] | None = cache.get(key)
    if found is None:
        found = (count(),)
        cache.set(key, found, _SECONDS)
    return found[0]


def remembered_rows(apps: Sequence[App], rows: QuerySet[Any]) -> list[Any]:
    """The rows of a query that groups and counts."""
    return remembered("rows", apps, rows, lambda: list(rows))


def remembered_count(apps: Sequence[App], rows: QuerySet[Any]) -> int:
    """How many rows a query gives."""
    return remembered("count", apps, rows, rows.count)
