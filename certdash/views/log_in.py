"""Logging in and out: by password where that is allowed, or by single sign-on."""

from http import HTTPStatus

from allauth.account import views as allauth
from allauth.account.utils import get_next_redirect_url
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_safe

from certdash import single_sign_on
from certdash.adapters import too_many
from certdash.attempts import Count, TooManyAttempts, give_back, take
from certdash.audit import note
from certdash.devices import remember_device
from certdash.models import AuditKind
from certdash.views.page import viewer
from certdash.ways import led_to


@login_not_required
@never_cache
def log_in(request: HttpRequest) -> HttpResponseBase:
    """The form; or, for who opened a page, the provider first, which may know them already."""
    if request.method == "POST" and settings.OIDC_ONLY:
        raise PermissionDenied
    if not _worth_a_try(request):
        return _form(request)
    response: HttpResponseBase
    try:
        response = single_sign_on.start(request, get_next_redirect_url(request), silent=True)
    except single_sign_on.PROVIDER_ERRORS:
        response = _form(request)
    single_sign_on.remember_that_it_was_tried(response)
    return response


def _form(request: HttpRequest) -> HttpResponseBase:
    response: HttpResponseBase = allauth.LoginView.as_view(
        extra_context={
            "single_sign_on": bool(settings.OIDC_ISSUER),
            "only": settings.OIDC_ONLY,
            "sends_mail": settings.SENDS_MAIL,
            "next": get_next_redirect_url(request) or "",
        }
    )(request)
    return response


def _worth_a_try(request: HttpRequest) -> bool:
    # Only a page that a person opens can go to the provider and come back: not a part of one that a script asks for.
    opens_page = request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate" and "HX-Request" not in request.headers
    return bool(
        settings.OIDC_ISSUER
        and request.method == "GET"
        and not request.user.is_authenticated
        and opens_page
        and not single_sign_on.was_tried(request)
        and get_next_redirect_url(request)
    )


@login_not_required
def log_out(request: HttpRequest) -> HttpResponseBase:
    response: HttpResponseBase = allauth.logout(request)
    if request.method == "POST":
        single_sign_on.remember_that_it_was_tried(response)
    return response


@login_not_required
@never_cache
@require_safe
def sign_on(request: HttpRequest) -> HttpResponseBase:
    """To the provider, because somebody asks for it."""
    if not settings.OIDC_ISSUER:
        raise Http404
    wanted = get_next_redirect_url(request)
    if request.user.is_authenticated:
        return led_to(wanted, settings.LOGIN_REDIRECT_URL)
    try:
        return single_sign_on.start(request, wanted)
    except single_sign_on.PROVIDER_ERRORS as error:
        return single_sign_on.failed(request, {"next": wanted}, error)


@login_not_required
@never_cache
@require_GET
def signed_on(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    """Back from the provider."""
    if not settings.OIDC_ISSUER:
        raise Http404
    try:
        view = OAuth2CallbackView.adapter_view(single_sign_on.Provider(request, provider_id))
        response: HttpResponse = view(request)
    except single_sign_on.PROVIDER_ERRORS as error:
        return single_sign_on.failed(request, {}, error)
    return response


def change_password(request: HttpRequest) -> HttpResponseBase:
    """The form; its old password is one more that could be tried, and is counted like the others."""
    person = viewer(request)
    if settings.OIDC_ONLY or not person.has_usable_password():
        raise Http404
    if request.method != "POST":
        form: HttpResponseBase = allauth.password_change(request)
        return form
    count = Count.of("change", person.pk)
    try:
        moment = take(count)
    except TooManyAttempts as error:
        return too_many(request, error)
    response: HttpResponseBase = allauth.password_change(request)
    if response.status_code == HTTPStatus.FOUND:
        note(AuditKind.PERSON, None, person, change="password changed", account=person.username)
        give_back(moment, count)
        remember_device(request, response, person)
    return response
