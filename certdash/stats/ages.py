"""What is pending: for how long, and where most of it is."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Count, Value

from certdash.fields import minute
from certdash.models import App, CertificateQuerySet, Story
from certdash.remembered import remembered_count, remembered_rows

from .numbers import OVERDUE_AGE, Share, by

BANDS = (0, 7, 14, 30, 90)  # whole days at which a band begins; each ends where the next one does
_MOST = 5  # stories


class Age(NamedTuple):
    """How many are pending for at least `days` whole days and for less than `under`; None: without end."""

    days: int
    under: int | None
    pending: int


def ages(apps: Sequence[App], certificates: CertificateQuerySet, now: datetime) -> list[Age]:
    """The pending ones by age, the youngest first, in one query; true as of the last full minute.

    What is dated in the future is among the youngest.
    """
    begins = [minute(now) - timedelta(days=days) for days in BANDS]
    pending, ends = certificates.pending().order_by(), (*BANDS[1:], None)
    counts = []
    for band, begin in enumerate(begins):  # each a stretch of an index; grouped, SQLite would read the table
        rows = pending.filter(timestamp__lte=begin) if BANDS[band] else pending
        rows = rows.filter(timestamp__gt=begins[band + 1]) if ends[band] else rows
        counts.append(rows.annotate(band=Value(band)).values("band").annotate(rows=Count("pk")))
    found = {row["band"]: row["rows"] for row in remembered_rows(apps, counts[0].union(*counts[1:], all=True))}
    return [Age(days, under, found.get(band, 0)) for band, (days, under) in enumerate(zip(BANDS, ends, strict=True))]


def newly_overdue(apps: Sequence[App], certificates: CertificateQuerySet, since: datetime, now: datetime) -> int:
    """How many of those that are pending for more than seven days were not yet so at that moment, by their date."""
    late = certificates.pending_since(minute(now) - OVERDUE_AGE).filter(timestamp__gt=since - OVERDUE_AGE)
    return remembered_count(apps, late.order_by())


def most_pending(apps: Sequence[App], certificates: CertificateQuerySet) -> list[tuple[Story, Share]]:
    """The stories with most pending certificates, at most five, with all their numbers, in three queries."""
    waiting = certificates.pending().order_by().values_list("story").annotate(rows=Count("pk"))
    first = [story for story, _ in remembered_rows(apps, waiting.order_by("-rows", "story")[:_MOST])]
    if not first:
        return []
    shares = by(apps, certificates.filter(story__in=first), "story")
    stories = Story.objects.select_related("app").defer("app__token").in_bulk(first)
    return [(stories[pk], shares[pk]) for pk in first if pk in stories and pk in shares]
