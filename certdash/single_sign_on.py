"""Single sign-on by OpenID Connect: where the provider is asked, what it tells, and the teams that follow from it.

allauth speaks the protocol: discovery, code flow with PKCE and a state that is bound to the browser's session. An
account is found by provider and subject alone, never by its e-mail address.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.providers.base import ProviderException
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from requests import RequestException

from certdash.audit import note_membership
from certdash.models import Team, User

log = logging.getLogger(__name__)

DISCOVERY_SECONDS = 600
DOWN_SECONDS = 30  # for which a provider that did not answer is not asked again: nobody's page waits for it
# What goes wrong when a provider does not answer, or not as the standard says.
PROVIDER_ERRORS = (RequestException, ProviderException, ImproperlyConfigured, KeyError, ValueError, TypeError)
_TRIED = f"{'__Host-' if settings.SESSION_COOKIE_SECURE else ''}sso-tried"
# The provider's way to say that it would have to ask the person.
_WOULD_ASK = {"login_required", "interaction_required", "consent_required", "account_selection_required"}


class Provider(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]
    """The configured provider, as its discovery document describes it."""

    @property
    def openid_config(self) -> dict[str, Any]:
        """The document. Raises one of `PROVIDER_ERRORS` when there is none, or none of this issuer."""
        if not hasattr(self, "_openid_config"):
            key = f"openid-configuration:{settings.OIDC_PROVIDER}"
            known: dict[str, Any] | None = cache.get(key)
            if known == {}:
                raise ProviderException("The provider did not answer a moment ago.")
            if known is None:
                try:
                    known = _discovered()
                except PROVIDER_ERRORS:
                    cache.add(key, {}, DOWN_SECONDS)  # unless somebody else was answered meanwhile
                    raise
                cache.set(key, known, DISCOVERY_SECONDS)
            self._openid_config = known
        return self._openid_config

    def complete_login(self, request: HttpRequest, app: Any, token: Any, **answer: Any) -> SocialLogin:
        app.settings = app.settings | {"fetch_userinfo": "userinfo_endpoint" in self.openid_config}
        return super().complete_login(request, app, token, **answer)


def _discovered() -> dict[str, Any]:
    with get_adapter().get_requests_session() as session:
        answer = session.get(f"{settings.OIDC_ISSUER}/.well-known/openid-configuration")
        answer.raise_for_status()
        document = answer.json()
    if not isinstance(document, dict) or str(document.get("issuer", "")).rstrip("/") != settings.OIDC_ISSUER:
        raise ProviderException("The discovery document names another issuer than the one that is configured.")
    asked = ["authorization_endpoint", "token_endpoint", "jwks_uri"]
    for name in asked + ["userinfo_endpoint"] * ("userinfo_endpoint" in document):
        if not str(document.get(name, "")).startswith(("https://", settings.OIDC_ISSUER)):
            raise ProviderException(f"The discovery document has no usable {name}.")
    return document


def start(request: HttpRequest, wanted: str | None, *, silent: bool = False) -> HttpResponse:
    """Send the browser to the provider, and from there to `wanted`, an address of ours. Raises `PROVIDER_ERRORS`.

    `silent`: nobody has asked for it, so the provider must not ask the person either, unless there is no other way
    to come in.
    """
    asked = {"prompt": "none"} if silent and not settings.OIDC_ONLY else {}
    return _sent(request, wanted, auth_params=asked, silent=silent)


def start_to_connect(request: HttpRequest, after: str, person: User, token: str = "") -> HttpResponse:
    """Send the browser to the provider, whose account is then bound to this person's; from there to the page `after`.

    `token`: of a link that allows it; without it, only for this person in this session. Raises `PROVIDER_ERRORS`.
    """
    return _sent(request, reverse(after), binds=[person.pk, token])


def _sent(request: HttpRequest, wanted: str | None, **kept: Any) -> HttpResponse:
    """`kept`: beside `wanted`, in the session until the browser is back."""
    provider = get_adapter(request).get_provider(request, provider=settings.OIDC_PROVIDER)
    provider.oauth2_adapter_class = Provider
    response: HttpResponse = provider.redirect(request, process="login", next_url=wanted, **kept)
    return response


def may_be_chosen(person: User) -> bool:
    """Whether single sign-on is one of two ways in for them, which they can connect and end."""
    return bool(settings.OIDC_ISSUER) and not settings.OIDC_ONLY and person.has_usable_password()


def was_tried(request: HttpRequest) -> bool:
    """Whether this browser was sent to the provider unasked already, or logged out, since it was opened."""
    return bool(request.COOKIES.get(_TRIED))


def remember_that_it_was_tried(response: HttpResponseBase) -> None:
    """Not again unasked until the browser is closed, or somebody has logged in."""
    response.set_cookie(_TRIED, "1", secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Lax")


def forget_that_it_was_tried(response: HttpResponseBase) -> None:
    response.delete_cookie(_TRIED, samesite="Lax")


def log_in_address(wanted: str | None) -> str:
    """The log-in page, from which one comes to `wanted`."""
    return reverse("account_login") + (f"?{urlencode({'next': wanted})}" if wanted else "")


def refused_silently(request: HttpRequest, state: Mapping[str, Any]) -> HttpResponse | None:
    """The way back to the log-in page when nobody had asked for single sign-on and it would not do without asking."""
    unasked = state.get("silent") and not settings.OIDC_ONLY
    if unasked or (state and request.GET.get("error") in _WOULD_ASK):
        return HttpResponseRedirect(log_in_address(state.get("next")))
    return None


def failed(request: HttpRequest, state: Mapping[str, Any], error: BaseException | None = None) -> HttpResponse:
    """The page that says that the provider let nobody in."""
    # Names of our own only: what the provider tells may be of the person.
    cancelled = request.GET.get("error") == "access_denied"
    log.warning("Single sign-on failed: %s", "cancelled" if cancelled else type(error).__name__ if error else "refused")
    told = {"cancelled": cancelled, "next": state.get("next") or "", "only": settings.OIDC_ONLY}
    return render(request, "socialaccount/authentication_error.html", told, status=HTTPStatus.UNAUTHORIZED)


@dataclass(frozen=True)
class Claims:
    """What the provider tells of a person, as far as certdash asks for it."""

    of_one_person: bool  # the token and the user info are of the same subject
    email_is_theirs: bool
    teams: frozenset[str]

    @classmethod
    def told(cls, data: Mapping[str, Any]) -> "Claims":
        token, info = data.get("id_token") or {}, data.get("userinfo") or {}
        both = [*({source.get("sub") for source in (token, info) if source})]
        named = [source[settings.OIDC_TEAMS_CLAIM] for source in (token, info) if settings.OIDC_TEAMS_CLAIM in source]
        values = named[0] if named else []
        every = [values] if isinstance(values, str) else values if isinstance(values, list) else []
        return cls(
            of_one_person=len(both) == 1,
            email_is_theirs=(info or token).get("email_verified") is True,
            teams=frozenset(value for value in every if isinstance(value, str)),
        )


def join_teams(person: User, claims: Claims) -> None:
    """Put the person into the teams of these values, and out of the other teams that have a claim."""
    _follow(person, claims.teams)


def leave_teams(person: User) -> None:
    """Take the person out of every team that has a claim: nothing is claimed of them any more, or at this log-in."""
    _follow(person, frozenset())


def _follow(person: User, values: frozenset[str]) -> None:
    if not settings.OIDC_TEAMS_CLAIM:
        return
    with transaction.atomic():
        bound = list(Team.objects.exclude(claim=""))
        now_in = set(person.teams.values_list("pk", flat=True))
        for team in bound:
            if (team.claim in values) == (team.pk in now_in):
                continue
            if team.claim in values:
                person.teams.add(team)
            else:
                person.teams.remove(team)
            change = "joined" if team.claim in values else "left"
            note_membership(team, person, change, person)
