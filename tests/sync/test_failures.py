"""What is no answer leaves everything as it was, and says why in one sentence."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.apps import apps
from django.db import transaction
from werkzeug import Response

from certdash.models import App, Membership, Secret, SyncRun
from certdash.sync import answer as answer_module
from certdash.sync import bulk
from certdash.sync.apply import Applier
from certdash.sync.run import sync_app
from tests.falkor.vendors import Handler, RawServer, drips, says, success
from tests.sync.vendor import Vendor, live, people, story

Status = SyncRun.Status
MESSAGE = "Überlast <b>bitte warten</b>"


def dump() -> dict[str, list[dict[str, Any]]]:
    """Everything that is stored but the runs themselves."""
    models = [model for model in apps.get_app_config("certdash").get_models() if model is not SyncRun]
    return {model.__name__: [_plain(each) for each in model.objects.order_by("pk").values()] for model in models}


def _plain(columns: dict[str, Any]) -> dict[str, Any]:
    return {name: value.sealed if isinstance(value, Secret) else value for name, value in columns.items()}


@pytest.fixture
def filled(vendor: Vendor) -> Vendor:
    """A vendor whose app was synchronised once, with a group."""
    vendor.app.groups.create(name="Sales", slug="sales")
    vendor.groups["Sales"] = success(story(*people(2)))
    assert vendor.sync(story(*people(3))).status == Status.SUCCESS
    assert Membership.objects.count() == 2
    return vendor


def fails(vendor: Vendor, *words: str, message: str = "") -> SyncRun:
    """Synchronise: the run has failed, says so in one sentence with these words, and nothing else changed."""
    before = dump()
    run = vendor.again()
    assert run.status == Status.FAILED
    assert all(word in run.message for word in (*words, "stored data is unchanged"))
    assert "\n" not in run.message
    assert run.vendor_message == message
    assert run.finished_at is not None
    assert (run.received, run.created, run.withdrawn) == (0, 0, 0)
    after = dump()
    assert {name for name in after if after[name] != before[name]} == set()
    return run


def error(status: int) -> Response:
    return Response(json.dumps({"status": "error", "message": MESSAGE}), status, mimetype="application/json")


ALL = json.dumps({"status": "success", "data": [story(*people(1))]}).encode()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<!doctype html><title>Sign in</title>", "web page"),
        (b"", "empty"),
        (ALL[:-20], "ended before it was complete"),
        (b"certificates: none", "not JSON"),
        (b'{"status": "success", "data": [NaN]}', "JSON"),
        (b'{"status": "success", "data": {}}', "another shape"),
        (b'{"status": "success"}', "another shape"),
        (b"[]", "another shape"),
        (b'{"data": []}', "neither success nor error"),
    ],
)
def test_a_body_that_is_no_answer(body, words, filled):
    filled.body = body
    fails(filled, words)


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 500])
def test_an_error_is_kept_with_the_vendors_own_words(status, filled):
    filled.body = error(status)
    fails(filled, "vendor" if status != 404 else "404", message=MESSAGE)


def test_a_redirect_is_not_followed(filled):
    filled.body = Response(status=302, headers={"Location": "https://elsewhere.example/path"})
    fails(filled, "redirected", "elsewhere.example")
    assert len(filled.asked) == 3  # the two calls of the first sync, and one


def test_too_large_an_answer(filled, settings):
    settings.UPSTREAM_MAX_BYTES = 500
    fails(filled, "larger than")


@pytest.fixture
def serve() -> Iterator[Callable[[Handler], RawServer]]:
    servers: list[RawServer] = []

    def start(handler: Handler) -> RawServer:
        servers.append(RawServer(handler, read_request=True))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n"


@pytest.mark.parametrize(
    ("handler", "words"),
    [
        (drips(HEAD, b" "), "not complete after 0.6 seconds"),
        (lambda connection: threading.Event().wait(0.8), "not complete after 0.6 seconds"),
        (says(HEAD, b'{"status": "succ'), "ended before it was complete"),
        (says(), "closed the connection without an answer"),
        (says(b"220 mail.example ESMTP\r\n"), "not HTTP"),
    ],
    ids=["drips", "silent", "short", "nothing", "mail"],
)
def test_a_connection_that_brings_nothing(handler, words, filled, serve, settings):
    settings.UPSTREAM_DEADLINE = 0.6
    App.objects.update(base_url=serve(handler).url)
    filled.app.refresh_from_db()
    fails(filled, words)


def test_nobody_listens(filled):
    App.objects.update(base_url="http://127.0.0.1:1")
    filled.app.refresh_from_db()
    fails(filled, "refused the connection")


def test_an_address_that_may_not_be_asked(filled, settings):
    settings.ALLOW_PRIVATE_UPSTREAMS = False
    fails(filled)


def test_the_pages_may_believe_the_data_is_whole_after_a_failure(filled):
    filled.body = b"<html>"
    assert filled.again().applying_since is None


# -- The token --------------------------------------------------------------------------------------------------

PLAIN = "a2V5LWNhbmFyeTpzZWNyZXQtY2FuYXJ5"


def test_a_token_that_no_key_opens_fails_the_run_and_says_what_to_do(filled, settings):
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]
    before = dump()
    run = filled.again()
    assert run.status == Status.FAILED
    assert "CERTDASH_CREDENTIAL_KEYS" in run.message
    assert "unchanged" in run.message
    assert dump() == before
    assert len(filled.asked) == 2


def test_a_key_that_was_replaced_still_opens_what_it_sealed(filled, settings):
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode(), *settings.CREDENTIAL_KEYS]
    assert filled.again().status == Status.UNCHANGED


def test_the_token_appears_in_nothing_that_a_failure_leaves(filled, caplog):
    quoting = {"status": "error", "message": f"Bad credentials: {PLAIN} (key-canary:secret-canary)"}
    filled.body = Response(json.dumps(quoting), 401, mimetype="application/json")
    run = filled.again()
    left = [run.message, run.vendor_message, caplog.text, repr(run), repr(run.app), repr(run.app.token)]
    for text in left:
        assert PLAIN not in text
        assert "secret-canary" not in text


# -- When certdash itself is at fault ---------------------------------------------------------------------------


class Broken(Exception):
    """A fault of ours."""


@pytest.mark.parametrize("fault", [Broken, KeyboardInterrupt])
def test_a_fault_of_ours_closes_the_run_and_surfaces(fault, filled, monkeypatch):
    def broken(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setattr(answer_module, "plan_certificates", broken)
    with pytest.raises(fault):
        filled.sync(story(*people(4)))
    run = SyncRun.objects.first()
    assert run.status == Status.INTERRUPTED
    assert run.finished_at is not None
    assert "next run completes it" in run.message
    monkeypatch.undo()
    assert filled.again().status == Status.SUCCESS
    assert live(filled.app) == {"001", "002", "003", "004"}


def test_what_an_interrupted_run_had_written_stays_and_counts_as_seen_once(filled, monkeypatch):
    real, calls = answer_module.plan_certificates, []

    def second_fails(*args: Any) -> Any:
        calls.append(args)
        if len(calls) == 2:
            raise Broken
        return real(*args)

    elements = [story(*people(4)), story(*people(2), name="Story B", vendor_id="ID-B")]
    monkeypatch.setattr(answer_module, "plan_certificates", second_fails)
    monkeypatch.setattr(bulk, "PART", 1)
    monkeypatch.setattr(bulk, "ROWS", 1)
    with pytest.raises(Broken):
        filled.sync(*elements)
    assert live(filled.app) == {"001", "002", "003", "004"}
    assert SyncRun.objects.first().created == 1
    monkeypatch.undo()
    run = filled.again()
    assert (run.status, run.created) == (Status.SUCCESS, 2)


def test_a_large_story_is_written_in_parts_so_that_others_can_write_and_the_next_run_does_the_rest(filled, monkeypatch):
    real, parts = Applier._create, []

    def second_fails(applier: Applier, story: int, initial: bool, new: Any, now: datetime) -> dict[str, int]:
        parts.append(len(new))
        if len(parts) == 2:
            raise Broken
        return real(applier, story, initial, new, now)

    monkeypatch.setattr(Applier, "_create", second_fails)
    monkeypatch.setattr(bulk, "PART", 500)
    monkeypatch.setattr(bulk, "ROWS", 500)
    with pytest.raises(Broken):
        filled.sync(story(*people(1203)))
    assert parts == [500, 500]
    assert len(live(filled.app)) == 503
    assert SyncRun.objects.first().created == 500
    monkeypatch.undo()
    assert (filled.again().created, len(live(filled.app))) == (700, 1203)


def test_a_plain_text_is_never_stored_as_a_token(filled):
    filled.app.token = PLAIN
    with pytest.raises(TypeError, match="never as plain text"), transaction.atomic():
        filled.app.save()
    assert isinstance(App.objects.get(pk=filled.app.pk).token, Secret)
    assert sync_app(filled.app).status == Status.UNCHANGED
