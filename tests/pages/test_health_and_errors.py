"""Health, readiness, errors and refusals, and the headers of every answer."""

import logging

import pytest

from tests.reading import text_of

pytestmark = pytest.mark.django_db


def test_health_is_plain_and_needs_no_log_in(client):
    for path in ("/healthz", "/readyz"):
        response = client.get(path)
        assert (response.status_code, response.content) == (200, b"ok\n")
        assert "Set-Cookie" not in response.headers


def test_readiness_asks_the_database_and_health_does_not(client, monkeypatch):
    from django.db import OperationalError

    def broken(*_):
        raise OperationalError

    monkeypatch.setattr("django.db.backends.utils.CursorWrapper.execute", broken)
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200


def test_an_error_of_ours_is_a_page_without_its_cause_and_the_log_has_it(client, cast, monkeypatch, caplog):
    def broken(*_):
        raise RuntimeError("secret cause")

    monkeypatch.setattr("certdash.views.overview.states", broken)
    client.force_login(cast.viewer)
    client.raise_request_exception = False
    logger = logging.getLogger("django")
    logger.addHandler(caplog.handler)
    try:
        response = client.get("/")
    finally:
        logger.removeHandler(caplog.handler)
    assert response.status_code == 500
    html = response.content.decode()
    assert "Something went wrong on our side" in html
    assert not any(word in html for word in ("secret cause", "Traceback", "RuntimeError"))
    assert "secret cause" in caplog.text


@pytest.mark.parametrize(("address", "status", "words"), [
    ("/nothing/", 404, "There is nothing at this address"),
    ("/apps/demo/connection/", 403, "An owner of the app can give you another role."),
    ("/apps/add/", 403, "Only a superuser of this dashboard adds apps."),
])  # fmt: skip
def test_a_refusal_is_a_page_that_says_what_to_do(address, status, words, client, cast):
    client.force_login(cast.viewer)
    response = client.get(address)
    assert response.status_code == status
    assert words in text_of(response)
    assert "Go to the overview" in text_of(response)


def test_every_answer_forbids_inline_script_and_framing(client, cast):
    client.force_login(cast.viewer)
    for address in ("/", "/nothing/", "/certificates/?_export=csv", "/accounts/logout/"):
        headers = client.get(address).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["X-Content-Type-Options"] == "nosniff"
