"""Serving the fake vendor over HTTP/1.1, on this machine only."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from werkzeug.serving import WSGIRequestHandler, make_server

from certdash.sandbox.app import SandboxApp
from certdash.sandbox.clock import Clock
from certdash.sandbox.world import World

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

HOST = "127.0.0.1"


class _QuietHandler(WSGIRequestHandler):
    """Logs no requests: their addresses and bodies name people."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


class SandboxServer:
    """A threaded server of a WSGI application; it listens as soon as it exists, on a free port for port 0.

    Raises OSError when the port cannot be had.
    """

    def __init__(self, app: "WSGIApplication", port: int = 0) -> None:
        with socket.create_server((HOST, port)) as listener:
            self._server = make_server(
                HOST, port, app, threaded=True, request_handler=_QuietHandler, fd=listener.fileno()
            )

    @property
    def url(self) -> str:
        """The base URL, without a slash at its end."""
        return f"http://{HOST}:{self._server.port}"

    def serve(self) -> None:
        """Answers requests until `stop` is called from another thread or KeyboardInterrupt is raised."""
        self._server.serve_forever(poll_interval=0.05)

    def stop(self) -> None:
        """Ends `serve`."""
        self._server.shutdown()


@contextmanager
def running_server(app: "WSGIApplication") -> Iterator[str]:
    """Serves an application in a thread for the time of the block; gives its base URL."""
    server = SandboxServer(app)
    thread = threading.Thread(target=server.serve, name="sandbox", daemon=True)
    thread.start()
    try:
        yield server.url
    finally:
        server.stop()
        thread.join()


@contextmanager
def running_sandbox(world: World, now: datetime | None = None) -> Iterator[str]:
    """Serves a world in a thread for the time of the block, at the moment `now` if given; gives its URL."""
    with running_server(SandboxApp(world, Clock(now))) as url:
        yield url
