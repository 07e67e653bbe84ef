"""Every way in which a vendor, or what stands in its place, can answer wrongly."""

import email.utils
import gzip
import json
import time
import tracemalloc
import zlib

import pytest

from certdash import falkor
from certdash.falkor import client

from .vendors import ENDPOINT, element, row, says, success

HTML = "<!doctype html><title>Sign in</title>"


def error_json(message: str) -> str:
    return json.dumps({"status": "error", "message": message})


@pytest.fixture
def fails(httpserver, connect):
    """Ask a vendor that answers with the given response, and return the error and the number of tries."""

    def ask(body="", status=200, headers=None, **options) -> tuple[falkor.FalkorError, int]:
        httpserver.expect_request(ENDPOINT).respond_with_data(body, status=status, headers=headers)
        with pytest.raises(falkor.FalkorError) as caught:
            connect(httpserver.url_for(""), **options).certificates()
        assert str(caught.value) == caught.value.sentence
        assert "stored data is unchanged" in str(caught.value)
        assert "\n" not in str(caught.value)
        return caught.value, len(httpserver.log)

    return ask


STATUSES = [
    (400, falkor.RefusedRequest, 1),
    (401, falkor.WrongToken, 1),
    (403, falkor.EndpointNotEnabled, 1),
    (404, falkor.NotThisApi, 1),
    (405, falkor.RefusedRequest, 1),
    (408, falkor.VendorFailed, 3),
    (422, falkor.RefusedRequest, 1),
    (429, falkor.Throttled, 3),
    (500, falkor.VendorFailed, 3),
    (502, falkor.VendorFailed, 3),
    (503, falkor.VendorFailed, 3),
]


@pytest.mark.parametrize(("status", "kind", "tries"), STATUSES)
def test_a_status_is_told_with_the_vendors_message_and_tried_again_only_where_it_can_help(status, kind, tries, fails):
    error, made = fails(error_json("Überlast <b>"), status)
    assert (type(error), made) == (kind, tries)
    assert error.retryable == (tries == 3)
    assert error.vendor_message == "Überlast <b>"
    assert str(status) in str(error)


@pytest.mark.parametrize(("status", "kind", "tries"), STATUSES)
def test_a_gateways_page_changes_nothing_about_the_status(status, kind, tries, fails):
    error, made = fails(HTML, status)
    assert (type(error), made, error.vendor_message) == (kind, tries, "")


@pytest.mark.parametrize("message", ["IP 10.1.2.3 is not whitelisted", "Your address is not allowed", "client ip"])
def test_a_403_about_addresses_is_told_apart(message, fails):
    assert isinstance(fails(error_json(message), 403)[0], falkor.AddressNotAllowed)


@pytest.mark.parametrize("message", ["Endpoint not enabled for this zip plan", "Unknown e-mail address"])
def test_a_403_about_anything_else_is_about_the_endpoint(message, fails):
    assert isinstance(fails(error_json(message), 403)[0], falkor.EndpointNotEnabled)


def test_a_long_message_is_bounded_and_a_strange_one_does_no_harm(fails, httpserver):
    assert len(fails(error_json("x" * 5000), 400)[0].vendor_message) == 1000
    for strange, kept in [
        (r'{"message": "a\ud83d\u0000b"}', "a\ufffdb"),
        ('{"message": {"a": 1}}', ""),
        ("\ufeff" + error_json("bom"), "bom"),
        ("[" * 50_000, ""),
        (b'{"message": "\xff"}', ""),
        (b"{" + b" " * 200_000 + b"}", ""),
    ]:
        httpserver.clear()
        assert fails(strange, 400)[0].vendor_message == kept


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
def test_a_redirect_is_refused_and_only_its_host_is_named(status, fails, httpserver):
    target = "https://user:pw@login.vendor.example/in?secret=canary"
    error, tries = fails("x" * 1000, status, {"Location": target})
    assert (type(error), tries) == (falkor.Redirected, 1)
    assert "login.vendor.example" in str(error)
    assert "canary" not in str(error)
    assert "pw" not in str(error)


@pytest.mark.parametrize("target", [b"", b"Location: /other\r\n", b"Location: http://[broken\r\n"])
def test_a_redirect_to_nowhere_is_refused_too(target, serve, connect):
    server = serve(says(b"HTTP/1.1 302 Found\r\n", target, LENGTH % 0))
    with pytest.raises(falkor.Redirected):
        connect(server.url).certificates()


def test_an_endless_redirect_body_is_not_read(serve, connect):
    """requests reads a redirect's body to the end even when it is told not to follow it."""
    head = b"HTTP/1.1 302 Found\r\nLocation: https://x.example/\r\nContent-Length: 100000000000\r\n\r\n"

    def handler(connection):
        connection.sendall(head + b"x" * 1000)
        connection.recv(1)  # until the client hangs up

    began = time.monotonic()
    with pytest.raises(falkor.Redirected):
        connect(serve(handler).url).certificates()
    assert time.monotonic() - began < 3


