import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from certdash.falkor import FalkorClient, client

from .vendors import TOKEN, Handler, RawServer


@pytest.fixture
def serve() -> Iterator[Callable[..., RawServer]]:
    servers: list[RawServer] = []

    def start(handler: Handler, *, read_request: bool = True) -> RawServer:
        servers.append(RawServer(handler, read_request=read_request))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "BACKOFF_SECONDS", 0.02)


@pytest.fixture
def spool_dir(tmp_path: Path) -> Iterator[Path]:
    """Hand out the spool folder, and see afterwards that no file and no thread of the client is left."""
    before = set(threading.enumerate())
    yield tmp_path / "spool"
    assert list((tmp_path / "spool").glob("*")) == []
    left = [t for t in set(threading.enumerate()) - before if isinstance(t, threading.Timer)]
    assert left == []


@pytest.fixture
def connect(spool_dir: Path) -> Callable[..., FalkorClient]:
    """Return a maker of clients that may call loopback."""

    def make(url: str, token: str = TOKEN, **options: Any) -> FalkorClient:
        options = {"deadline": 20, "allow_private": True, **options}
        return FalkorClient(url, token, spool_dir=spool_dir, **options)

    return make
