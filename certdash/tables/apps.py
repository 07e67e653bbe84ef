"""Apps, and who has access to them."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

import django_tables2 as tables
from django.db.models import Model, Prefetch, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from certdash.models import Grant, User
from certdash.stats import freshness

from .base import Moment, NumberColumn, Table


class GrantTable(Table):
    """Who has access, for an owner: accounts and teams are not theirs to read.

    Of a person the user name is told, and the e-mail address by which they were given access; of a team how many
    people are in it.
    """

    person = tables.Column(verbose_name=_("Person or team"), order_by=("holder_name", "pk"))
    role = tables.Column(verbose_name=_("Role"), order_by=("role", "holder_name", "pk"))
    take_away = tables.Column(verbose_name="", orderable=False)

    row_template = "apps/grant_row.html"  # the form in it needs the page's CSRF token

    caption = _("People with access")
    nothing_text = _("Nobody has access to this app but superusers.")
    columns_of_file: ClassVar[dict[str, Callable[[Any], Any]]] = {
        "name": lambda grant: grant.user.username if grant.user else "",
        "email": lambda grant: grant.email,
        "team": lambda grant: grant.team.name if grant.team else "",
        "members": lambda grant: "; ".join(grant.named_members),
        "role": lambda grant: grant.role,
    }

    class Meta:
        order_by = "person"

    def records(self, ids: Sequence[int]) -> Iterable[Any]:
        """With those of a team who can get in, by user name."""
        active = Prefetch("team__members", User.objects.filter(is_active=True).order_by("username"))
        grants = Grant.objects.filter(pk__in=ids).select_related("app", "user", "team").defer("app__token")
        return grants.prefetch_related(active)

    def rows_of(self, ids: Sequence[int]) -> list[Any]:
        rows = super().rows_of(ids)
        for grant in rows:
            self.tell(grant)
        return rows

    def tell(self, grant: Any) -> None:
        """Note what the page and a file say of the holder."""
        grant.name = grant.user.username if grant.user else grant.team.name
        grant.email = grant.user.email if grant.user and grant.by_email else ""
        grant.people, grant.named_members = len(grant.members), []


class WholeGrantTable(GrantTable):
    """The same for a superuser, who looks after accounts and teams."""

    def tell(self, grant: Any) -> None:
        super().tell(grant)
        if grant.user:
            grant.name, grant.email = str(grant.user), grant.user.email
        grant.named_members = [person.username for person in grant.members]


class AppTable(Table):
    name = tables.TemplateColumn(template_name="tables/app_name.html", verbose_name=_("App"), order_by=("name", "pk"))
    certificates_now = NumberColumn(_("Certificates"))
    fresh = tables.TemplateColumn(template_name="tables/app_fresh.html", verbose_name=_("Data"), orderable=False)

    caption = _("Apps")
    nothing_text = _("There is no app yet.")
    columns_of_file: ClassVar[dict[str, Callable[[Any], Any]]] = {
        "app": lambda app: app.slug,
        "name": lambda app: app.name,
        "certificates": lambda app: app.certificates_now,
        "checked": Moment(lambda app: app.fresh.checked_at),
        "data": lambda app: app.fresh.text,
    }

    class Meta:
        order_by = "name"

    def records(self, ids: Sequence[int]) -> Iterable[Model]:
        records: QuerySet[Any] = self.data.data
        return records.filter(pk__in=ids)

    def rows_of(self, ids: Sequence[int]) -> list[Any]:
        rows = super().rows_of(ids)
        for app, fresh in zip(rows, freshness(rows, timezone.now()), strict=True):
            app.fresh = fresh
        return rows
