"""Browsers from which somebody has logged in before: each holds a cookie that says so, for this person alone.

The cookie opens nothing. It gives its browser attempts of its own (see `attempts`), so that nobody who keeps trying
passwords elsewhere can keep a person out. It lasts 90 days from the last log-in, scripts cannot read it, and it ends
with a change of the password.
"""

import secrets

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponseBase
from django.utils.crypto import salted_hmac

from certdash.models import User

DAYS = 90
_SECONDS = DAYS * 24 * 3600


def known_device(request: HttpRequest, person: User) -> str | None:
    """The id of this browser when the person has logged in from it; None for any other."""
    try:
        return _signer(person).unsign(request.COOKIES.get(_name(person), ""), max_age=_SECONDS)
    except signing.BadSignature:
        return None


def remember_device(request: HttpRequest, response: HttpResponseBase, person: User) -> None:
    """The person has proved who they are in this browser."""
    device = known_device(request, person) or secrets.token_urlsafe(16)
    response.set_cookie(
        _name(person),
        _signer(person).sign(device),
        max_age=_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _name(person: User) -> str:
    # One for each person: colleagues who share a computer do not take it from each other.
    prefix = "__Host-" if settings.SESSION_COOKIE_SECURE else ""
    return f"{prefix}device-{salted_hmac('certdash.devices', str(person.pk)).hexdigest()[:16]}"


def _signer(person: User) -> signing.TimestampSigner:
    return signing.TimestampSigner(salt=f"certdash.devices.{person.pk}.{person.get_session_auth_hash()}")
