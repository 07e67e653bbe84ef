"""What goes over the wire, and what a good answer brings."""

import base64
import gzip
import json
import logging
import subprocess
import sys
import traceback
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import pytest
from werkzeug import Request, Response

from certdash import falkor
from certdash.falkor import client

from .vendors import ENDPOINT, TOKEN, element, row, success


@pytest.fixture
def vendor(httpserver):
    httpserver.expect_request(ENDPOINT, method="POST").respond_with_data(success(element(row())))
    return httpserver


def sent(vendor) -> Request:
    return vendor.log[-1][0]


def test_the_documented_example_gives_two_stories_with_one_delivered_certificate_each(httpserver, connect):
    text = (Path(__file__).parent / "documented_example.json").read_bytes()
    httpserver.expect_request(ENDPOINT).respond_with_data(text)
    with connect(httpserver.url_for("")).certificates() as answer:
        assert (answer.hash, answer.response_time) == ("5cd3375ed2d332ca1f3cc840242c4419", 0.3598060607910156)
        assert answer.size == len(text)
        heads = [(story.index, story.id, story.name, story.type) for story in answer.stories]
        assert heads == [(0, "EV72-RQZY-80AH", "Story A", "story"), (1, "EV72-RQZY-80AH", "Story B", "story")]
        awarded = datetime(2021, 9, 28, 9, 14, 23, tzinfo=UTC)
        email, url = "[email protected]", "<certificate URL>"
        expected = falkor.Row("User", "One", email, "", "United Kingdom", "London", "delivered", awarded, url)
        for story in answer.stories:
            assert story.rows() == falkor.StoryRows([expected], [], 0)


def test_only_the_given_keys_are_sent(vendor, connect):
    made = connect(vendor.url_for(""))
    asked = [
        ({}, {}),
        ({"app": "io.falkor.demo"}, {"app": "io.falkor.demo"}),
        ({"story": "Größe"}, {"story": "Größe"}),
        ({"groups": ("A", "B"), "users": ["u@mail.example"]}, {"groups": ["A", "B"], "users": ["u@mail.example"]}),
    ]
    for arguments, body in asked:
        made.certificates(**arguments).close()
        assert json.loads(sent(vendor).get_data()) == body


def test_the_headers_say_json_gzip_and_who_asks(vendor, connect):
    connect(vendor.url_for("")).certificates().close()
    headers = sent(vendor).headers
    assert headers["Content-Type"] == headers["Accept"] == "application/json"
    assert headers["Accept-Encoding"] == "gzip"
    assert headers["User-Agent"].startswith("certdash/")


@pytest.mark.parametrize(
    "pasted",
    [TOKEN, f"  Basic {TOKEN}\n", f"basic  {TOKEN}", "key-canary:secret-canary", f"Authorization: Basic {TOKEN}"],
)
def test_every_pasted_form_of_the_token_is_the_same_on_the_wire(pasted, vendor, connect):
    connect(vendor.url_for(""), pasted).certificates().close()
    assert sent(vendor).headers["Authorization"] == f"Basic {TOKEN}"
    assert falkor.normalise_token(pasted) == TOKEN


def test_a_token_that_lost_its_padding_or_was_wrapped_is_mended():
    whole = base64.b64encode(b"key:secret").decode()
    assert whole.endswith("==")
    assert falkor.normalise_token(whole.rstrip("=")) == whole
    assert falkor.normalise_token(whole[:5] + "\r\n" + whole[5:]) == whole


@pytest.mark.parametrize(
    "pasted", ["", "  ", "Basic ", ":", "canary!?", "canary\u00e9", "canar", "key:can\nary", "cäna=ry"]
)
def test_nonsense_is_no_token_and_is_not_quoted(pasted):
    with pytest.raises(ValueError) as caught:
        falkor.normalise_token(pasted)
    assert "can" not in str(caught.value)


def test_a_base_url_may_end_in_what_people_paste(vendor, connect):
    for tail in ("", "/", "/v1", "/v1/", ENDPOINT, ENDPOINT + "/"):
        connect(f"http://127.0.0.1:{vendor.port}{tail}").certificates().close()
    assert {request.path for request, _ in vendor.log} == {ENDPOINT}


def test_the_environment_changes_nothing(vendor, connect, monkeypatch, tmp_path):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login other password other")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    connect(vendor.url_for("")).certificates().close()
    assert sent(vendor).headers["Authorization"] == f"Basic {TOKEN}"


def test_an_own_proxy_is_used_and_asked_about_addresses_instead_of_the_name_server(vendor, connect):
    connect("http://vendor.invalid", proxy=f"http://127.0.0.1:{vendor.port}").certificates().close()
    assert sent(vendor).headers["Host"] == "vendor.invalid"


