"""Commands as a script calls them: arguments, standard input, what is printed, and the one sentence of a refusal."""

import io
import sys
from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command
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


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Return a caller of commands that gives what was printed on standard output."""

    def call(*arguments: str, stdin: str = "") -> str:
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        capsys.readouterr()
        call_command(*arguments)
        return capsys.readouterr().out

    return call


@pytest.fixture
def refused(run: Callable[..., str]) -> Callable[..., str]:
    """Return a caller of commands that must refuse, and gives the sentence that says why."""

    def call(*arguments: str, stdin: str = "") -> str:
        with pytest.raises(CommandError) as caught:
            run(*arguments, stdin=stdin)
        sentence = str(caught.value)
        assert "\n" not in sentence
        assert caught.value.returncode == 1
        return sentence

    return call
