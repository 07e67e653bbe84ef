"""One table per kind of row: its columns, its order, and what a file of it holds.

Pages and files build their rows alike: from ids, a batch at a time, so a batch costs a fixed number of queries.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, ClassVar

import django_tables2 as tables
from django.db.models import Model, QuerySet
from django.http import QueryDict
from django.utils import timezone
from django_tables2.data import TableQuerysetData

from certdash.models import Certificate, Grant, Learner, SyncRun
from certdash.models.tally import tallied, tally_groups
from certdash.rows import CertificateRow, group_names, share_bar, utc

# Numbers stand right-aligned.
_NUMBER = {"th": {"class": "num"}, "td": {"class": "num"}}


class _Data(TableQuerysetData):  # type: ignore[misc]
    """Reads a page's ids first, then its rows: a deep page skips over an index instead of over whole rows."""

    def __getitem__(self, key: Any) -> Any:
        ids = list(self.data.values_list("pk", flat=True)[key])
        return self.table.rows_of(ids)


class Table(tables.Table):  # type: ignore[misc]
    """The base of all tables. `rows_of` turns ids into what the row template shows and a file holds."""

    columns_of_file: ClassVar[dict[str, Callable[[Any], Any]]]
    row_template = ""
    caption = ""
    live = True
    empty_text = "Nothing here yet."

    def __init__(self, data: QuerySet[Any], **kwargs: Any) -> None:
        # django-tables2 would put its own in the place of the class's.
        super().__init__(data=_Data(data), empty_text=self.empty_text, **kwargs)

    def order(self, data: QueryDict) -> list[str]:
        """Order by the address's `sort`; returns what of it means nothing here."""
        asked = data.getlist("sort")
        orderable = {column.name for column in self.columns if column.orderable}
        if len(asked) == 1 and asked[0].removeprefix("-") in orderable:
            self.order_by = asked[0]
            return []
        return [f"sort={value}" for value in asked]

    def rows_of(self, ids: Sequence[int]) -> list[Any]:
        """What the page shows of these records, in this order."""
        records = {record.pk: record for record in self.records(ids)}
        return [records[pk] for pk in ids if pk in records]

    def records(self, ids: Sequence[int]) -> Iterable[Model]:
        raise NotImplementedError

    def file_rows(self, batch: int = 2000) -> Iterator[list[Any]]:
        """The cells of every row for a file, in the table's order, a batch of records in memory at a time."""
        ids: list[int] = []
        for pk in self.data.data.values_list("pk", flat=True).iterator(chunk_size=batch):
            ids.append(pk)
            if len(ids) == batch:
                yield from self._cells(ids)
                ids = []
        yield from self._cells(ids)

    def _cells(self, ids: Sequence[int]) -> Iterator[list[Any]]:
        for row in self.rows_of(ids):
            yield [cell(row) for cell in self.columns_of_file.values()]


# -- Certificates -----------------------------------------------------------------------------------------------


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


# -- Stories, groups, people ------------------------------------------------------------------------------------

_TALLY: dict[str, Callable[[Any], Any]] = {
    "delivered": lambda record: record.delivered,
    "pending": lambda record: record.pending,
    "certificates": lambda record: record.total,
    "newest": lambda record: utc(record.newest),
}


def _name(heading: str, order_by: str = "sort_name") -> tables.TemplateColumn:
    """The column that leads to a record's own page."""
    return tables.TemplateColumn(template_name="tables/name.html", verbose_name=heading, order_by=(order_by, "pk"))


class _TalliedTable(Table):
    """Rows with their numbers; the queryset comes tallied, so that it can be ordered by them."""

    delivered = tables.Column(attrs=_NUMBER)
    pending = tables.Column(attrs=_NUMBER)
    total = tables.Column("Certificates", attrs=_NUMBER)
    share = tables.TemplateColumn(template_name="tables/share.html", verbose_name="Share", orderable=False)
    newest = tables.TemplateColumn(template_name="tables/day.html", verbose_name="Newest")

    def records(self, ids: Sequence[int]) -> Iterable[Model]:
        records: QuerySet[Any] = self.data.data
        return records.filter(pk__in=ids)

    def rows_of(self, ids: Sequence[int]) -> list[Any]:
        rows = super().rows_of(ids)
        for row in rows:
            row.share = share_bar(row.delivered, row.pending)
        return rows


class StoryTable(_TalliedTable):
    name = _name("Story")

    caption = "Stories"
    empty_text = "No story fits these filters."
    columns_of_file: ClassVar[dict[str, Callable[[Any], Any]]] = {
        "app": lambda story: story.app.slug,
        "story_id": lambda story: story.vendor_id,
        "story": lambda story: story.name,
        "type": lambda story: story.type,
        **_TALLY,
        "withdrawn": lambda story: utc(story.withdrawn_at),
    }

    class Meta:
        sequence = ("name", "...")
        order_by = "name"


