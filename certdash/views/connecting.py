"""Connecting single sign-on with an account that is here already, and ending that."""

from http import HTTPStatus

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from certdash import single_sign_on
from certdash.adapters import too_many
from certdash.attempts import Count, TooManyAttempts, give_back, take
from certdash.connecting import disconnect, is_connected
from certdash.forms import PasswordForm
from certdash.invitations import connecting, person_of
from certdash.models import User
from certdash.views.page import viewer

_READ_AND_WRITE = ["GET", "HEAD", "POST"]


@require_http_methods(_READ_AND_WRITE)
def profile_connect(request: HttpRequest) -> HttpResponse:
    """Asks for the password again, which is one more that could be tried, and leads to the provider."""
    person = viewer(request)
    if not single_sign_on.may_be_chosen(person) or is_connected(person):
        raise Http404
    if request.method != "POST":
        return _asked(request, PasswordForm(None, person))
    count = Count.of("change", person.pk)
    try:
        moment = take(count)
    except TooManyAttempts as error:
        return too_many(request, error)
    form = PasswordForm(request.POST, person)
    if not form.is_valid():
        return _asked(request, form)
    give_back(moment, count)
    return _to_provider(request, "profile", person)


@require_POST
def profile_disconnect(request: HttpRequest) -> HttpResponse:
    """Whoever has a password can come in without the provider."""
    person = viewer(request)
    if not single_sign_on.may_be_chosen(person):
        raise Http404
    disconnect(person)
    messages.success(request, gettext("Single sign-on does not open this account any more: log in with your password."))
    return redirect("profile")


@login_not_required
@never_cache
@require_http_methods(_READ_AND_WRITE)
def connect_by_link(request: HttpRequest, uidb64: str, token: str) -> HttpResponse:
    """Whoever has the link signs in at the provider, and comes in by that from then on."""
    if not settings.OIDC_ISSUER:
        raise Http404
    person = person_of(uidb64)
    if not person or not connecting.check_token(person, token):
        return render(request, "accounts/connect_by_link.html", {"person": None}, status=HTTPStatus.GONE)
    if request.method == "POST":
        return _to_provider(request, "overview", person, token)
    return render(request, "accounts/connect_by_link.html", {"person": person})


def _asked(request: HttpRequest, form: PasswordForm) -> HttpResponse:
    return render(request, "accounts/connect.html", {"form": form}, status=422 if form.errors else 200)


def _to_provider(request: HttpRequest, after: str, person: User, token: str = "") -> HttpResponse:
    try:
        return single_sign_on.start_to_connect(request, after, person, token)
    except single_sign_on.PROVIDER_ERRORS as error:
        return single_sign_on.failed(request, {}, error)
