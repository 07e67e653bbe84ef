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
# While a sync writes, a count is outdated as soon as it is made. Pages say that their app is being updated, and their
# counts may be so old: otherwise everybody would count everything anew, all the time.
_WHILE_WRITTEN = 60  # seconds


def remembered(what: str, apps: Sequence[App], rows: QuerySet[Any], count: Callable[[], T]) -> T:
    """What `count` gives, or gave before for the same rows of the same versions of their apps.

    `what`: which count it is, with everything in it that the rows' query does not say. `apps`: all to which the rows
    may belong, read in this request before the rows are; while a sync writes to one of them, the count may be a
    minute old.
    """
    try:
        sql, values = rows.query.sql_with_params()
    except EmptyResultSet:  # no row can fit
        return count()
    written = _are_written(apps)
    key = _key(what, sorted((app.stamp, -1 if written else app.version) for app in apps), sql, values)
    found: tuple[T] | None = cache.get(key)
    if found is None:
        found = (count(),)
        cache.set(key, found, _WHILE_WRITTEN if written else _SECONDS)
    return found[0]


def _are_written(apps: Sequence[App]) -> bool:
    """Whether a sync writes to one of them, as `access.apps_for` has found."""
    return any(getattr(app, "is_written", False) for app in apps)


def _key(*of: object) -> str:
    return hashlib.sha256(repr(of).encode()).hexdigest()


def remembered_rows(apps: Sequence[App], rows: QuerySet[Any]) -> list[Any]:
    """The rows of a query that groups and counts."""
    return remembered("rows", apps, rows, lambda: list(rows))


def remembered_count(apps: Sequence[App], rows: QuerySet[Any]) -> int:
    """How many rows a query gives."""
    return remembered("count", apps, rows, rows.count)


def exact_count(apps: Sequence[App], rows: QuerySet[Any]) -> int:
    """The same where rows are listed by it: never of a moment ago."""
    return rows.count() if _are_written(apps) else remembered_count(apps, rows)
