"""Certificates as rows."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

import django_tables2 as tables
from django.db.models import Case, F, Func, OuterRef, QuerySet, Subquery, TextField, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from certdash.models import Certificate, CertificateQuerySet, Membership
from certdash.models.certificate import PLACE_HEAD
from certdash.rows import CertificateRow, group_names

from .base import Moment, Table


class _Place(Func):
    """The head of the country, with its length in the SQL: SQLite finds no index for an order with a parameter."""

    template = f"LEFT(%(expressions)s, {PLACE_HEAD})"

    def __init__(self) -> None:
        super().__init__(F("country"))

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template=f"SUBSTR(%(expressions)s, 1, {PLACE_HEAD})", **context)


def _column(kind: str, heading: str | Promise, **options: Any) -> tables.Column:
    """A column whose head is as wide as its kind asks for."""
    return tables.Column(verbose_name=heading, attrs={"th": {"class": kind}}, **options)


class CertificateTable(Table):
    person = _column("person", _("Person"), order_by=("sort_name", "pk"))
    state = _column("state", _("State"), order_by=("state", "-timestamp", "-pk"))
    story = _column("story", _("Story"), order_by=("story__sort_name", "-timestamp", "-pk"))
    groups = _column("groups", _("Groups"))
    app = _column("app", _("App"), order_by=("app__name", "-timestamp", "-pk"))
    awarded = _column("awarded", _("Awarded"), order_by=("timestamp", "pk"))
    place = _column("place", _("Place"))
    telephone = _column("telephone", _("Telephone"))
    # In an app, certificates are numbered as they are seen.
    first_seen = _column("moment", _("First seen"), order_by="pk")
    changed = _column("moment", _("Last change"), order_by=("changed_at", "pk"))
    open = _column("open", "", orderable=False)

    caption = _("Certificates")
    row_template = "certificates/row.html"
    remembered_as = "certificates"
    choosable: ClassVar[dict[str, str | Promise]] = {
        "state": _("State"),
        "story": _("Story, with its type"),
        "groups": _("Groups, in a column of their own"),
        "app": _("App"),
        "awarded": _("Awarded"),
        "place": _("Place"),
        "telephone": _("Telephone"),
        "first_seen": _("First seen by certdash"),
        "changed": _("Last change seen"),
        "open": _("Link to the certificate"),
    }
    selects = True
    # An index for each of them would cost every sync more than these orders are worth; half a million certificates by
    # their last change took seven seconds without.
    slowly_ordered = ("story", "groups", "telephone", "changed")
    usual = ("state", "story", "awarded", "place", "open")
    empty_text = _("No certificate fits these filters.")
    columns_of_file: ClassVar[dict[str, Callable[[CertificateRow], Any]]] = {
        "app": lambda row: row.certificate.app.slug,
        "story_id": lambda row: row.certificate.story.vendor_id,
        "story": lambda row: row.certificate.story.name,
        "type": lambda row: row.certificate.story.type,
        "firstname": lambda row: row.certificate.firstname,
        "lastname": lambda row: row.certificate.lastname,
        "email": lambda row: row.certificate.email,
        "telephone": lambda row: row.telephone,
        "country": lambda row: row.certificate.country,
        "city": lambda row: row.certificate.city,
        "groups": lambda row: row.group_names,
        "state": lambda row: row.certificate.state_word,
        "timestamp": Moment(lambda row: row.certificate.timestamp),
        "url": lambda row: row.certificate.url,
        "withdrawn": Moment(lambda row: row.certificate.withdrawn_at),
    }

    class Meta:
        order_by = "-awarded"
        attrs = {"class": "certificates"}

    def order_groups(self, queryset: CertificateQuerySet, downwards: bool) -> tuple[QuerySet[Any], bool]:
        """By the first group's name; in no group comes first."""
        now = Membership.objects.filter(learner=OuterRef("learner"), until=None, group__tracked=True)
        first = Coalesce(Subquery(now.order_by("group__name").values("group__name")[:1]), Value(""))
        ordered = (first.desc(), "timestamp", "pk") if downwards else (first.asc(), "-timestamp", "-pk")
        return queryset.order_by(*ordered), True

    def order_telephone(self, queryset: CertificateQuerySet, downwards: bool) -> tuple[QuerySet[Any], bool]:
        """By what is shown of it: an order by what is hidden would tell it."""
        shown = Case(When(app__stores_telephones=True, then=F("telephone")), default=Value("", TextField()))
        ordered = (shown.desc(), "timestamp", "pk") if downwards else (shown.asc(), "-timestamp", "-pk")
        return queryset.order_by(*ordered), True

    def order_place(self, queryset: CertificateQuerySet, downwards: bool) -> tuple[QuerySet[Any], bool]:
        """By country, then by date: as an index holds it."""
        ordered = (_Place().desc(), "timestamp", "pk") if downwards else (_Place().asc(), "-timestamp", "-pk")
        return queryset.order_by(*ordered), True

    def records(self, ids: Sequence[int]) -> Iterable[Certificate]:
        return Certificate.objects.filter(pk__in=ids).select_related("app", "story").defer("app__token")

    def rows_of(self, ids: Sequence[int]) -> list[CertificateRow]:
        certificates: list[Certificate] = super().rows_of(ids)
        groups = group_names({certificate.learner_id for certificate in certificates})
        now = timezone.now()
        return [CertificateRow(one, groups[one.learner_id], now) for one in certificates]
