"""Teams, for superusers: people who are given access together."""

from typing import Any

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from certdash.access import superuser_or_404
from certdash.audit import note, note_membership
from certdash.filters import TeamFilter
from certdash.forms import TeamForm
from certdash.links import isolated
from certdash.models import AuditKind, Team
from certdash.tables import TeamTable
from certdash.views.accounts import SuperusersList
from certdash.views.page import viewer

_READ_AND_WRITE = ["GET", "HEAD", "POST"]


class Teams(SuperusersList):
    """Every team."""

    filter_class = TeamFilter
    table_class = TeamTable
    template_name = "accounts/teams.html"
    title = gettext_lazy("Teams")
    file_name = "teams"

    def queryset(self) -> QuerySet[Any]:
        return Team.objects.annotate(
            sort_name=Lower("name"),
            people=Count("members", filter=Q(members__is_active=True), distinct=True),
            apps=Count("grants", distinct=True),
        )


@require_http_methods(_READ_AND_WRITE)
def team_add(request: HttpRequest) -> HttpResponse:
    """Makes a team."""
    superuser_or_404(viewer(request))
    form = TeamForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and (team := _saved(request, form, "made")):
        told = gettext("The team %(team)s is there. Owners give it access on the page of their app.")
        messages.success(request, told % {"team": isolated(team.name)})
        return redirect("team", team.pk)
    return render(request, "accounts/team_add.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(_READ_AND_WRITE)
def team(request: HttpRequest, pk: int) -> HttpResponse:
    """One team: its name, who is in it, and what it may do."""
    superuser_or_404(viewer(request))
    stored = get_object_or_404(Team, pk=pk)
    form = TeamForm(request.POST if request.method == "POST" else None, Team.objects.get(pk=pk))
    if request.method == "POST" and form.is_valid() and (saved := _saved(request, form, "changed")):
        messages.success(request, gettext("The team %(team)s is saved.") % {"team": isolated(saved.name)})
        return redirect("team", pk)
    context = {
        "form": form,
        "team": stored,
        "members": stored.members.order_by(Lower("username")),
        "grants": stored.grants.select_related("app").defer("app__token").order_by("app__name"),
    }
    return render(request, "accounts/team.html", context, status=422 if form.errors else 200)


@require_POST
def team_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Takes a team away, and with it what was given to it."""
    superuser_or_404(viewer(request))
    with transaction.atomic():
        the_team = get_object_or_404(Team.objects.select_for_update(), pk=pk)
        for grant in the_team.grants.select_related("app").defer("app__token"):
            note(AuditKind.ACCESS_TAKEN, grant.app, viewer(request), role=grant.role, team=the_team.name)
        note(AuditKind.TEAM, None, viewer(request), team=the_team.name, change="deleted")
        the_team.delete()
    told = gettext("The team %(team)s is gone, and with it the access that it gave.")
    messages.success(request, told % {"team": isolated(the_team.name)})
    return redirect("teams")


def _saved(request: HttpRequest, form: TeamForm, change: str) -> Team | None:
    """The stored team; None when another one took the name at the same moment, as the form then tells."""
    before = form.initial.get("name", "")
    try:
        with transaction.atomic():
            the_team = form.save()
            if {"name", "claim"} & {*form.changed_data}:
                renamed = {"before": before} if before and before != the_team.name else {}
                _note(request, the_team, change, **renamed)
            for person in form.came:
                note_membership(the_team, person, "joined", viewer(request))
            for person in form.went:
                note_membership(the_team, person, "left", viewer(request))
    except IntegrityError:
        form.add_error("name", gettext("Another team has this name."))
        return None
    return the_team


def _note(request: HttpRequest, the_team: Team, change: str, **details: str) -> None:
    note(AuditKind.TEAM, None, viewer(request), team=the_team.name, change=change, **details)