NOT_UNDERSTOOD = [
    (HTML, falkor.NotThisApi),
    ("OK", falkor.NotThisApi),
    ('"success"', falkor.NotThisApi),
    ('{"status": "success", "data": [NaN]}', falkor.Malformed),
    ('{"status": "success", "data": [], "x": Infinity}', falkor.Malformed),
    ('{"status": "success", "data": [],}', falkor.Malformed),
    ('{"status": "success", "data": []} x', falkor.Malformed),
    ('{"status": "success", "data": {}}', falkor.Malformed),
    ('{"status": "success"}', falkor.Malformed),
    ('{"status": "success", "data": null}', falkor.Malformed),
    ('{"status": 1, "data": []}', falkor.Malformed),
    ('{"status": "perhaps", "data": []}', falkor.Malformed),
    ('{"data": []}', falkor.Malformed),
    ('{"status": "success", "data": [], "hash": 5}', falkor.Malformed),
    ('{"status": "success", "data": [], "response_time": "fast"}', falkor.Malformed),
    ("[]", falkor.Malformed),
    ('{"status": "success", "data": [' + "[" * 20_000 + "]" * 20_000 + "]}", falkor.Malformed),
    (b'{"status": "success", "data": [], "hash": "\xff"}', falkor.Malformed),
    ('{"status": "success", "data": ["\u0001"]}', falkor.Malformed),
]


@pytest.mark.parametrize(("body", "kind"), NOT_UNDERSTOOD, ids=range(len(NOT_UNDERSTOOD)))
def test_a_success_that_is_none_is_told_once(body, kind, fails):
    error, tries = fails(body)
    assert (type(error), tries) == (kind, 1)


def test_the_reason_names_the_place(fails):
    assert "(data: Expected `array`, got `object`)" in str(fails('{"status": "success", "data": {}}')[0])


@pytest.mark.parametrize("data", ["", ', "data": []', ', "data": {}', ', "data": null'])
def test_an_error_in_a_200_is_told_with_its_message_and_not_tried_again(data, fails):
    error, tries = fails('{"status": "Error", "message": "No such story"' + data + "}")
    assert isinstance(error, falkor.VendorFailed)
    assert (error.vendor_message, tries, error.retryable) == ("No such story", 1, False)


def test_a_try_that_failed_is_forgotten_when_the_next_one_succeeds(httpserver, connect):
    for status in (503, 429):
        httpserver.expect_ordered_request(ENDPOINT).respond_with_data("x" * 100_000, status=status)
    httpserver.expect_ordered_request(ENDPOINT).respond_with_data(success(element(row())))
    with connect(httpserver.url_for("")).certificates() as answer:
        assert [story.name for story in answer.stories] == ["Story A"]
    assert len(httpserver.log) == 3


def in_one_second() -> str:
    return email.utils.formatdate(time.time() + 2, usegmt=True)  # HTTP dates have whole seconds: 1 to 2 s away


@pytest.mark.parametrize(("asked", "least"), [(lambda: "1", 0.95), (in_one_second, 0.9), (lambda: "soon", 0)])
def test_retry_after_is_waited_for(asked, least, httpserver, connect):
    httpserver.expect_ordered_request(ENDPOINT).respond_with_data(status=429, headers={"Retry-After": asked()})
    httpserver.expect_ordered_request(ENDPOINT).respond_with_data(success())
    began = time.monotonic()
    connect(httpserver.url_for("")).certificates().close()
    assert least <= time.monotonic() - began < 3


@pytest.mark.parametrize("asked", ["3600", "Wed, 21 Oct 2099 07:28:00 GMT"])
def test_a_retry_after_beyond_the_deadline_ends_the_call_at_once(asked, fails):
    began = time.monotonic()
    error, tries = fails("", 429, {"Retry-After": asked}, deadline=5)
    assert (type(error), tries) == (falkor.Throttled, 1)
    assert error.retry_after > 3000
    assert "longer than this call may still take" in str(error)
    assert time.monotonic() - began < 2


