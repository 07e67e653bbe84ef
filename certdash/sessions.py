"""When a session ends by itself: after eight hours in which nobody asked for a page, and when its account is closed.

Opened again, an account starts with a log-in: its sessions were ended by `User.get_session_auth_hash`, also those that
nobody used meanwhile.
"""

import time
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import SESSION_KEY, logout
from django.http import HttpRequest, HttpResponseBase

_STAMP = "seen"  # seconds since 1970, in the session
_RENEWED_AFTER = 5 * 60  # seconds: not every page has to write


class IdleSessionMiddleware:
    """Ends idle sessions, and those of closed accounts.

    What a page asks for by itself (header `X-Background`) does not count: a forgotten tab would stay logged in.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if SESSION_KEY in request.session:
            now = time.time()
            seen = request.session.get(_STAMP, now)
            if now - seen >= settings.SESSION_COOKIE_AGE or not request.user.is_authenticated:
                logout(request)
            elif "X-Background" not in request.headers and (
                _STAMP not in request.session or now - seen >= _RENEWED_AFTER
            ):
                request.session[_STAMP] = now
        return self.get_response(request)
