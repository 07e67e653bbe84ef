"""Certificates as rows."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

import django_tables2 as tables
from django.utils import timezone

from certdash.models import Certificate
from certdash.rows import CertificateRow, group_names, utc

from .base import Table


class CertificateTable(Table):
    person = tables.Column(order_by=("sort_name", "pk"))
    state = tables.Column(order_by=("state", "-timestamp", "-pk"))
    story = tables.Column(order_by=("story__sort_name", "-timestamp", "-pk"))
    awarded = tables.Column(order_by=("timestamp", "pk"))
    place = tables.Column(orderable=False)
    open = tables.Column(verbose_name="", orderable=False)

    caption = "Certificates"
    row_template = "certificates/row.html"
    empty_text = "No certificate fits these filters."
    columns_of_file: ClassVar[dict[str, Callable[[CertificateRow], Any]]] = {
        "app": lambda row: row.certificate.app.slug,
        "story_id": lambda row: row.certificate.story.vendor_id,
        "story": lambda row: row.certificate.story.name,
        "type": lambda row: row.certificate.story.type,
        "firstname": lambda row: row.certificate.firstname,
        "lastname": lambda row: row.certificate.lastname,
        "email": lambda row: row.certificate.email,
        "telephone": lambda row: row.certificate.telephone,
        "country": lambda row: row.certificate.country,
        "city": lambda row: row.certificate.city,
        "groups": lambda row: row.group_names,
        "state": lambda row: row.certificate.state_word,
        "timestamp": lambda row: utc(row.certificate.timestamp),
        "url": lambda row: row.certificate.url,
        "withdrawn": lambda row: utc(row.certificate.withdrawn_at),
    }

    class Meta:
        order_by = "-awarded"
        attrs = {"class": "certificates"}

    def records(self, ids: Sequence[int]) -> Iterable[Certificate]:
        return Certificate.objects.filter(pk__in=ids).select_related("app", "story").defer("app__token")

    def rows_of(self, ids: Sequence[int]) -> list[CertificateRow]:
        certificates: list[Certificate] = super().rows_of(ids)
        groups = group_names({certificate.learner_id for certificate in certificates})
        now = timezone.now()
        return [CertificateRow(one, groups[one.learner_id], now) for one in certificates]
