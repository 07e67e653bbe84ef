"""Apps: the list of them, and for owners an app's connection, groups and people with access."""

from copy import copy
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import Count, QuerySet
from django.db.models.functions import Coalesce, Lower
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from certdash.access import app_or_404, role_in
from certdash.audit import note, note_connection
from certdash.falkor import FalkorError
from certdash.filters import AppFilter, GrantFilter
from certdash.forms import ConnectionForm, GrantForm, GroupsForm, ScopeForm
from certdash.forms.connection import interval_words
from certdash.links import isolated
from certdash.models import App, AuditKind, Certificate, CredentialUnreadable, Grant, Role, is_live
from certdash.models.group import track_groups, with_members
from certdash.rows import breadth_words
from certdash.signs import worker_sign
from certdash.stats import freshness, numbers
from certdash.sync.connection import test_connection
from certdash.sync.scope import unheard_stories
from certdash.tables import AppTable, GrantTable, Table, WholeGrantTable
from certdash.tables.runs import told
from certdash.views.page import List, page_is_about, viewer

_READ_AND_WRITE = ["GET", "HEAD", "POST"]


def _sent(request: HttpRequest) -> QueryDict | None:
    """What a form is bound to: also a form that was sent empty."""
    return request.POST if request.method == "POST" else None


class Apps(List):
    """The apps a viewer may see, with how fresh they are."""

    filter_class = AppFilter
    table_class = AppTable
    template_name = "apps/list.html"
    title = gettext_lazy("Apps")
    file_name = "apps"

    def queryset(self) -> QuerySet[Any]:
        live = Count("certificates", filter=is_live("certificates__"))
        return App.objects.filter(pk__in=[app.pk for app in self.apps]).defer("token").annotate(certificates_now=live)

    def context(self) -> dict[str, Any]:
        return {"worker": worker_sign(timezone.now())}


@require_safe
def app(request: HttpRequest, slug: str) -> HttpResponse:
    """One app: how fresh it is, its numbers, its last runs, and what its owners can do."""
    the_app = app_or_404(viewer(request), slug)
    live = Certificate.objects.of([the_app]).live()
    groups = with_members(the_app.groups.filter(tracked=True))
    context = {
        "app": the_app,
        "fresh": freshness([the_app], timezone.now())[0],
        "numbers": numbers([the_app], live, timezone.now()),
        "runs": told(the_app.runs.select_related("requested_by")[:5]),
        "groups": groups,
        "part": breadth_words(the_app, len(groups)),
        "unheard": unheard_stories(the_app),
        "interval": interval_words(the_app.refresh_minutes),
    }
    return _app_page(request, "apps/app.html", the_app, context)


