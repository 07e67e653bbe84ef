"""A call ends in its time whatever the server does, and leaves neither a thread nor a socket behind."""

import socket
import threading
import time
import zlib
from contextlib import suppress
from pathlib import Path

import pytest

from certdash import falkor
from certdash.falkor import body, client, transport, verdict

from .vendors import drips, success

OK = b"HTTP/1.1 200 OK\r\n"
ENDLESS_NAME = b"\x1f\x8b\x08\x08" + bytes(6)  # the head of a gzip member, up to its file name


def open_sockets() -> set[str]:
    """Return this process's sockets by inode."""
    found = set()
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            found.add(str(entry.readlink()))
    return {target for target in found if target.startswith("socket:")}


def never(connection: socket.socket) -> None:
    while connection.recv(65536):  # until the client hangs up
        pass


def slow_gzip(connection: socket.socket) -> None:
    folder = zlib.compressobj(wbits=31)
    connection.sendall(OK + b"Content-Encoding: gzip\r\n\r\n")
    for _ in range(100):
        connection.sendall(folder.compress(b"{") + folder.flush(zlib.Z_SYNC_FLUSH))
        time.sleep(0.05)


@pytest.mark.parametrize(
    "handler",
    [
        pytest.param(never, id="accepts and never answers"),
        pytest.param(drips(b"HT", b"T"), id="dripping status line"),
        pytest.param(drips(OK, b"X-More: 1\r\n"), id="dripping headers"),
        pytest.param(drips(OK + b"Content-Length: 100000\r\n\r\n{", b" "), id="dripping body"),
        pytest.param(drips(OK + b"\r\n" + success(), b" "), id="dripping behind the end, until closed"),
        pytest.param(drips(OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", b"1\r\n \r\n"), id="chunks"),
        pytest.param(drips(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"0"), id="dripping chunk size"),
        pytest.param(slow_gzip, id="dripping gzip"),
        pytest.param(drips(b"HTTP/1.1 500 No\r\n\r\n{", b" "), id="dripping error"),
    ],
)
def test_the_deadline_cuts_whatever_drips(handler, serve, connect):
    server = serve(handler)
    sockets, threads = open_sockets(), threading.active_count()
    began = time.monotonic()
    with pytest.raises(falkor.TooSlow) as caught:
        connect(server.url, deadline=0.6).certificates()
    assert 0.5 < time.monotonic() - began < 1.5
    assert "0.6 seconds" in str(caught.value)
    assert server.connections == 1
    server.stop()
    left = open_sockets() - sockets
    assert left == set()
    assert threading.active_count() <= threads


def test_tls_that_never_begins_is_cut_too(serve, connect):
    server = serve(never, read_request=False)
    began = time.monotonic()
    with pytest.raises(falkor.TooSlow):
        connect(server.url.replace("http", "https"), deadline=0.6).certificates()
    assert time.monotonic() - began < 1.5


def test_tls_that_never_begins_counts_as_no_connection_within_the_deadline(serve, connect, monkeypatch):
    monkeypatch.setattr(transport, "CONNECT_SECONDS", 0.2)
    server = serve(never, read_request=False)
    with pytest.raises(falkor.Unreachable):
        connect(server.url.replace("http", "https")).certificates()
    assert server.connections == 3


def test_a_connection_that_is_never_accepted_is_unreachable(connect, monkeypatch):
    """A full backlog: the kernel answers no further connection."""
    monkeypatch.setattr(transport, "CONNECT_SECONDS", 0.2)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    waiting = [socket.socket() for _ in range(4)]
    for one in waiting:
        one.setblocking(False)
        one.connect_ex(listener.getsockname())
    with pytest.raises(falkor.Unreachable) as caught:
        connect(f"http://127.0.0.1:{listener.getsockname()[1]}").certificates()
    for one in (*waiting, listener):
        one.close()
    assert "did not answer" in str(caught.value)


@pytest.mark.parametrize("beginning", [b"", OK + b"Content-Length: 9\r\n\r\n{"], ids=["head", "body"])
def test_a_single_silence_longer_than_the_read_timeout_is_too_slow_and_not_tried_again(
    beginning, serve, connect, monkeypatch
):
    monkeypatch.setattr(client, "READ_SECONDS", 0.3)

    def handler(connection: socket.socket) -> None:
        connection.sendall(beginning)
        never(connection)

    server = serve(handler)
    with pytest.raises(falkor.TooSlow):
        connect(server.url).certificates()
    assert server.connections == 1


def test_the_deadline_spans_all_tries(serve, connect, monkeypatch):
    monkeypatch.setattr(client, "BACKOFF_SECONDS", 0.3)

    def handler(connection: socket.socket) -> None:
        time.sleep(0.3)

    began = time.monotonic()
    with pytest.raises((falkor.TooSlow, falkor.Unreachable)):
        connect(serve(handler).url, deadline=0.8).certificates()
    assert time.monotonic() - began < 1.2


def test_a_good_call_leaves_no_thread_and_no_socket(httpserver, connect):
    httpserver.expect_request("/v1/logs/story-certificates").respond_with_data(success())
    made = connect(httpserver.url_for(""))
    made.certificates().close()
    threads, sockets = threading.active_count(), len(open_sockets())
    for _ in range(3):
        made.certificates().close()
    assert threading.active_count() == threads
    patience = time.monotonic() + 3  # the server in this process closes its own ends a moment later
    while len(open_sockets()) > sockets and time.monotonic() < patience:
        time.sleep(0.02)
    assert len(open_sockets()) <= sockets


def test_nobody_listening_is_unreachable_after_three_tries(connect, caplog):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(falkor.Unreachable):
            connect(f"http://127.0.0.1:{unused.getsockname()[1]}").certificates()
    assert caplog.text.count("Unreachable") == 3


@pytest.mark.parametrize(
    ("beginning", "drop"),
    [
        pytest.param(OK + b"\r\n{", b" ", id="body"),
        pytest.param(OK + b"Content-Encoding: gzip\r\n\r\n" + ENDLESS_NAME, b"a", id="gzip that unfolds to nothing"),
        pytest.param(b"HTTP/1.1 500 No\r\n\r\n{", b" ", id="error"),
    ],
)
def test_a_slow_answer_reports_progress_every_second_or_so(beginning, drop, serve, connect, monkeypatch):
    monkeypatch.setattr(body, "_REPORT_SECONDS", 0.1)
    seen: list[int] = []
    with pytest.raises(falkor.TooSlow):
        connect(serve(drips(beginning, drop)).url, deadline=0.8).certificates(progress=seen.append)
    assert len(seen) >= 4


@pytest.fixture
def _short_reads(monkeypatch):
    for module in (body, client, transport, verdict):
        monkeypatch.setattr(module, "READ_SECONDS", 0.3)


@pytest.mark.usefixtures("_short_reads")
@pytest.mark.parametrize(
    ("beginning", "drop", "message"),
    [
        pytest.param(b"HT", b"T", "did not begin to answer within 0.3 seconds", id="status line"),
        pytest.param(OK, b"X-More: 1\r\n", "did not begin to answer within 0.3 seconds", id="headers"),
        pytest.param(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"0", "stopped for 0.3 seconds", id="chunk size"),
    ],
)
def test_what_drips_without_a_byte_of_the_body_is_cut_like_silence(beginning, drop, message, serve, connect):
    server = serve(drips(beginning, drop))
    threads, began = threading.active_count(), time.monotonic()
    with pytest.raises(falkor.TooSlow, match=message):
        connect(server.url, deadline=5).certificates()
    assert time.monotonic() - began < 2
    assert server.connections == 1
    server.stop()
    assert threading.active_count() <= threads


@pytest.mark.usefixtures("_short_reads")
def test_a_body_that_keeps_coming_may_take_longer_than_one_read(serve, connect):
    server = serve(drips(OK + b"\r\n{", b" "))
    with pytest.raises(falkor.TooSlow, match="not complete after 1 seconds"):
        connect(server.url, deadline=1).certificates()


@pytest.mark.usefixtures("_short_reads")
def test_an_error_whose_body_is_cut_keeps_its_status(serve, connect):
    head = b"HTTP/1.1 401 No\r\nTransfer-Encoding: chunked\r\n\r\n"
    with pytest.raises(falkor.WrongToken):
        connect(serve(drips(head, b"0")).url, deadline=5).certificates()