def test_gzip_is_unfolded_also_in_several_members(httpserver, connect):
    text = success(element(row()))
    folded = gzip.compress(text[:50]) + gzip.compress(text[50:]) + b"\0" * 9
    httpserver.expect_request(ENDPOINT).respond_with_data(folded, headers={"Content-Encoding": "gzip"})
    with connect(httpserver.url_for("")).certificates() as answer:
        assert answer.size == len(text)
        assert len(answer.stories[0].rows().rows) == 1


def test_progress_sees_every_try_and_the_growing_answer(httpserver, connect):
    httpserver.expect_ordered_request(ENDPOINT).respond_with_data("", status=503)
    big = success(element(row(firstname="x" * 5_000_000)))
    httpserver.expect_ordered_request(ENDPOINT).respond_with_data(big)
    seen: list[int] = []
    connect(httpserver.url_for("")).certificates(progress=seen.append).close()
    assert seen[0] == 0
    assert seen.count(0) >= 2
    assert seen == sorted(seen)
    assert 4 <= len([size for size in seen if size]) <= 6


class LeaseLost(Exception):
    pass


def test_what_progress_raises_passes_through_and_leaves_nothing_behind(httpserver, connect, spool_dir):
    httpserver.expect_request(ENDPOINT).respond_with_data(success(element(row(firstname="x" * 5_000_000))))

    def progress(size: int) -> None:
        if size:
            raise LeaseLost

    with pytest.raises(LeaseLost):
        connect(httpserver.url_for("")).certificates(progress=progress)
    assert len(httpserver.log) == 1


def test_the_spooled_file_is_private_and_gone_when_the_answer_is_closed(vendor, connect, spool_dir):
    answer = connect(vendor.url_for("")).certificates()
    assert spool_dir.stat().st_mode & 0o777 == 0o700
    assert list(spool_dir.iterdir()) == []
    assert answer.stories[0].rows().rows
    answer.close()
    answer.close()
    assert answer.stories[0].name == "Story A"
    with pytest.raises(ValueError):
        answer.stories[0].rows()


def test_an_answer_that_cannot_be_kept_is_told_as_such(vendor, connect, spool_dir):
    spool_dir.parent.joinpath("spool").write_text("a file where the folder should be")
    with pytest.raises(falkor.SpoolFailed) as caught:
        connect(vendor.url_for("")).certificates()
    spool_dir.unlink()
    assert "disk" in str(caught.value)


def test_a_full_disk_is_told_as_such_and_not_tried_again(vendor, connect, monkeypatch):
    full = Path("/dev/full")
    monkeypatch.setattr(client.tempfile, "TemporaryFile", lambda **_: full.open("r+b", buffering=0))
    with pytest.raises(falkor.SpoolFailed) as caught:
        connect(vendor.url_for("")).certificates()
    assert "No space left" in str(caught.value)
    assert len(vendor.log) == 1


def test_memory_is_bounded_by_the_largest_story_not_by_the_answer(httpserver, connect):
    stories = [element(*[row(firstname=f"User {n}") for n in range(1000)], name=f"S {s}") for s in range(60)]
    text = success(*stories)
    httpserver.expect_request(ENDPOINT).respond_with_data(gzip.compress(text), headers={"Content-Encoding": "gzip"})
    del stories
    tracemalloc.start()
    with connect(httpserver.url_for("")).certificates() as answer:
        rows = sum(len(story.rows().rows) for story in answer.stories)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rows == 60_000
    assert len(text) > 12_000_000
    assert peak < 5_000_000


def test_the_package_needs_neither_django_nor_the_rest_of_certdash():
    code = "import sys, certdash.falkor; print([m for m in sys.modules if m.startswith(('django', 'certdash'))])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "django" not in found
    assert "certdash." not in found.replace("certdash.falkor", "")


def test_the_token_is_nowhere_to_be_read(httpserver, connect, caplog):
    """Neither in logs down to DEBUG, nor in a repr, an error, a traceback, or the locals of its frames."""
    caplog.set_level(logging.DEBUG)

    def echo(request: Request) -> Response:
        quoted = f"bad token {request.headers['Authorization']} for key-canary:secret-canary"
        quoted += "x" * (990 - len(quoted)) + TOKEN  # at the place where a long message is cut
        return Response(json.dumps({"status": "error", "message": quoted}), status=401)

    httpserver.expect_request(ENDPOINT).respond_with_handler(echo)
    refused, unreachable = connect(httpserver.url_for("")), connect("http://127.0.0.1:1")
    texts = [repr(refused), str(refused)]
    for tried in (refused, unreachable):
        with pytest.raises(falkor.FalkorError) as caught:
            tried.certificates(story="person-canary")
        error = caught.value
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
        texts += [str(error), repr(error), error.vendor_message, *shown.format()]
    everything = "\n".join(texts) + caplog.text
    assert "bad token" in everything
    assert TOKEN not in everything
    assert TOKEN[:8] not in everything
    assert "secret-canary" not in everything
    assert "person-canary" not in caplog.text
