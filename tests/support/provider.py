"""A company's identity provider as a process: `oidc-provider-mock`, and what it leaves out.

Beside the mock's log-in form it knows its people again (a cookie), answers `prompt=none` as the standard says, insists
on PKCE, and fails where it is told to.
"""

import base64
import hashlib
import os
import sys
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
import requests

from tests.support.installation import ROOT, Running

ANA = {"email": "ana@corp.example", "name": "Ana Souza", "preferred_username": "ana", "email_verified": True}

if TYPE_CHECKING:
    import flask


class IdentityProvider:
    """The running provider, as its administrator sees it."""

    def __init__(self, url: str, process: Running) -> None:
        self.url = url
        self.process = process

    def person(self, sub: str, **claims: object) -> None:
        """Adds the person, or changes what is told of them."""
        requests.put(f"{self.url}/users/{sub}", json=claims, timeout=30).raise_for_status()

    def fail(self, *paths: str, answer: object = None) -> None:
        """From now on these paths answer with this (by default with an error of the server); the others work."""
        told = {"paths": paths, "answer": answer}
        requests.post(f"{self.url}/failing", json=told, timeout=30).raise_for_status()


def start(log: Path) -> IdentityProvider:
    process = Running([sys.executable, "-m", "tests.support.provider"], {**os.environ, "PYTHONPATH": str(ROOT)}, log)
    return IdentityProvider(process.wait_for(r"^Provider on (\S+)$")[1], process)


@pytest.fixture(scope="session")
def _provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IdentityProvider]:
    if find_spec("oidc_provider_mock") is None:
        pytest.skip("oidc-provider-mock is not installed (it is in requirements-dev.txt)")
    provider = start(tmp_path_factory.mktemp("provider") / "output")
    yield provider
    provider.process.kill()


@pytest.fixture
def provider(_provider: IdentityProvider) -> IdentityProvider:
    """The provider, in order; it tells as little of a person as it may."""
    _provider.fail()
    return _provider


def configure(settings: Any, issuer: str) -> None:
    """Has certdash sign people on at this issuer, with teams by the claim `groups`."""
    (app,) = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"]
    app = app | {"client_id": "certdash", "secret": "a secret", "settings": app["settings"] | {"server_url": issuer}}
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [app]}}
    settings.OIDC_ISSUER = issuer
    settings.OIDC_TEAMS_CLAIM = "groups"


@pytest.fixture
def company(provider: IdentityProvider, settings: Any, db: None) -> IdentityProvider:
    """The provider, with which this certdash is configured and which knows Ana."""
    configure(settings, provider.url)
    provider.person("ana-1", **ANA)
    return provider


class _BesideTheMock:
    """What is answered before the mock is asked."""

    def __init__(self, app: "flask.Flask") -> None:
        self._app = app
        self._challenges: set[str] = set()
        self._failing: dict[str, Any] = {"paths": []}
        app.add_url_rule("/failing", view_func=self._fail, methods=["POST"])
        app.before_request(self._before)
        app.after_request(self._after)

    def _fail(self) -> str:
        self._failing = flask.request.json
        return ""

    def _before(self) -> Any:
        request = flask.request
        if request.path in self._failing["paths"]:
            return self._failing["answer"] or ("a long <b>error</b> with ana@example.com", 500)
        if request.path == "/oauth2/authorize" and request.method == "GET":
            return self._ask(request.args)
        if request.path == "/oauth2/token":
            verifier = hashlib.sha256(request.form.get("code_verifier", "").encode()).digest()
            if base64.urlsafe_b64encode(verifier).decode().rstrip("=") not in self._challenges:
                return {"error": "invalid_grant"}, 400
        return None

    def _ask(self, asked: Mapping[str, str]) -> Any:
        if asked.get("code_challenge_method") != "S256":
            return "PKCE is missing", 400
        self._challenges.add(asked["code_challenge"])
        if known := flask.request.cookies.get("provider"):
            form = urlencode({name: value for name, value in asked.items() if name != "prompt"})
            host = flask.request.host_url
            answer = self._app.test_client().post(f"/oauth2/authorize?{form}", data={"sub": known}, base_url=host)
            return flask.redirect(answer.headers["Location"])
        if asked.get("prompt") == "none":
            told = urlencode({"error": "login_required", "state": asked["state"]})
            return flask.redirect(f"{asked['redirect_uri']}?{told}")
        return None

    def _after(self, response: "flask.Response") -> "flask.Response":
        if flask.request.method == "POST" and response.status_code == 302 and (sub := flask.request.form.get("sub")):
            response.set_cookie("provider", sub)
        return response


if __name__ == "__main__":
    import flask
    import oidc_provider_mock
    from werkzeug.serving import make_server

    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
    mock = oidc_provider_mock.app()
    _BesideTheMock(mock)
    server = make_server("127.0.0.1", 0, mock, threaded=True)
    print(f"Provider on http://127.0.0.1:{server.port}", flush=True)
    server.serve_forever()
