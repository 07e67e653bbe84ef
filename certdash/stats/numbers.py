"""Numbers over a queryset of certificates: what tiles, heads, charts and breakdowns say."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Case, Count, Q, When
from django.utils import timezone

from certdash.fields import midnight, minute
from certdash.models import App, CertificateQuerySet, State, is_live
from certdash.remembered import remembered, remembered_rows

WEEKS = 26
OVERDUE_DAYS = 7
OVERDUE_AGE = timedelta(days=OVERDUE_DAYS)


class Numbers(NamedTuple):
    """Counts of certificates; `overdue` are pending for more than seven days."""

    total: int
    delivered: int
    pending: int
    overdue: int


def numbers(apps: Sequence[App], certificates: CertificateQuerySet, now: datetime) -> Numbers:
    """The headline numbers of certificates of these apps, in one query; true as of the last full minute."""
    week_ago = minute(now) - OVERDUE_AGE
    counts = _counts(week_ago, Q())
    return remembered(
        f"numbers {week_ago}", apps, certificates, lambda: Numbers(**certificates.order_by().aggregate(**counts))
    )


def numbers_and_outside(apps: Sequence[App], certificates: CertificateQuerySet, now: datetime) -> tuple[Numbers, int]:
    """The same of the live ones among these certificates, and how many are out of scope, in one query."""
    week_ago = minute(now) - OVERDUE_AGE

    def count() -> tuple[Numbers, int]:
        outside = Count("pk", filter=Q(out_of_scope_at__isnull=False))
        counted = certificates.order_by().aggregate(**_counts(week_ago, is_live()), outside=outside)
        return Numbers(**{name: counted[name] for name in Numbers._fields}), counted["outside"]

    return remembered(f"numbers and outside {week_ago}", apps, certificates, count)


def _counts(week_ago: datetime, within: Q) -> dict[str, Count]:
    pending = within & Q(state=State.PENDING)
    return {
        "total": Count("pk", filter=within or None),
        "delivered": Count("pk", filter=within & Q(state=State.DELIVERED)),
        "pending": Count("pk", filter=pending),
        "overdue": Count("pk", filter=pending & Q(timestamp__lte=week_ago)),
    }


def states(apps: Sequence[App], certificates: CertificateQuerySet) -> dict[str, int]:
    """Certificates by state, in one query; unlike `numbers` it stays true for as long as no sync changes anything."""
    return dict(remembered_rows(apps, certificates.order_by().values_list("state").annotate(rows=Count("pk"))))


class Week(NamedTuple):
    begins: datetime  # Monday, midnight, in the viewer's time zone
    delivered: int
    pending: int


def weeks(apps: Sequence[App], certificates: CertificateQuerySet, now: datetime) -> list[Week]:
    """Certificates per week of their timestamp and by state, the last 26 weeks, the current one last."""
    local = timezone.localtime(now)
    monday = (local - timedelta(days=local.weekday())).date()
    begins = [midnight(monday - timedelta(weeks=back)) for back in range(WEEKS - 1, -2, -1)]
    # By comparing with the weeks' ends: a database function for weeks knows other time zones, or is slow.
    number = Case(*(When(timestamp__lt=end, then=week) for week, end in enumerate(begins[1:])))
    counted = (
        certificates.filter(timestamp__gte=begins[0], timestamp__lt=begins[-1])
        .order_by()
        .annotate(week=number)
        .values_list("week")
        .annotate(
            delivered=Count("pk", filter=Q(state=State.DELIVERED)), pending=Count("pk", filter=Q(state=State.PENDING))
        )
    )
    found = {week: (delivered, pending) for week, delivered, pending in remembered_rows(apps, counted)}
    return [Week(begin, *found.get(week, (0, 0))) for week, begin in enumerate(begins[:-1])]


class Share(NamedTuple):
    """Certificates by one dimension, counted by the key of what they belong to."""

    key: int
    delivered: int
    pending: int
    total: int


def by(apps: Sequence[App], certificates: CertificateQuerySet, path: str, **where: object) -> dict[int, Share]:
    """Counts per value of a path (a foreign key of the certificate, or one across a join that `where` narrows)."""
    counted = (
        certificates.filter(**where)
        .order_by()
        .values_list(path)
        .annotate(
            delivered=Count("pk", filter=Q(state=State.DELIVERED)),
            pending=Count("pk", filter=Q(state=State.PENDING)),
            total=Count("pk"),
        )
    )
    return {key: Share(key, *counts) for key, *counts in remembered_rows(apps, counted)}
