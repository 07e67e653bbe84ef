"""The raw connection to a client, for what no WSGI server would say."""

import os
import socket
import struct
import threading
import time
from typing import NoReturn

#: After so long even an endless answer ends.
PATIENCE_SECONDS = 300.0
_STEP_SECONDS = 0.05


class HungUp(ConnectionAbortedError):
    """The connection is over: the server, which knows it as a connection error, says nothing more on it."""


class Wire:
    """A connection whose request was read.

    Nothing here outlasts the client, the server (`stopped`) or the sandbox's patience: then HungUp is raised.
    """

    def __init__(self, connection: socket.socket, stopped: threading.Event) -> None:
        self._connection, self._stopped = connection, stopped
        self._end = time.monotonic() + PATIENCE_SECONDS

    def send(self, *parts: bytes) -> None:
        """Send bytes as they are."""
        self._connection.settimeout(_STEP_SECONDS)
        rest = memoryview(b"".join(parts))
        while rest:
            self._check()
            try:
                rest = rest[self._connection.send(rest) :]
            except TimeoutError:
                continue
            except OSError:
                self.hang_up()

    def pause(self, seconds: float) -> None:
        """Wait, unless the client hangs up meanwhile."""
        end = time.monotonic() + seconds
        self._connection.settimeout(min(_STEP_SECONDS, seconds))
        while time.monotonic() < end:
            self._check()
            try:
                gone = not self._connection.recv(1, socket.MSG_PEEK)
            except TimeoutError:
                continue
            except OSError:
                gone = True
            if gone:
                self.hang_up()
            self._stopped.wait(_STEP_SECONDS)  # it says something more, which nobody wants to know
        self._connection.settimeout(None)

    def say_nothing(self) -> NoReturn:
        """Wait until somebody ends it."""
        self.pause(PATIENCE_SECONDS)
        self.hang_up()

    def drip(self, drop: bytes, seconds: float = _STEP_SECONDS) -> NoReturn:
        """Send a drop every so many seconds (0: as fast as it goes), until somebody ends it."""
        while True:
            self.send(drop)
            if seconds:
                self.pause(seconds)

    def hang_up(self) -> NoReturn:
        """End the connection in order, whatever was promised."""
        try:
            self._connection.shutdown(socket.SHUT_RDWR)
        except OSError as error:
            raise HungUp from error
        raise HungUp

    def reset(self) -> NoReturn:
        """End the connection as a crashed machine does (RST)."""
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # The server's handler keeps the socket open, and its own end would be an orderly one: its descriptor now
        # leads to another socket, at whose other end nobody is.
        ours, theirs = socket.socketpair()
        with ours, theirs:
            os.dup2(ours.fileno(), self._connection.fileno(), inheritable=False)
        raise HungUp

    def _check(self) -> None:
        if self._stopped.is_set() or time.monotonic() > self._end:
            self.hang_up()
