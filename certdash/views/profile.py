"""Everybody's own page: who they are here, what they may see, and the clock that their pages go by."""

from copy import copy

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from certdash.connecting import is_connected
from certdash.forms import ProfileForm
from certdash.models import Grant
from certdash.single_sign_on import may_be_chosen
from certdash.views.page import viewer, way_back


@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """The profile, and changing what of it is one's own to choose."""
    person = viewer(request)
    form = ProfileForm(request.POST if request.method == "POST" else None, copy(person))
    if request.method == "POST" and form.is_valid():
        form.store()
        messages.success(request, gettext("Your profile is saved."))
        return redirect("profile")
    context = {
        "form": form,
        "person": person,
        "single_sign_on": bool(settings.OIDC_ISSUER),
        "connected": is_connected(person),
        "may_choose": may_be_chosen(person),
        "installations_zone": settings.TIME_ZONE,
        "grants": Grant.objects.of(person)
        .select_related("app", "team")
        .defer("app__token")
        .order_by("app__name", "pk"),
    }
    return render(request, "accounts/profile.html", context, status=422 if form.errors else 200)


@require_POST
def profile_zone(request: HttpRequest) -> HttpResponse:
    """Takes the time zone that a page has offered, and leads back to that page."""
    form = ProfileForm(request.POST, copy(viewer(request)))
    if not form.is_valid():
        messages.error(
            request, gettext("This browser’s time zone is not known here, so nothing was changed. Choose one here.")
        )
        return redirect("profile")
    zone = form.store().time_zone or settings.TIME_ZONE
    told = gettext("Times are shown in %(zone)s from now on. Your profile is where to change it.")
    messages.success(request, told % {"zone": zone})
    return way_back(request, "profile")
