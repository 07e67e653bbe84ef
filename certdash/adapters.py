"""What certdash decides where allauth asks: who is meant, whether a password is looked at, who may come in."""

from http import HTTPStatus
from math import ceil
from typing import Any, cast

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.core.internal.httpkit import get_client_ip
from allauth.core.internal.ratelimit import truncate_ip
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy
from requests import Session

from certdash.attempts import OF_ADDRESS, Count, TooManyAttempts, first_in_window, give_back, take
from certdash.audit import note
from certdash.connecting import connect
from certdash.devices import known_device, remember_device
from certdash.invitations import connecting
from certdash.models import AuditKind, User
from certdash.single_sign_on import (
    Claims,
    failed,
    forget_that_it_was_tried,
    join_teams,
    leave_teams,
    refused_silently,
)
from certdash.ways import is_way

_WRONG = gettext_lazy(
    "This name and password do not open certdash. After 10 wrong passwords in 15 minutes a name stays closed for a "
    "while, even to the right one."
)
_ANOTHERS = gettext_lazy(
    "Nothing was changed: your sign-in service opens another account here. "
    "An administrator can make a link that lets it open this one instead."
)


def person_named(typed: str) -> User | None:
    """The person of this user name or, when it is nobody's, of this e-mail address; without case.

    The user name comes first: everybody has one, so nobody is shut out by what another person calls themselves.
    """
    typed = typed.strip()
    if not typed or "\0" in typed:
        return None
    named = User.objects.filter(username__iexact=typed).first()
    return named or User.objects.filter(email__iexact=typed).first()


def too_many(request: HttpRequest, error: TooManyAttempts) -> HttpResponse:
    """The answer to who tried too often; it says when to try again."""
    response = render(request, "429.html", {"minutes": ceil(error.seconds / 60)}, status=HTTPStatus.TOO_MANY_REQUESTS)
    response["Retry-After"] = str(error.seconds)
    return response


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Log-in by password, and what every log-in has in common."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": _WRONG,
        "email_password_mismatch": _WRONG,
    }

    def is_open_for_signup(self, _request: HttpRequest) -> bool:
        return False

    def is_safe_url(self, url: str | None) -> bool:
        """Whether a log-in may lead there: what names a host may not, be it ours, nor what names a page."""
        return is_way(url)

    def get_client_ip(self, request: HttpRequest) -> str:
        """The client as the proxies that are trusted tell it; past them, or without any, the one connected here."""
        try:
            told = get_client_ip(request)
        except ImproperlyConfigured:  # fewer addresses than there are proxies: this request did not pass them all
            told = None
        return str(told or request.META.get("REMOTE_ADDR") or "unknown")

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """The person whose name and password these are; None for everybody else, closed accounts too.

        One password is hashed for each attempt, whoever is named and however it ends. Answers with 429 instead when
        too many were wrong.
        """
        typed = str(credentials.get("username") or credentials.get("email") or "")
        person = person_named(typed)
        reason: str | None = "wrong password" if person else "unknown name"
        moments: list[tuple[float, tuple[Count, ...]]] = []
        guarded, hidden = self._counts(request, person, typed)
        try:
            moments.append((take(*guarded), guarded))
        except TooManyAttempts as error:
            _note_once(error, person)
            raise ImmediateHttpResponse(too_many(request, error)) from None
        try:
            moments.append((take(*hidden), hidden))
            asked = person
        except TooManyAttempts as error:
            _note_once(error, person)
            asked, reason = None, None
        # An account that nobody has has no password either, and saying so takes as long as a wrong one.
        right = (asked or User()).check_password(credentials["password"])
        if right and asked and asked.is_active:
            for moment, counts in moments:
                give_back(moment, *counts)
            return asked
        if reason:
            note(AuditKind.LOGIN_FAILED, None, person, how="password", reason="deactivated" if right else reason)
        return None

    def _counts(self, request: HttpRequest, person: User | None, typed: str) -> tuple[tuple[Count, ...], ...]:
        """The counts of which one is told when they are used up, and those of which nobody is told."""
        device = known_device(request, person) if person else None
        if person and device:
            return (Count.of("device", f"{person.pk}:{device}"),), ()
        name = typed.strip().casefold()
        address = Count.of("address", truncate_ip(self.get_client_ip(request)), OF_ADDRESS)
        account = Count.of("account", person.pk) if person else Count.of("nobody", name)
        return (address, Count.of("name", name)), (account,)

    def pre_login(self, request: HttpRequest, user: User, **details: Any) -> HttpResponse | None:
        response: HttpResponse | None = super().pre_login(request, user, **details)
        single = _single_sign_on(details)
        if response:
            note(AuditKind.LOGIN_FAILED, None, user, how="single sign-on", reason="deactivated")
        elif single:
            join_teams(user, single.certdash_claims)
        else:
            leave_teams(user)  # what the provider would say by now is not known
        return response

    def post_login(self, request: HttpRequest, user: User, **details: Any) -> HttpResponse:
        response = cast(HttpResponse, super().post_login(request, user, **details))
        note(AuditKind.LOGIN, None, user, how="single sign-on" if _single_sign_on(details) else "password")
        remember_device(request, response, user)
        forget_that_it_was_tried(response)
        if user.home_id and response.get("Location") == reverse("overview"):  # nobody asked for a certain page
            response["Location"] = reverse("home")
        return response


