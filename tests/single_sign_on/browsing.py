"""A browser that goes between certdash and the provider, and what it does there."""

from typing import Any
from urllib.parse import urlsplit

import requests
from django.test import Client

from certdash.models import User
from tests import world

LOGIN, SSO, CALLBACK = "/accounts/login/", "/accounts/sso/", "/accounts/sso/callback/"
CONNECT, DISCONNECT = "/accounts/profile/connect/", "/accounts/profile/disconnect/"
WANTED = "/certificates/?state=pending&country=S%C3%A3o"


class Browser(Client):
    """Goes between certdash and the provider as a browser does, and keeps the provider's cookies."""

    def __init__(self) -> None:
        super().__init__()
        self.provider = requests.Session()
        self.provider.trust_env = False
        self.went: list[str] = []

    def follow(self, response: Any, **person: str) -> Any:
        """To where the redirects end; at the provider's form it is `sub` that logs in there, if anybody."""
        while response.status_code == 302:
            assert len(self.went) < 30, "It goes round and round."
            address = response["Location"] if hasattr(response, "client") else response.headers["Location"]
            self.went.append(address)
            parts = urlsplit(address)
            if parts.netloc in ("", "testserver"):
                response = self.get(f"{parts.path}?{parts.query}" if parts.query else parts.path)
                continue
            response = self.provider.get(address, timeout=30, allow_redirects=False)
            if response.status_code == 200 and person:
                response = self.provider.post(address, person, timeout=30, allow_redirects=False)
        return response

    def sign_on(self, sub: str, wanted: str | None = None) -> Any:
        return self.follow(self.get(SSO, {"next": wanted} if wanted else {}), sub=sub)

    @property
    def person(self) -> User | None:
        return User.objects.filter(pk=self.session.get("_auth_user_id")).first()


def where(response: Any) -> str:
    return response.request["PATH_INFO"] + ("?" + response.request["QUERY_STRING"]).rstrip("?")


def logged_in(name: str = "viewer") -> Browser:
    browser = Browser()
    browser.post(LOGIN, {"login": name, "password": world.PASSWORD})
    assert browser.person.username == name
    return browser


def connected(browser: Browser, sub: str = "ana-1") -> Any:
    response = browser.follow(browser.post(CONNECT, {"password": world.PASSWORD}), sub=sub)
    assert where(response) == "/accounts/profile/"
    return response
