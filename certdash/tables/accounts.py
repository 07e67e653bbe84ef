"""Accounts and teams as rows."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

import django_tables2 as tables
from django.db.models import Model, OuterRef, Prefetch, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Lower
from django.utils.translation import gettext_lazy as _

from certdash.models import Grant, Team, User

from .base import Moment, NumberColumn, Table


class AccountTable(Table):
    person = tables.Column(verbose_name=_("Person"), order_by=("sort_name", "pk"))
    email = tables.Column(verbose_name=_("E-mail address"), order_by=("sort_email", "pk"))
    teams = tables.Column(verbose_name=_("Teams"))
    last_login = tables.Column(verbose_name=_("Last log-in"), order_by=("last_login", "pk"))
    state = tables.Column(verbose_name=_("State"), order_by=("is_active", "last_login", "pk"))

    row_template = "accounts/person_row.html"
    caption = _("Accounts")
    columns_of_file: ClassVar[dict[str, Callable[[User], Any]]] = {
        "username": lambda person: person.username,
        "name": lambda person: person.get_full_name(),
        "email": lambda person: person.email,
        "teams": lambda person: "; ".join(sorted(team.name for team in person.teams.all())),
        "last_login": Moment(lambda person: person.last_login),
        "state": lambda person: person.state,
        "superuser": lambda person: "yes" if person.is_superuser else "no",
    }

    class Meta:
        order_by = "person"

    def order_teams(self, people: QuerySet[Any], downwards: bool) -> tuple[QuerySet[Any], bool]:
        """By the first team's name; in no team comes first."""
        theirs = Team.objects.filter(members=OuterRef("pk")).order_by(Lower("name")).values(first=Lower("name"))
        first = Coalesce(Subquery(theirs[:1]), Value(""))
        return people.order_by(first.desc() if downwards else first.asc(), "sort_name", "pk"), True

    def records(self, ids: Sequence[int]) -> Iterable[Model]:
        return User.objects.filter(pk__in=ids).prefetch_related("teams")


class TeamTable(Table):
    name = tables.Column(verbose_name=_("Team"), order_by=("sort_name", "pk"))
    people = NumberColumn(_("People"))
    apps = NumberColumn(_("Apps"))
    claim = tables.Column(verbose_name=_("Filled by"), order_by=("claim", "pk"))

    row_template = "accounts/team_row.html"
    caption = _("Teams")
    nothing_text = _("There is no team yet.")
    columns_of_file: ClassVar[dict[str, Callable[[Any], Any]]] = {
        "team": lambda team: team.name,
        "claim": lambda team: team.claim,
        "members": lambda team: "; ".join(sorted(person.username for person in team.members.all())),
        "apps": lambda team: "; ".join(sorted(grant.app.slug for grant in team.grants.all())),
    }

    class Meta:
        order_by = "name"

    def records(self, ids: Sequence[int]) -> Iterable[Model]:
        grants = Prefetch("grants", Grant.objects.select_related("app").defer("app__token"))
        teams: QuerySet[Any] = self.data.data
        return teams.filter(pk__in=ids).prefetch_related("members", grants)
