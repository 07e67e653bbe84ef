"""Vendors to test against: pytest-httpserver for whole answers, raw sockets for everything that is broken."""

import json
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

ENDPOINT = "/v1/logs/story-certificates"
TOKEN = "a2V5LWNhbmFyeTpzZWNyZXQtY2FuYXJ5"  # key-canary:secret-canary

Handler = Callable[[socket.socket], None]


def row(**changes: Any) -> dict[str, Any]:
    certificate = {"timestamp": "2021-09-28T11:14:23+02:00", "state": "delivered", "url": "https://c.example/1"}
    certificate |= changes.pop("certificate", {})
    person = {"firstname": "User", "lastname": "One", "email": "one@mail.example", "telephone": ""}
    return {**person, "country": "United Kingdom", "city": "London", "certificate": certificate, **changes}


def element(*rows: Any, name: str = "Story A", **head: Any) -> dict[str, Any]:
    return {"story": {"name": name, "type": "Story", "ID": "EV72-RQZY-80AH", **head}, "certificates": list(rows)}


def success(*elements: Any, **more: Any) -> bytes:
    return json.dumps(
        {"status": "success", "data": list(elements), "hash": "5cd3", "response_time": 0.3, **more}
    ).encode()


class RawServer:
    """A listening socket whose handler speaks (or does not speak) HTTP by hand, a thread a connection."""

    def __init__(self, handler: Handler, *, read_request: bool) -> None:
        self.connections = 0
        self.stopped = threading.Event()
        self._handler, self._read_request = handler, read_request
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def _accept(self) -> None:
        while not self.stopped.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            if self.stopped.is_set():
                connection.close()
                return
            self.connections += 1
            self._threads.append(threading.Thread(target=self._serve, args=(connection,)))
            self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(5)
        with connection, suppress(OSError):
            if self._read_request:
                read_request(connection)
            self._handler(connection)

    def stop(self) -> None:
        self.stopped.set()
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        for thread in self._threads:
            thread.join(6)
        self._listener.close()


def read_request(connection: socket.socket) -> bytes:
    """Read a whole request: hanging up on unread bytes would reset the connection."""
    text = b""
    while b"\r\n\r\n" not in text:
        text += _received(connection)
    head, _, body = text.partition(b"\r\n\r\n")
    size = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    while len(body) < size:
        body += _received(connection)
    return head + b"\r\n\r\n" + body


def _received(connection: socket.socket) -> bytes:
    part = connection.recv(65536)
    if not part:
        raise ConnectionError("The client hung up before its request was whole.")
    return part


def says(*parts: bytes) -> Handler:
    """Return a handler that sends these bytes and hangs up."""
    return lambda connection: connection.sendall(b"".join(parts))


def drips(beginning: bytes, drop: bytes, pause: float = 0.05) -> Handler:
    """Return a handler that goes on for longer than any test waits, a drop at a time."""

    def handler(connection: socket.socket) -> None:
        connection.sendall(beginning)
        for _ in range(100):
            connection.sendall(drop)
            threading.Event().wait(pause)

    return handler