def _app_page(
    request: HttpRequest, template: str, the_app: App, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    page_is_about(request, [the_app])
    role = role_in(viewer(request), the_app)
    rights = {"app": the_app, "may_sync": role in Role.MANAGER.and_above, "may_own": role == Role.OWNER}
    return render(request, template, context | rights, status=status)


@require_http_methods(_READ_AND_WRITE)
def app_add(request: HttpRequest) -> HttpResponse:
    """A superuser adds an app and becomes its owner."""
    if not viewer(request).is_superuser:
        raise PermissionDenied(gettext("Only a superuser of this dashboard adds apps. Nothing was changed."))
    form = ConnectionForm(_sent(request))
    if request.method == "POST" and form.is_valid() and _tested(request, form):
        try:
            with transaction.atomic():
                the_app = form.save()
                grant = Grant.objects.create(app=the_app, user=viewer(request), role=Role.OWNER)
                _note(AuditKind.ACCESS_GIVEN, request, grant)
                note_connection(the_app, None, viewer(request))
        except IntegrityError:  # the same form was sent twice, and the other one was quicker
            messages.info(request, gettext("This app is there already."))
            return redirect("apps")
        told = gettext("%(app)s is added. Name the groups to track, or synchronise it now.")
        messages.success(request, told % {"app": isolated(the_app.name)})
        return redirect("app", the_app.slug)
    return render(request, "apps/add.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(_READ_AND_WRITE)
def app_connection(request: HttpRequest, slug: str) -> HttpResponse:
    """An owner changes where and how an app is asked; the token can be written and never read."""
    the_app = app_or_404(viewer(request), slug, Role.OWNER)
    form = ConnectionForm(_sent(request), instance=copy(the_app))  # the page shows what is stored
    if request.method == "POST" and form.is_valid() and _tested(request, form):
        with transaction.atomic():
            stored = App.objects.select_for_update().get(pk=the_app.pk)  # the test has lasted a while
            if fits := form.fits(stored):
                note_connection(form.store_over(stored), stored, viewer(request))
        if fits:
            messages.success(request, gettext("The connection is saved."))
            return redirect("app", slug)
    return _app_page(request, "apps/connection.html", the_app, {"form": form}, 422 if form.errors else 200)


def _tested(request: HttpRequest, form: ConnectionForm) -> bool:
    """Whether the form's connection works, or its sender saves it without a test. Explains what is in the way."""
    connected = form.connected()
    if "untested" in request.POST:
        return True
    try:
        test_connection(connected)
    except (FalkorError, CredentialUnreadable) as error:
        told = gettext("Nothing was saved, since the connection does not work: %(error)s")
        form.add_error(None, told % {"error": error})
        if said := getattr(error, "vendor_message", ""):
            form.add_error(None, gettext("The vendor said: “%(said)s”") % {"said": isolated(said)})
        return False
    messages.success(request, _works())
    return True


@require_POST
def app_test(request: HttpRequest, slug: str) -> HttpResponse:
    """Tests the stored connection."""
    the_app = app_or_404(viewer(request), slug, Role.OWNER)
    try:
        test_connection(the_app)
    except (FalkorError, CredentialUnreadable) as error:
        said = getattr(error, "vendor_message", "")
        told = gettext("%(error)s The vendor said: “%(said)s”") % {"error": error, "said": isolated(said)}
        messages.error(request, told if said else str(error))
    else:
        messages.success(request, _works())
    return redirect("app", slug)


def _works() -> str:
    return gettext("The vendor answers, knows the token and has the endpoint enabled.")


@require_http_methods(_READ_AND_WRITE)
def app_groups(request: HttpRequest, slug: str) -> HttpResponse:
    """An owner lists the groups to track, one a line."""
    the_app = app_or_404(viewer(request), slug, Role.OWNER)
    form = GroupsForm(_sent(request), the_app)
    if request.method == "POST" and form.is_valid():
        track_groups(the_app, form.cleaned_data["names"])
        messages.success(request, gettext("The groups are saved. The next sync asks who is in them."))
        return redirect("app", slug)
    return _app_page(request, "apps/groups.html", the_app, {"form": form}, 422 if form.errors else 200)


@require_http_methods(_READ_AND_WRITE)
def app_scope(request: HttpRequest, slug: str) -> HttpResponse:
    """An owner chooses how much of the app is synchronised; nothing moves before the next sync."""
    the_app = app_or_404(viewer(request), slug, Role.OWNER)
    groups = list(the_app.groups.filter(tracked=True))
    form = ScopeForm(_sent(request), copy(the_app), groups)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, gettext("Saved. Nothing has moved yet: the next sync asks for what you chose."))
        return redirect("app", slug)
    context = {"form": form, "groups": groups, "unheard": unheard_stories(the_app)}
    return _app_page(request, "apps/scope.html", the_app, context, 422 if form.errors else 200)


class AppPeople(List):
    """Who has access to an app; an owner gives it and takes it away."""

    filter_class = GrantFilter
    table_class = GrantTable
    template_name = "apps/people.html"
    title = gettext_lazy("People with access")
    file_name = "access"
    of_vendor = False

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.app = app_or_404(viewer(request), kwargs["slug"], Role.OWNER)
        self.form = GrantForm()
        return super().dispatch(request, *args, **kwargs)

    def queryset(self) -> QuerySet[Any]:
        return Grant.objects.filter(app=self.app).annotate(holder_name=Lower(Coalesce("user__username", "team__name")))

    def make_table(self) -> Table:
        whole = viewer(self.request).is_superuser
        return WholeGrantTable(self.filters.qs, request=None) if whole else super().make_table()

    def context(self) -> dict[str, Any]:
        return {"app": self.app, "form": self.form, "may_own": True, "may_sync": True}

    def post(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        self.form = GrantForm(request.POST, knows_accounts=viewer(request).is_superuser)
        if self.form.is_valid():
            with transaction.atomic():
                _lock(self.app)
                grant = self.form.save(self.app)
                if grant.role != self.form.before:
                    _note(AuditKind.ACCESS_GIVEN, request, grant, **self.form.was)
                if not _still_owns(request, self.app):
                    self.form.add_error("login", gettext("Your own role stays: another owner can change it."))
        if not self.form.is_valid():
            response = self.get(request)
            response.status_code = 422
            return response
        told = _GIVEN_TO_TEAM if grant.team else _GIVEN
        messages.success(request, told[Role(grant.role)] % _holder(grant, self.app))
        return redirect("app_people", slug)


@require_POST
def app_take_away(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Takes the access of somebody, or of a team, away."""
    the_app = app_or_404(viewer(request), slug, Role.OWNER)
    grant = get_object_or_404(Grant.objects.select_related("app", "user", "team"), app=the_app, pk=pk)
    with transaction.atomic():
        _lock(the_app)
        Grant.objects.filter(pk=pk).delete()
        _note(AuditKind.ACCESS_TAKEN, request, grant)
        kept = not _still_owns(request, the_app)
    if kept:
        messages.error(request, gettext("Your own access stays: another owner can take it away."))
    else:
        told = gettext("%(holder)s has no access to %(app)s any more.")
        if grant.team:
            told = gettext("The team %(holder)s has no access to %(app)s any more.")
        messages.success(request, told % _holder(grant, the_app))
    return redirect("app_people", slug)


def _lock(the_app: App) -> None:
    """Of two owners who end each other's access at once, the second one is told that it is gone."""
    App.objects.select_for_update().values_list("pk").get(pk=the_app.pk)


def _still_owns(request: HttpRequest, the_app: App) -> bool:
    """Whether who asks is an owner still, alone or in a team; else what this transaction did is undone."""
    owns = role_in(viewer(request), the_app) == Role.OWNER
    if not owns:
        transaction.set_rollback(True)
    return owns


_GIVEN = {
    Role.VIEWER: gettext_lazy("%(holder)s is viewer of %(app)s now."),
    Role.MANAGER: gettext_lazy("%(holder)s is manager of %(app)s now."),
    Role.OWNER: gettext_lazy("%(holder)s is owner of %(app)s now."),
}
_GIVEN_TO_TEAM = {
    Role.VIEWER: gettext_lazy("The team %(holder)s is viewer of %(app)s now."),
    Role.MANAGER: gettext_lazy("The team %(holder)s is manager of %(app)s now."),
    Role.OWNER: gettext_lazy("The team %(holder)s is owner of %(app)s now."),
}


def _holder(grant: Grant, the_app: App) -> dict[str, str]:
    """By the user name, which only one person has."""
    name = grant.team.name if grant.team else grant.user.username if grant.user else ""
    return {"holder": isolated(name), "app": isolated(the_app.name)}


def _note(kind: AuditKind, request: HttpRequest, grant: Grant, **details: str) -> None:
    note(kind, grant.app, viewer(request), role=grant.role, **grant.holder_in_words, **details)
