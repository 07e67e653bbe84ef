"""What is different from before: since a week ago, and since somebody's last visit."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import BooleanField, Case, CharField, Count, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce
from django.utils import timezone

from certdash.fields import midnight
from certdash.models import App, Certificate, CertificateQuerySet, Change, is_live
from certdash.remembered import remembered, remembered_rows

Kind = Change.Kind
_OF_STATE = (Kind.DELIVERED, Kind.STATE)
_GOES = (Kind.WITHDRAWN, Kind.OUTSIDE)


# -- A week -----------------------------------------------------------------------------------------------------


class WeekChange(NamedTuple):
    """How many more certificates there are than at `since`; of each number the certificates that came less those that
    went. What an app brought when it was first synchronised has always been there."""

    since: datetime
    total: int
    delivered: int
    pending: int


def week_change(apps: Sequence[App], now: datetime) -> WeekChange:
    """Since the midnight a week ago, in one query over what changed since then."""
    since = midnight(timezone.localtime(now).date() - timedelta(days=7))
    changes = Change.objects.filter(app__in=apps, kind__in=(*_OF_STATE, *_GOES, Kind.RETURNED), seen_at__gte=since)
    came = Certificate.objects.of(apps).filter(initial=False, first_seen_at__gte=since)
    touched = Certificate.objects.filter(pk__in=came.values("pk").union(changes.values("certificate")))
    rows = remembered_rows(apps, _then_and_now(touched, since))
    counts = WeekChange(since, 0, 0, 0)._asdict()
    for was_there, was, is_there, is_, many in rows:
        for there, state, sign in ((was_there, was, -1), (is_there, is_, 1)):
            for name in ("total", state) if there else ():
                if name in counts:
                    counts[name] += sign * many
    return WeekChange(**counts)


def _then_and_now(touched: CertificateQuerySet, since: datetime) -> QuerySet[Certificate, tuple[object, ...]]:
    """Counts by whether certificates were there at a moment and in which state, and the same of now."""
    went_or_came = Subquery(_first_change((*_GOES, Kind.RETURNED), since).values("kind")[:1])
    there, yes, no = {"output_field": BooleanField()}, Value(True), Value(False)
    return (
        touched.order_by()
        .annotate(
            event=went_or_came,
            was_there=Case(
                When(Q(initial=False, first_seen_at__gte=since) | Q(event=Kind.RETURNED), then=no),
                When(event__in=_GOES, then=yes),
                When(is_live(), then=yes),
                default=no,
                **there,
            ),
            was=Coalesce(
                Subquery(_first_change(_OF_STATE, since).annotate(was=KT("before__state")).values("was")[:1]),
                "state",
                output_field=CharField(),
            ),
            is_there=Case(When(is_live(), then=yes), default=no, **there),
        )
        .values_list("was_there", "was", "is_there", "state")
        .annotate(rows=Count("pk"))
    )


def _first_change(kinds: Sequence[Kind], since: datetime) -> QuerySet[Change]:
    """The first change of these kinds since then, of the certificate of the query around."""
    of_certificate = Change.objects.filter(certificate=OuterRef("pk"), kind__in=kinds, seen_at__gte=since)
    return of_certificate.order_by("seen_at", "pk")


# -- A visit ----------------------------------------------------------------------------------------------------


class News(NamedTuple):
    """Certificates with such a change, as `/certificates/` lists them: of each its rows, not its changes.

    What was withdrawn and is back is not news, and what is new or delivered and gone neither.
    """

    new: int
    delivered: int
    withdrawn: int
    link: int


def news(apps: Sequence[App], since: datetime) -> News:
    """What was seen since then, in two queries."""
    came = Certificate.objects.of(apps).live().filter(initial=False, first_seen_at__gte=since).order_by()
    kinds = (Kind.DELIVERED, Kind.WITHDRAWN, Kind.LINK)
    changes = Change.objects.filter(app__in=apps, kind__in=kinds, seen_at__gte=since)
    live, gone = is_live("certificate__"), Q(certificate__withdrawn_at__isnull=False)

    def count() -> dict[str, int]:
        return changes.aggregate(
            delivered=Count("certificate", filter=live & Q(kind=Kind.DELIVERED), distinct=True),
            withdrawn=Count("certificate", filter=gone & Q(kind=Kind.WITHDRAWN), distinct=True),
            link=Count("certificate", filter=live & Q(kind=Kind.LINK), distinct=True),
        )

    return News(remembered("new", apps, came, came.count), **remembered("news-still-so", apps, changes, count))
