"""Serves one SQLite file by certdash, Datasette and the Django admin, and asks all three the same questions."""

import json
import re
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import requests

from tests.bench.pages.questions import questions

ROOT = Path(__file__).parents[3]
TIMES = 11
_WAIT = 60  # seconds for a server's start and for a page
DEEP = 20_000  # the page that is compared with the first


class Failed(Exception):
    """A server did not start, or did not answer as it should."""


class Line(NamedTuple):
    """A question and the milliseconds of each answer (median); None where it was not asked."""

    what: str
    certdash: float
    datasette: float | None
    admin: float | None


def measure(environment: Mapping[str, str], database: Path) -> list[Line]:
    """The medians of every question, all systems asked in turn. Raises Failed.

    `environment` is of an installation that `visitors` has not been used on yet; `database` is its file.
    """
    known = _prepared(environment)
    with ExitStack() as servers:
        systems = [
            _System(servers.enter_context(_certdash(environment)), known, scripts="1"),
            _System(servers.enter_context(_datasette(environment, database)), {}),
            _System(servers.enter_context(_admin(environment)), known),
        ]
        asked = [(one.what, [one.certdash, one.datasette, one.admin]) for one in questions(known)]
        asked.append(
            (f"page {min(DEEP, known['pages']):,}", [f"/certificates/?page={min(DEEP, known['pages'])}", None, None])
        )
        lines = [Line(what, *_medians(systems, addresses)) for what, addresses in asked]
        counts = [("the filters' counts, asked for after the page", "/certificates/?_part=filters"), ("overview", "/")]
        lines += [Line(what, *_medians(systems, [address, None, None])) for what, address in counts]
    return lines


def _prepared(environment: Mapping[str, str]) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.bench.pages.visitors"]
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        raise Failed(f"readying the installation ended with {done.returncode}")
    known: dict[str, Any] = json.loads(done.stdout)
    return known


class _System:
    """One of the three, as a browser that has been there before."""

    def __init__(self, url: str, known: Mapping[str, Any], **cookies: str) -> None:
        self._url, self._session = url, requests.Session()
        self._session.trust_env = False
        self._session.cookies.update(dict([known["cookie"]] if known else []) | cookies)

    def ask(self, address: str) -> float:
        """Milliseconds until the answer was there. Raises Failed."""
        began = time.perf_counter()
        try:
            answer = self._session.get(f"{self._url}{address}", timeout=_WAIT, allow_redirects=False)
        except requests.RequestException as error:
            raise Failed(f"{address} was not answered: {type(error).__name__}") from None
        spent = 1000 * (time.perf_counter() - began)
        if answer.status_code != 200:
            raise Failed(f"{address} was answered {answer.status_code}")
        return spent


def _medians(systems: list[_System], addresses: list[str | None]) -> list[Any]:
    spent: list[list[float]] = [[] for _ in systems]
    for turn in range(TIMES + 2):  # two to warm up
        for system, address, times in zip(systems, addresses, spent, strict=True):
            if address is not None:
                milliseconds = system.ask(address)
                times.extend([milliseconds] if turn > 1 else [])
    return [statistics.median(times) if times else None for times in spent]


# -- Servers ----------------------------------------------------------------------------------------------------


@contextmanager
def _certdash(environment: Mapping[str, str]) -> Iterator[str]:
    with _gunicorn("certdash.wsgi", environment) as url:
        yield url


@contextmanager
def _admin(environment: Mapping[str, str]) -> Iterator[str]:
    settings = {"DJANGO_SETTINGS_MODULE": "tests.bench.pages.admin"}
    with _gunicorn("django.core.wsgi:get_wsgi_application()", {**environment, **settings}) as url:
        yield url


@contextmanager
def _gunicorn(application: str, environment: Mapping[str, str]) -> Iterator[str]:
    port = _free_port()
    command = [sys.executable, "-m", "gunicorn", application, "--workers", "2", "--bind", f"127.0.0.1:{port}"]
    with _running(command, environment, port) as url:
        yield url


@contextmanager
def _datasette(environment: Mapping[str, str], database: Path) -> Iterator[str]:
    port = _free_port()
    command = [sys.executable, "-m", "datasette", "serve", str(database), "--host", "127.0.0.1", "--port", f"{port}"]
    command += ["--setting", "sql_time_limit_ms", f"{1000 * _WAIT}"]  # it answers late rather than not at all
    with _running(command, environment, port) as url:
        yield url


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


@contextmanager
def _running(command: list[str], environment: Mapping[str, str], port: int) -> Iterator[str]:
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        _wait_for(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate(timeout=_WAIT)


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + _WAIT
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise Failed(f"{re.sub(r'.*/', '', process.args[2])} did not start")  # type: ignore[index, arg-type]