class _CountedTable(_TalliedTable):
    """Counts only for the rows of a page, where counting all of them would take long: ordered by name."""

    delivered = tables.Column(attrs=_NUMBER, orderable=False)
    pending = tables.Column(attrs=_NUMBER, orderable=False)
    total = tables.Column("Certificates", attrs=_NUMBER, orderable=False)
    newest = tables.TemplateColumn(template_name="tables/day.html", verbose_name="Newest", orderable=False)


class GroupTable(_CountedTable):
    name = _name("Group", "name")
    members = tables.Column("People", attrs=_NUMBER)

    caption = "Groups"
    empty_text = "No tracked group fits these filters."
    columns_of_file: ClassVar[dict[str, Callable[[Any], Any]]] = {
        "app": lambda group: group.app.slug,
        "group": lambda group: group.name,
        "people": lambda group: group.members,
        **_TALLY,
    }

    class Meta:
        sequence = ("name", "members", "...")
        order_by = "name"

    def rows_of(self, ids: Sequence[int]) -> list[Any]:
        counts = tally_groups(ids)
        for group in (rows := Table.rows_of(self, ids)):
            group.delivered, group.pending, group.total, group.newest = counts.get(group.pk, (0, 0, 0, None))
            group.share = share_bar(group.delivered, group.pending)
        return rows


class PersonTable(_CountedTable):
    name = _name("Person")

    caption = "People"
    empty_text = "No person fits these filters."
    columns_of_file: ClassVar[dict[str, Callable[[Any], Any]]] = {
        "app": lambda learner: learner.app.slug,
        "person": lambda learner: learner.name,
        "email": lambda learner: learner.email,
        **_TALLY,
    }

    class Meta:
        sequence = ("name", "...")
        order_by = "name"

    def records(self, ids: Sequence[int]) -> Iterable[Model]:
        return tallied(Learner.objects.filter(pk__in=ids).select_related("app").defer("app__token"))


# -- Apps -------------------------------------------------------------------------------------------------------


class RunTable(Table):
    status = tables.TemplateColumn(template_name="tables/run_status.html", order_by=("status", "-pk"))
    started = tables.TemplateColumn(template_name="tables/run_started.html", order_by="pk")
    message = tables.Column("What it did", orderable=False)
    received = tables.Column(attrs=_NUMBER)
    created = tables.Column("New", attrs=_NUMBER)
    changed = tables.Column(attrs=_NUMBER)
    withdrawn = tables.Column(attrs=_NUMBER)

    caption = "Sync runs"
    empty_text = "This app has not been synchronised yet."
    columns_of_file: ClassVar[dict[str, Callable[[SyncRun], Any]]] = {
        "run": lambda run: run.pk,
        "status": lambda run: run.status,
        "requested": lambda run: utc(run.requested_at),
        "started": lambda run: utc(run.started_at),
        "finished": lambda run: utc(run.finished_at),
        "received": lambda run: run.received,
        "created": lambda run: run.created,
        "changed": lambda run: run.changed,
        "withdrawn": lambda run: run.withdrawn,
        "returned": lambda run: run.returned,
        "missing": lambda run: run.missing,
        "stories": lambda run: run.stories,
        "joined": lambda run: run.joined,
        "left": lambda run: run.left,
        "rejected": lambda run: run.rejected,
        "repaired": lambda run: run.repaired,
        "bytes": lambda run: run.size,
        "hash": lambda run: run.vendor_hash,
        "message": lambda run: run.message,
    }

    class Meta:
        order_by = "-started"

    def records(self, ids: Sequence[int]) -> Iterable[SyncRun]:
        return SyncRun.objects.filter(pk__in=ids).select_related("app").defer("app__token")


class GrantTable(Table):
    person = tables.TemplateColumn(template_name="tables/grant_person.html", order_by=("user__username", "pk"))
    role = tables.Column()
    take_away = tables.TemplateColumn(template_name="tables/grant_take_away.html", verbose_name="", orderable=False)

    caption = "People with access"
    empty_text = "Nobody has access to this app but superusers."
    columns_of_file: ClassVar[dict[str, Callable[[Grant], Any]]] = {
        "name": lambda grant: grant.user.username,
        "email": lambda grant: grant.user.email,
        "role": lambda grant: grant.role,
    }

    class Meta:
        order_by = "person"

    def records(self, ids: Sequence[int]) -> Iterable[Grant]:
        return Grant.objects.filter(pk__in=ids).select_related("app", "user").defer("app__token")


class AppTable(Table):
    name = tables.TemplateColumn(template_name="tables/app_name.html", verbose_name="App", order_by=("name", "pk"))
    certificates_now = tables.Column("Certificates", attrs=_NUMBER)
    fresh = tables.TemplateColumn(template_name="tables/app_fresh.html", verbose_name="Data", orderable=False)

    caption = "Apps"
    empty_text = "There is no app yet."
    columns_of_file: ClassVar[dict[str, Callable[[Any], Any]]] = {
        "app": lambda app: app.slug,
        "name": lambda app: app.name,
        "certificates": lambda app: app.certificates_now,
    }

    class Meta:
        order_by = "name"

    def records(self, ids: Sequence[int]) -> Iterable[Model]:
        records: QuerySet[Any] = self.data.data
        return records.filter(pk__in=ids)
