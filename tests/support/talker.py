"""A vendor on a socket that speaks as the test wants it at that moment: not at all, in drops, or sense."""

import re
import socket
import threading
from collections.abc import Iterator

import pytest

from tests.falkor.vendors import TOKEN, Handler, RawServer, drips, says, success
from tests.support.installation import Installation
from tests.sync.vendor import people, story

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"


class Talker:
    """`calls`: how many requests have arrived, whether or not they were answered."""

    def __init__(self) -> None:
        self.calls = 0
        self._speak: Handler = says()
        self._server = RawServer(self._serve, read_request=False)
        self.url = self._server.url
        self.answers(2)

    def _serve(self, connection: socket.socket) -> None:
        if _has_asked(connection):
            self.calls += 1
            self._speak(connection)

    def answers(self, people_in_each: int, stories: int = 1, after: float = 0) -> None:
        """From now on it answers, some seconds later, with so many stories of so many people."""
        elements = [
            story(*people(people_in_each), name=f"Story {n}", vendor_id=f"ID-{n}") for n in range(1, stories + 1)
        ]
        body = success(*elements)
        speak = says(_HEAD % len(body), body)

        def late(connection: socket.socket) -> None:
            threading.Event().wait(after)
            speak(connection)

        self._speak = late

    def is_silent(self) -> None:
        """From now on it takes the request and says nothing."""

        def silent(_connection: socket.socket) -> None:
            self._server.stopped.wait(60)

        self._speak = silent

    def drips(self) -> None:
        """From now on it answers a byte now and then."""
        self._speak = drips(_HEAD % 10**6 + b"[", b" ")

    def stop(self) -> None:
        self._server.stop()


def _has_asked(connection: socket.socket) -> bool:
    """Reads a whole request; false when who was to send it has gone, perhaps killed."""
    text = b""
    while not (end := re.search(rb"content-length: (\d+)\r\n(?:.+\r\n)*\r\n", text, re.IGNORECASE)) or (
        len(text) < end.end() + int(end[1])
    ):
        some = connection.recv(65536)
        if not some:
            return False
        text += some
    return True


@pytest.fixture
def talker() -> Iterator[Talker]:
    talker = Talker()
    yield talker
    talker.stop()


def connect(installation: Installation, talker: Talker, *slugs: str) -> None:
    """Makes the tables, and apps at this vendor."""
    adding = [
        f"sys.stdin = io.StringIO({TOKEN!r}); "
        f"call_command('add_app', {slug!r}, '--name', {slug.title()!r}, '--base-url', {talker.url!r})"
        for slug in slugs or ["demo"]
    ]
    code = ["import io, sys", "from django.core.management import call_command", "call_command('migrate', verbosity=0)"]
    installation.manage("shell", "--verbosity", "0", "-c", "\n".join([*code, *adding]))
