"""Refreshing one story or one person from their pages: a narrow run, by the endpoint's own parameters."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from certdash.access import app_or_404
from certdash.keys import name_stories
from certdash.models import App, Breadth, Learner, Role, Story
from certdash.rows import story_url
from certdash.sync.asking import Scope
from certdash.sync.scope import why_not
from certdash.views.certificates import CertificatesOf
from certdash.views.page import here, own_role, viewer, visible_apps
from certdash.views.runs import start


def of_story(page: CertificatesOf, app: App, story: Story) -> dict[str, Any]:
    """Context of a story's page: the button with what it will do, or why the vendor is not asked for the story."""
    tells = gettext("Asks the vendor for this story alone, by its name. What it no longer names here is withdrawn.")
    if story.vendor_id.strip():
        tells = gettext("Asks the vendor for all stories of this ID. What it no longer names of them is withdrawn.")
    if app.breadth == Breadth.GROUPS:
        tells = gettext(
            "Asks the vendor for this story in each tracked group. "
            "Nothing is withdrawn, since only a full sync tells who left a group."
        )
    url = reverse("story_refresh", args=[app.slug, story.key])
    why = _why_not(app, _narrow_to_story(story), story)
    return _context(page, app, {"url": url, "tells": tells}, why)


def of_person(page: CertificatesOf, learner: Learner) -> dict[str, Any]:
    """The same of a person's page."""
    app, narrow = learner.app, _narrow_to_person(learner)
    tells = gettext("Asks the vendor for this name alone. Others may have it too, so nothing is withdrawn.")
    if narrow.named:
        tells = gettext(
            "Asks the vendor for this e-mail address alone: "
            "in the stories that come back, what it no longer names of this person is withdrawn."
        )
    if app.breadth == Breadth.GROUPS:
        tells = gettext(
            "Asks the vendor for this person in each tracked group. "
            "Nothing is withdrawn, since only a full sync tells who left a group."
        )
    url = reverse("person_refresh", args=[learner.pk])
    return _context(page, app, {"url": url, "tells": tells}, _why_not(app, narrow))


def _context(page: CertificatesOf, app: App, button: dict[str, str], why: str) -> dict[str, Any]:
    role = own_role(page.request, app)
    offered = not why and role in Role.MANAGER.and_above
    outside = page.numbers_and_outside[1] if app.breadth != Breadth.EVERYTHING else 0
    if outside and not page.filters.active:
        page.table.empty_text = gettext("All that is known here is out of scope.")
        page.table.empty_url = f"{here(page.request)}?withdrawn=all"
        page.table.empty_label = gettext("Show what is out of scope")
    return {"refresh": button if offered else None, "why_not": why, "outside": outside, "role": role}


def _why_not(app: App, narrow: Scope, story: Story | None = None) -> str:
    if narrow.full:
        return gettext("The vendor cannot be asked for this one alone, since there is nothing to call it by.")
    return why_not(app, narrow, story)


def _narrow_to_story(story: Story) -> Scope:
    return Scope(story=story.vendor_id.strip() or story.name.strip())


def _narrow_to_person(learner: Learner) -> Scope:
    asked = learner.email.strip() or learner.name.strip()
    return Scope(users=(asked,) if asked else ())


@require_POST
def refresh_story(request: HttpRequest, app: str, key: str) -> HttpResponse:
    """Opens a run for one story."""
    the_app = app_or_404(viewer(request), app, Role.MANAGER)
    named = name_stories(Story.objects.filter(app=the_app), [key])[key]
    if len(named) != 1:
        raise Http404("No such story.")
    story, narrow = named[0], _narrow_to_story(named[0])
    if why := _why_not(the_app, narrow, story):
        messages.error(request, why)
        return HttpResponseRedirect(story_url(the_app, story))
    return start(request, the_app, narrow)


@require_POST
def refresh_person(request: HttpRequest, pk: int) -> HttpResponse:
    """Opens a run for one person."""
    learner = get_object_or_404(Learner.objects.select_related("app"), app__in=visible_apps(request), pk=pk)
    app = app_or_404(viewer(request), learner.app.slug, Role.MANAGER)
    narrow = _narrow_to_person(learner)
    if why := _why_not(app, narrow):
        messages.error(request, why)
        return redirect("person", pk)
    return start(request, app, narrow)
