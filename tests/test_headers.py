"""What every answer tells a browser, and the score that follows from it."""

import base64

import pytest
import requests
from django.test import Client

from tests import world
from tests.support import observatory
from tests.test_login import log_in

HOST = "certdash.example.com"


@pytest.fixture
def secure(installation):
    """certdash behind a proxy that speaks https; asks as that proxy would."""
    installation.environment |= {
        "CERTDASH_PUBLIC_URL": f"https://{HOST}",
        "CERTDASH_TRUSTED_PROXIES": "1",
        "CERTDASH_SECRET_KEY": "only for tests, where nothing is secret, and long enough",
        "CERTDASH_ERASURE_KEY": "only for tests as well",
        "CERTDASH_CREDENTIAL_KEYS": base64.urlsafe_b64encode(bytes(32)).decode(),
    }
    installation.manage("migrate")
    url = installation.serve()

    def get(path, scheme="https", **options):
        headers = {"Host": HOST, "X-Forwarded-Proto": scheme}
        return requests.get(url + path, headers=headers, timeout=30, allow_redirects=False, **options)

    return get


def test_the_observatory_would_give_an_a_plus(secure):
    front = secure("/")
    assert front.headers["Location"] == "/accounts/login/?next=/"
    page = secure(front.headers["Location"])
    cookies = [cookie for answer in (front, page) for cookie in answer.raw.headers.getlist("Set-Cookie")]
    modifiers = observatory.score(page, secure("/", "http"), cookies)
    assert [name for name, modifier in modifiers.items() if modifier < 0] == []
    assert observatory.total(modifiers) == 135  # of 145: neither preloading nor digests of our own scripts


def test_the_score_falls_with_what_is_missing(secure):
    page, plain = secure("/accounts/login/"), secure("/", "http")
    best = observatory.total(observatory.score(page, plain, []))
    for name in ("Content-Security-Policy", "Strict-Transport-Security", "X-Content-Type-Options", "Referrer-Policy"):
        kept = page.headers.pop(name)
        assert observatory.total(observatory.score(page, plain, [])) < best, name
        page.headers[name] = kept
    assert observatory.total(observatory.score(page, page, [])) < best
    assert observatory.total(observatory.score(page, plain, ["sessionid=x; HttpOnly"])) < best


def test_nobody_is_led_to_https_without_it(secure):
    assert secure("/certificates/?q=x", "http").headers["Location"] == f"https://{HOST}/certificates/?q=x"
    assert "Strict-Transport-Security" not in secure("/", "http").headers
    assert secure("/healthz", "http").status_code == 200


def test_plain_http_knows_no_strict_transport(client, db):
    assert "Strict-Transport-Security" not in client.get("/accounts/login/")


# -- Every answer -----------------------------------------------------------------------------------------------

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
POLICY = {
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'",
    "form-action 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'",
}  # fmt: skip
ADDRESSES = [
    "/", "/certificates/", "/certificates/?_export=csv", "/certificates/?_export=x", "/apps/demo/", "/nothing/",
    "/apps/retail/", "/accounts/password/change/", "/accounts/audit/", "/accounts/login/", "/healthz", "/stories",
]  # fmt: skip


@pytest.mark.parametrize("who", [None, "viewer"])
@pytest.mark.parametrize("address", ADDRESSES)
def test_every_answer_is_guarded_and_kept_by_nobody(address, who, cast):
    client = Client()
    if who:
        client.force_login(cast[who])
    response = client.get(address)
    assert {name: response[name] for name in ALWAYS} == ALWAYS
    assert {part.strip() for part in response["Content-Security-Policy"].split(";")} == POLICY
    assert {"camera=()", "geolocation=()", "microphone=()"} <= set(response["Permissions-Policy"].split(", "))
    assert "no-store" in response["Cache-Control"]


def test_a_failed_page_is_guarded_too(cast, monkeypatch):
    monkeypatch.setattr("certdash.views.overview.weeks", lambda *_: 1 / 0)
    client = Client(raise_request_exception=False)
    client.force_login(cast.viewer)
    response = client.get("/")
    assert (response.status_code, response["Cache-Control"]) == (500, "no-store, private")
    assert {name: response[name] for name in ALWAYS} == ALWAYS
    assert response["X-Request-ID"] in response.content.decode()


def test_static_files_may_be_kept_and_are_for_our_own_pages(installation):
    installation.manage("migrate")
    installation.manage("add_user", "viewer", "--email", "v@example.com", stdin=world.PASSWORD)
    url = installation.serve()
    session = log_in(url, "viewer")
    file = session.get(f"{url}/static/certdash/app.js", timeout=30)
    assert "no-store" not in file.headers["Cache-Control"]
    assert file.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert file.headers["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in session.get(f"{url}/static/certdash/nothing.js", timeout=30).headers["Cache-Control"]
