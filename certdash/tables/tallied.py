"""Stories, groups and people, with their numbers of certificates."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

import django_tables2 as tables
from django.db.models import F, Model, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from certdash.models import Learner
from certdash.models.tally import tallied, tally_groups
from certdash.rows import share_bar

from .base import Moment, NumberColumn, Table

_TALLY: dict[str, Callable[[Any], Any]] = {
    "delivered": lambda record: record.delivered,
    "pending": lambda record: record.pending,
    "certificates": lambda record: record.total,
    "newest": Moment(lambda record: record.newest),
}


def _name(heading: str | Promise, order_by: str = "sort_name") -> tables.TemplateColumn:
    """The column that leads to a record's own page."""
    return tables.TemplateColumn(template_name="tables/name.html", verbose_name=heading, order_by=(order_by, "pk"))


class _TalliedTable(Table):
    """Rows with their numbers; the queryset comes tallied, so that it can be ordered by them."""

    delivered = NumberColumn(_("Delivered"))
    pending = NumberColumn(_("Pending"))
    total = NumberColumn(_("Certificates"))
    share = tables.TemplateColumn(template_name="tables/share.html", verbose_name=_("Share"), orderable=False)
    newest = tables.TemplateColumn(template_name="tables/day.html", verbose_name=_("Newest"))

    def order_newest(self, queryset: QuerySet[Any], downwards: bool) -> tuple[QuerySet[Any], bool]:
        """Without any certificate comes last, whichever way and in every database."""
        newest = F("newest")
        order = newest.desc(nulls_last=True) if downwards else newest.asc(nulls_last=True)
        return queryset.order_by(order), True

    def records(self, ids: Sequence[int]) -> Iterable[Model]:
        records: QuerySet[Any] = self.data.data
        return records.filter(pk__in=ids)

    def rows_of(self, ids: Sequence[int]) -> list[Any]:
        rows = super().rows_of(ids)
        for row in rows:
            row.share = share_bar(row.delivered, row.pending)
        return rows


class StoryTable(_TalliedTable):
    name = _name(_("Story"))

    caption = _("Stories")
    empty_text = _("No story fits these filters.")
    columns_of_file: ClassVar[dict[str, Callable[[Any], Any]]] = {
        "app": lambda story: story.app.slug,
        "story_id": lambda story: story.vendor_id,
        "story": lambda story: story.name,
        "type": lambda story: story.type,
        **_TALLY,
        "withdrawn": Moment(lambda story: story.withdrawn_at),
    }

    class Meta:
        sequence = ("name", "...")
        order_by = "name"


class _CountedTable(_TalliedTable):
    """Counts only for the rows of a page, where counting all of them would take long: ordered by name."""

    delivered = NumberColumn(_("Delivered"), orderable=False)
    pending = NumberColumn(_("Pending"), orderable=False)
    total = NumberColumn(_("Certificates"), orderable=False)
    newest = tables.TemplateColumn(template_name="tables/day.html", verbose_name=_("Newest"), orderable=False)


class GroupTable(_CountedTable):
    name = _name(_("Group"), "slug")
    members = NumberColumn(_("People"))

    caption = _("Groups")
    empty_text = _("No tracked group fits these filters.")
    nothing_text = _("No group is tracked yet: an owner of an app lists them.")
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
    name = _name(_("Person"))

    caption = _("People")
    empty_text = _("No person fits these filters.")
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