def test_a_retry_after_of_the_past_is_no_wait(fails):
    assert fails("", 429, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"})[1] == 3


def test_there_is_no_pause_that_the_deadline_does_not_allow(fails, monkeypatch):
    monkeypatch.setattr(client, "BACKOFF_SECONDS", 60.0)
    error, tries = fails("", 503, deadline=1)
    assert (type(error), tries) == (falkor.VendorFailed, 1)


def test_progress_is_called_while_waiting(httpserver, connect):
    httpserver.expect_ordered_request(ENDPOINT).respond_with_data(status=429, headers={"Retry-After": "2"})
    httpserver.expect_ordered_request(ENDPOINT).respond_with_data(success())
    seen: list[int] = []
    connect(httpserver.url_for("")).certificates(progress=seen.append).close()
    assert len(seen) >= 4


TEXT = success(element(row(firstname="x" * 500)))
GZIP = gzip.compress(TEXT)
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
LENGTH = b"Content-Length: %d\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
ZIPPED = b"Content-Encoding: gzip\r\n"


@pytest.mark.parametrize(
    "parts",
    {
        "length": [OK, LENGTH % len(TEXT), TEXT[:-10]],
        "until closed": [OK, b"\r\n", TEXT[:-10]],
        "chunk": [OK, CHUNKED, b"%x\r\n" % len(TEXT), TEXT[:-10]],
        "no last chunk": [OK, CHUNKED, b"%x\r\n" % len(TEXT), TEXT, b"\r\n"],
        "no chunk size": [OK, CHUNKED, b"zz\r\n", TEXT],
        "complete, but of half a text": [OK, LENGTH % 100, TEXT[:100]],
        "gzip": [OK, ZIPPED, LENGTH % (len(GZIP) - 9), GZIP[:-9]],
        "gzip until closed": [OK, ZIPPED, b"\r\n", GZIP[:-20]],
        "gzip damaged": [OK, ZIPPED, LENGTH % len(GZIP), GZIP[:-8], b"\0" * 8],
        "gzip that is none": [OK, ZIPPED, LENGTH % len(TEXT), TEXT],
        "nothing": [OK, LENGTH % 0],
        "half the head": [OK[:30]],
    }.items(),
    ids=lambda case: case[0],
)
def test_an_answer_that_breaks_off_is_cut_short_and_tried_again(parts, serve, connect):
    server = serve(says(*parts[1]))
    with pytest.raises(falkor.CutShort) as caught:
        connect(server.url).certificates()
    assert server.connections == 3
    assert caught.value.__context__ is None  # its frames would keep the request, and so the token


def test_a_reset_in_the_middle_is_cut_short(serve, connect):
    def handler(connection):
        connection.sendall(OK + LENGTH % len(TEXT) + TEXT[:10])
        connection.setsockopt(1, 13, b"\1\0\0\0\0\0\0\0")  # SO_LINGER 0: close with a reset

    with pytest.raises(falkor.CutShort):
        connect(serve(handler).url).certificates()


def test_half_an_answer_leaves_nothing_in_the_next_try(serve, connect):
    answers = [TEXT[:-10], TEXT]

    def handler(connection):
        connection.sendall(OK + LENGTH % len(TEXT) + answers.pop(0))

    with connect(serve(handler).url).certificates() as answer:
        assert answer.size == len(TEXT)


@pytest.mark.parametrize("parts", [[], [b"\r\n\r\n"]], ids=["silence", "nothing but lines"])
def test_a_server_that_hangs_up_is_unreachable_or_no_api(parts, serve, connect):
    server = serve(says(*parts))
    with pytest.raises((falkor.Unreachable, falkor.NotThisApi)):
        connect(server.url).certificates()


@pytest.mark.parametrize(
    "speech",
    [b"SSH-2.0-OpenSSH_9.2\r\n" * 5, b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n", b"x" * 100_000],
    ids=["ssh", "too many headers", "endless line"],
)
def test_a_server_that_speaks_something_else_is_not_this_api(speech, serve, connect):
    server = serve(says(speech))
    with pytest.raises(falkor.NotThisApi):
        connect(server.url).certificates()
    assert server.connections == 1


def test_another_compression_than_asked_for_is_malformed(fails):
    error, tries = fails(zlib.compress(TEXT), headers={"Content-Encoding": "deflate"})
    assert (type(error), tries) == (falkor.Malformed, 1)


def test_an_announced_size_above_the_cap_is_refused_before_a_byte_is_read(serve, connect):
    server = serve(says(OK, LENGTH % 10**12, b"{"))
    with pytest.raises(falkor.TooLarge) as caught:
        connect(server.url, max_bytes=2**20).certificates()
    assert "1 MB" in str(caught.value)
    assert server.connections == 1


def test_the_cap_counts_what_is_not_announced(serve, connect):
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
    with pytest.raises(falkor.TooLarge):
        connect(serve(says(OK, CHUNKED, chunk * 40, b"0\r\n\r\n")).url, max_bytes=2**20).certificates()


def test_a_gzip_bomb_stops_at_the_cap(serve, connect):
    folded = gzip.compress(b"[" + b" " * 200_000_000, 9)
    seen: list[int] = []
    made = connect(serve(says(OK, ZIPPED, LENGTH % len(folded), folded)).url, max_bytes=3 * 2**20)
    tracemalloc.start()
    with pytest.raises(falkor.TooLarge):
        made.certificates(progress=seen.append)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert max(seen) <= 3 * 2**20
    assert peak < 5_000_000


def test_an_answer_as_large_as_the_cap_is_not_too_large(httpserver, connect):
    httpserver.expect_request(ENDPOINT).respond_with_data(TEXT)
    connect(httpserver.url_for(""), max_bytes=len(TEXT)).certificates().close()
