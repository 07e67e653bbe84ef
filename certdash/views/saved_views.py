"""Saved views: the list of them, opening one, and what people do with theirs."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Case, CharField, Exists, F, OuterRef, QuerySet, Value, When
from django.db.models.functions import Coalesce, Concat, Lower, NullIf, Trim
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from certdash.access import apps_for, may_delete_view, views_for
from certdash.filters import SavedViewFilter
from certdash.forms import SavedViewForm
from certdash.forms.saved_views import make_home, pin
from certdash.links import isolated, unmarked
from certdash.models import Badge, Role, SavedView, User
from certdash.rows import cut
from certdash.saved_views import PAGES, Kept, NotKept, address_of, kept, leads_somewhere, page_of, told
from certdash.tables import SavedViewTable, Table
from certdash.views.page import List, viewer, visible_apps, way_back
from certdash.views.segments import segments
from certdash.ways import led_to

_READ_AND_WRITE = ["GET", "HEAD", "POST"]
_WHOSE = {
    "mine": Badge("", "person", gettext_lazy("Mine")),
    "shared": Badge("", "group", gettext_lazy("Shared with me")),
}


class SavedViews(List):
    """One's own views, and those that are shared with everybody who may see an app."""

    filter_class = SavedViewFilter
    table_class = SavedViewTable
    template_name = "views/list.html"
    title = gettext_lazy("Views")
    file_name = "views"
    of_vendor = False

    def queryset(self) -> QuerySet[Any]:
        person = viewer(self.request)
        full_name = NullIf(Trim(Concat("owner__first_name", Value(" "), "owner__last_name")), Value(""))
        # Of an app that the viewer may not see any more not even the name is told.
        seen = When(app__in=self.apps, then=F("app__name"))
        return views_for(person, self.apps).annotate(
            sort_name=Lower("name"),
            owner_name=Lower(Coalesce(full_name, "owner__username", output_field=CharField())),
            shared_with=Case(seen, default=Value("")),
            whose=Case(When(owner=person, then=Value("mine")), default=Value("shared")),
            pinned=Exists(_pins_of(person)),
            is_home=Exists(User.objects.filter(pk=person.pk, home=OuterRef("pk"))),
        )

    def make_table(self) -> Table:
        return SavedViewTable(self.filters.qs, self.apps, request=None)

    def context(self) -> dict[str, Any]:
        owned = set(apps_for(viewer(self.request), Role.OWNER).values_list("pk", flat=True))
        return {"segments": segments(self, "whose", _WHOSE), "owned": owned}


@require_safe
def view(request: HttpRequest, slug: str) -> HttpResponse:
    """Leads to the page of a view, with its filters; that page asks again what this person may see."""
    return led_to(address_of(_view_or_404(request, slug, of_a_page=True)), "views")


@require_http_methods(_READ_AND_WRITE)
def view_add(request: HttpRequest) -> HttpResponse:
    """Keeps a page with its filters under a name, and leads back to it."""
    given = request.POST if request.method == "POST" else request.GET
    path, query = given.get("path", reverse("certificates")), given.get("query", "")
    try:
        there = SavedView(path=path, query=kept(path, query).query)
    except NotKept:  # then there is no list to go back to either
        if request.method != "POST":
            raise Http404("No page that a view could lead to.") from None
        keeps, cancel_url, name = None, reverse("views"), ""
    else:
        (keeps,), cancel_url = told([there], visible_apps(request)), address_of(there)
        name = _suggested(keeps)
    form = _form(request, SavedView(), path=path, query=query, name=name)
    if request.method == "POST" and form.is_valid() and (saved := form.store()):
        success = gettext("The view %(name)s is saved. You find it under Views.")
        messages.success(request, success % {"name": isolated(saved.name)})
        return led_to(address_of(saved), "views")
    context = {"form": form, "keeps": keeps, "cancel_url": cancel_url}
    return render(request, "views/add.html", context, status=422 if form.errors else 200)


@require_http_methods(_READ_AND_WRITE)
def view_edit(request: HttpRequest, slug: str) -> HttpResponse:
    """Changes what a view is called and whom it is for; where it leads stays."""
    stored = _view_or_404(request, slug)
    if stored.owner_id != viewer(request).pk:
        raise PermissionDenied
    name = stored.name
    (keeps,) = told([stored], visible_apps(request))
    form = _form(request, stored)
    if request.method == "POST" and form.is_valid() and (saved := form.store()):
        messages.success(request, gettext("The view %(name)s is saved.") % {"name": isolated(saved.name)})
        return redirect("views")
    context = {"form": form, "view": stored, "name": name, "keeps": keeps}
    return render(request, "views/edit.html", context, status=422 if form.errors else 200)


@require_http_methods(_READ_AND_WRITE)
def view_delete(request: HttpRequest, slug: str) -> HttpResponse:
    """Asks whether to delete a view, and deletes it."""
    stored = _view_or_404(request, slug)
    if not may_delete_view(viewer(request), stored):
        raise PermissionDenied
    if request.method == "POST":
        stored.delete()
        messages.success(request, gettext("The view %(name)s is deleted.") % {"name": isolated(stored.name)})
        return redirect("views")
    shared = stored.app_id in {app.pk for app in visible_apps(request)}
    context = {"view": stored, "mine": stored.owner_id == viewer(request).pk, "shared": shared}
    return render(request, "views/delete.html", context)


@require_POST
def view_pin(request: HttpRequest, slug: str) -> HttpResponse:
    """Puts a view into one's own navigation, or takes it out."""
    pin(_view_or_404(request, slug), viewer(request), request.POST.get("wanted") == "1")
    return way_back(request, "views")


@require_POST
def view_home(request: HttpRequest, slug: str) -> HttpResponse:
    """Has a view open after the log-in, or not any more."""
    make_home(_view_or_404(request, slug), viewer(request), request.POST.get("wanted") == "1")
    return way_back(request, "views")


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Leads to the view that is one's home, or to the overview, which then says why."""
    person, apps = viewer(request), visible_apps(request)
    chosen = views_for(person, apps).filter(pk=person.home_id).first() if person.home_id else None
    if chosen and leads_somewhere(chosen, apps):
        return led_to(address_of(chosen), "overview")
    if person.home_id:
        nowhere = gettext(
            "The view that is your home leads nowhere: its page is gone, or you may not see it any more. "
            "This is the overview instead; choose another home under Views."
        )
        messages.warning(request, nowhere)
    return redirect("overview")


def _view_or_404(request: HttpRequest, slug: str, *, of_a_page: bool = False) -> SavedView:
    """`of_a_page`: whose page is still there. What is not shared with the viewer does not exist."""
    views = views_for(viewer(request), visible_apps(request)).select_related("owner", "app").defer("app__token")
    found = views.filter(slug=slug).first()
    if found is None or (of_a_page and not page_of(found.path)):
        raise Http404("No such view.")
    return found


def _suggested(keeps: Kept) -> str:
    """A name: what the page is about, and its filters. Nobody's name: an erasure takes along what bears it."""
    if keeps.page == PAGES["person"]:
        return ""
    return cut(unmarked(", ".join([keeps.about or keeps.page, *keeps.words])), SavedView.LONGEST_NAME)


def _form(request: HttpRequest, instance: SavedView, **initial: str) -> SavedViewForm:
    data = request.POST if request.method == "POST" else None
    return SavedViewForm(data, viewer(request), visible_apps(request), instance, **initial)


def _pins_of(person: User) -> QuerySet[Any]:
    return SavedView.pinned_by.through.objects.filter(user=person, savedview=OuterRef("pk"))
