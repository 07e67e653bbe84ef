"""Without long pauses between the tries of a call."""

import pytest
from pytest_httpserver import HTTPServer

from certdash.falkor import client
from tests.sync.vendor import Vendor, new_app


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "BACKOFF_SECONDS", 0.02)


@pytest.fixture
def vendor(db: None, httpserver: HTTPServer) -> Vendor:
    """A vendor with one stored app."""
    return Vendor(httpserver, new_app(httpserver.url_for("")))