def _single_sign_on(details: dict[str, Any]) -> SocialLogin | None:
    return (details.get("signal_kwargs") or {}).get("sociallogin")


def _note_once(error: TooManyAttempts, person: User | None) -> None:
    if first_in_window("noted", error.key):
        note(AuditKind.LOGIN_FAILED, None, person, how="password", reason="too many attempts")


class SingleSignOnAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Log-in by the company's identity provider."""

    def is_open_for_signup(self, _request: HttpRequest, _sociallogin: SocialLogin) -> bool:
        return True

    def get_requests_session(self) -> Session:
        session: Session = super().get_requests_session()
        session.trust_env = False
        if settings.UPSTREAM_PROXY:
            session.proxies = {"http": settings.UPSTREAM_PROXY, "https": settings.UPSTREAM_PROXY}
        return session

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Keep what is told of the person to what is needed, and have nobody take over an account by its e-mail."""
        sociallogin.certdash_claims = claims = Claims.told(sociallogin.account.extra_data)
        sociallogin.account.extra_data = {}
        sociallogin.email_addresses = []
        if not claims.of_one_person:
            raise ImmediateHttpResponse(failed(request, sociallogin.state))
        if binds := sociallogin.state.get("binds"):
            self._connect(request, sociallogin, *binds)
            return
        if sociallogin.is_existing:
            sociallogin.account.save(update_fields=["extra_data"])
            return
        if not claims.email_is_theirs:
            sociallogin.user.email = ""
        if sociallogin.user.email and User.objects.filter(email__iexact=sociallogin.user.email).exists():
            raise ImmediateHttpResponse(email_taken(request))

    def _connect(self, request: HttpRequest, sociallogin: SocialLogin, pk: int, token: str) -> None:
        """Bind the provider account to the account from which that was asked: by a link, or by who is logged in."""
        person = User.objects.filter(pk=pk, is_active=True).first()
        allowed = connecting.check_token(person, token) if token else person == request.user
        if not person or not allowed:
            raise ImmediateHttpResponse(failed(request, sociallogin.state))
        if not token and sociallogin.is_existing and sociallogin.user != person:
            messages.error(request, _ANOTHERS)
            raise ImmediateHttpResponse(redirect("profile"))
        try:
            connect(person, sociallogin.account)
        except IntegrityError:  # two at one moment
            raise ImmediateHttpResponse(failed(request, sociallogin.state)) from None
        sociallogin.user = person
        messages.success(request, gettext("Single sign-on opens this account from now on."))
        if not token:
            join_teams(person, sociallogin.certdash_claims)
            raise ImmediateHttpResponse(redirect("profile"))

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, **_: None) -> User:
        """Make the account of somebody who is here for the first time: without a password and without any right."""
        person: User = sociallogin.user
        person.set_unusable_password()
        names = [person.username, person.email, person.get_full_name(), "person"]
        person.username = AccountAdapter(request).generate_unique_username(names)
        try:
            with transaction.atomic():
                person.save()
                sociallogin.account.user = person
                sociallogin.account.save()
        except IntegrityError:  # two first sign-ins at one moment: the next one finds what the other has made
            raise ImmediateHttpResponse(failed(request, sociallogin.state)) from None
        note(AuditKind.PERSON, None, person, change="made by single sign-on", account=person.username)
        return person

    def on_authentication_error(self, request: HttpRequest, *_: Any, **details: Any) -> None:
        state = (details.get("extra_context") or {}).get("state") or {}
        response = refused_silently(request, state) or failed(request, state, details.get("exception"))
        raise ImmediateHttpResponse(response)


def email_taken(request: HttpRequest) -> HttpResponse:
    """Somebody who is new here has the e-mail address of an account that exists."""
    told = {"only": settings.OIDC_ONLY}
    return render(request, "socialaccount/email_taken.html", told, status=HTTPStatus.CONFLICT)
