"""Stories, groups and people, with their numbers of certificates."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

import django_tables2 as tables
from django.db.models import Avg, Case, Count, Model, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from certdash.models import App, Certificate, Learner, State
from certdash.models.tally import Tally, tallies
from certdash.remembered import remembered_rows
from certdash.rows import person_url, share_bar, story_url

from .base import NUMBERS, Moment, NumberColumn, Table
from .ranked import RankedTable

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
    """Rows with their numbers, which are counted for those of a page, and for all only when these are the order."""

    delivered = NumberColumn(_("Delivered"))
    pending = tables.TemplateColumn(
        template_name="tables/pending.html", verbose_name=_("Pending"), attrs=NUMBERS, empty_values=()
    )
    total = NumberColumn(_("Certificates"))
    share = tables.TemplateColumn(template_name="tables/share.html", verbose_name=_("Share"))
    newest = tables.TemplateColumn(template_name="tables/day.html", verbose_name=_("Newest"))

    def counted(self, ids: Sequence[int]) -> Mapping[int, Tally]:
        """The numbers of each of these."""
        return _with_those_without_any(ids, self.tallies(ids))

    def tallies(self, ids: Sequence[int]) -> QuerySet[Any]:
        """What `models.tally.tallies` gives of these."""
        raise NotImplementedError

    def url_of(self, record: Any) -> str:
        """The record's own page."""
        raise NotImplementedError

    def records(self, ids: Sequence[int]) -> Iterable[Model]:
        records: QuerySet[Any] = self.data.data
        return records.filter(pk__in=ids)

    def rows_of(self, ids: Sequence[int]) -> list[Any]:
        rows, counted = super().rows_of(ids), self.counted(ids)
        for row in rows:
            row.delivered, row.pending, row.total, row.newest = counted[row.pk]
            row.share = share_bar(row.delivered, row.pending)
            row.url = self.url_of(row)
            row.pending_url = f"{row.url}?state=pending"
        return rows


class _FewTable(_TalliedTable, RankedTable):
    """Stories or groups, of which there are hundreds: what is counted of them is remembered."""

    ranks: ClassVar[Mapping[str, Callable[[Tally], Any]]] = {
        "delivered": lambda tally: tally.delivered,
        "pending": lambda tally: tally.pending,
        "total": lambda tally: tally.total,
        "share": lambda tally: tally.share,
        "newest": lambda tally: tally.newest,
    }

    def __init__(self, data: QuerySet[Any], apps: Sequence[App], **kwargs: Any) -> None:
        """`apps`: all to which the rows may belong."""
        self.apps = apps
        self._counted: dict[int, Tally] = {}
        super().__init__(data, **kwargs)

    def counted(self, ids: Sequence[int]) -> Mapping[int, Tally]:
        if not self._counted.keys() >= {*ids}:  # once all are, for their order, so are those of the page
            self._counted = _with_those_without_any(ids, remembered_rows(self.apps, self.tallies(ids)))
        return self._counted


def _with_those_without_any(ids: Sequence[int], counted: Iterable[Any]) -> dict[int, Tally]:
    return dict.fromkeys(ids, Tally()) | {pk: Tally(*parts) for pk, *parts in counted}


class StoryTable(_FewTable):
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

    def tallies(self, ids: Sequence[int]) -> QuerySet[Any]:
        return tallies(Certificate.objects.filter(story__in=ids), "story")

    def url_of(self, record: Any) -> str:
        return story_url(record.app, record)


class GroupTable(_FewTable):
    name = _name(_("Group"), "slug")
    members = NumberColumn(_("People"))

    caption = _("Groups")
    empty_text = _("No tracked group fits these filters.")
    columns_of_file: ClassVar[dict[str, Callable[[Any], Any]]] = {
        "app": lambda group: group.app.slug,
        "group": lambda group: group.name,
        "people": lambda group: group.members,
        **_TALLY,
    }

    class Meta:
        sequence = ("name", "members", "...")
        order_by = "name"

    def tallies(self, ids: Sequence[int]) -> QuerySet[Any]:
        """Over the certificates of who is in them now."""
        of_members = Certificate.objects.filter(learner__memberships__until=None, learner__memberships__group__in=ids)
        return tallies(of_members, "learner__memberships__group")

    def url_of(self, record: Any) -> str:
        return reverse("group", args=[record.app.slug, record.key])


class PersonTable(_TalliedTable):
    name = _name(_("Person"))

    caption = _("People")
    empty_text = _("No person fits these filters.")
    # The certificates of everybody who is listed are counted: those of 50,000 people in about a second.
    slowly_ordered = ("delivered", "pending", "total", "share", "newest")
    columns_of_file: ClassVar[dict[str, Callable[[Any], Any]]] = {
        "app": lambda learner: learner.app.slug,
        "person": lambda learner: learner.name,
        "email": lambda learner: learner.email,
        **_TALLY,
    }

    class Meta:
        sequence = ("name", "...")
        order_by = "name"

    def order_delivered(self, learners: QuerySet[Any], downwards: bool) -> tuple[QuerySet[Any], bool]:
        return _by(learners, _many(Q(state=State.DELIVERED)), downwards)

    def order_pending(self, learners: QuerySet[Any], downwards: bool) -> tuple[QuerySet[Any], bool]:
        return _by(learners, _many(Q(state=State.PENDING)), downwards)

    def order_total(self, learners: QuerySet[Any], downwards: bool) -> tuple[QuerySet[Any], bool]:
        return _by(learners, _many(Q()), downwards)

    def order_share(self, learners: QuerySet[Any], downwards: bool) -> tuple[QuerySet[Any], bool]:
        counted = _live(Q(state__in=(State.DELIVERED, State.PENDING)))
        share = Avg(Case(When(state=State.DELIVERED, then=1.0), default=0.0))
        return _by(learners, Subquery(counted.annotate(told=share).values("told")), downwards)

    def order_newest(self, learners: QuerySet[Any], downwards: bool) -> tuple[QuerySet[Any], bool]:
        newest = _live(Q()).order_by("-timestamp").values("timestamp")[:1]
        return _by(learners, Subquery(newest), downwards)

    def tallies(self, ids: Sequence[int]) -> QuerySet[Any]:
        return tallies(Certificate.objects.filter(learner__in=ids), "learner")

    def url_of(self, record: Any) -> str:
        return person_url(record.pk)

    def records(self, ids: Sequence[int]) -> Iterable[Model]:
        return Learner.objects.filter(pk__in=ids).select_related("app").defer("app__token")


def _live(which: Q) -> QuerySet[Any]:
    """A learner's live certificates, in a query of learners: there are more of those than can be sorted here."""
    return Certificate.objects.live().filter(which, learner=OuterRef("pk")).order_by().values("learner")


def _many(which: Q) -> Coalesce:
    return Coalesce(Subquery(_live(which).annotate(told=Count("pk")).values("told")), 0)


def _by(learners: QuerySet[Any], told: Subquery | Coalesce, downwards: bool) -> tuple[QuerySet[Any], bool]:
    """Those with nothing to compare come last, whichever way and in every database; equals go by their name."""
    order = told.desc(nulls_last=True) if downwards else told.asc(nulls_last=True)
    return learners.order_by(order, "sort_name", "pk"), True
