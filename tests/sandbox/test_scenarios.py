"""The misbehaving sandbox itself: what it says on the wire, that it ends, and what it leaves alone."""

import gzip
import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from certdash.sandbox import DEMO, SCENARIOS, Clock, Misbehaving, SandboxApp, World, running_server
from certdash.sandbox.scenarios import wire
from tests.sandbox.conftest import NOW, ORIGIN, Vendor

MANAGE = Path(__file__).parents[2] / "manage.py"
ENDPOINT = "/v1/logs/story-certificates"
QUESTIONS: tuple[dict[str, Any], ...] = ({}, {"groups": ["Engineering"]})
#: What is right and only comes in an unusual way.
RIGHT = {"slow", "in-pieces", "until-close", "gzip-members"}
#: What goes on until somebody ends it.
ENDLESS = (
    "length-immense", "silent", "stalled", "dripping-status", "dripping-headers", "dripping-body",
    "endless-body", "endless-headers", "endless-error", "gzip-bomb", "groups-silent",
)  # fmt: skip


@dataclass
class Stage(Vendor):
    """A running sandbox that plays scenarios."""

    sandbox: Misbehaving

    def connect(self, question: dict[str, Any]) -> socket.socket:
        """A connection on which a question was asked."""
        body = json.dumps(question).encode()
        head = f"POST {ENDPOINT} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {DEMO.token}\r\n"
        connection = socket.create_connection((urlsplit(self.url).hostname, urlsplit(self.url).port), timeout=5)
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        return connection

    def impression(self, question: dict[str, Any]) -> Any:
        """What a client makes of the answer."""
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=5)
        headers = {"Authorization": f"Basic {DEMO.token}"}
        try:
            connection.request("POST", ENDPOINT, json.dumps(question), headers)
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, HTTPException) as error:
            return type(error)
        finally:
            connection.close()
        told = [answer.headers[name] for name in ("Location", "Retry-After", "Content-Encoding")]
        return answer.status, *told, body if body.startswith(b"\x1f\x8b") else words(body)


def words(body: bytes) -> Any:
    """A JSON text with all its keys, in their order and however often, but for the time it took; else the bytes."""

    def pairs(given: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
        return [(key, value) for key, value in given if key != "response_time" or value > 60]

    try:
        return json.loads(body.decode(), object_pairs_hook=pairs)
    except (ValueError, RecursionError):
        return re.sub(rb'"response_time": ?[0-9.e-]+', b"", body)


@pytest.fixture(scope="module")
def small_world() -> World:
    return World(ORIGIN, 160, seed=1)


@pytest.fixture
def stage(small_world: World) -> Iterator[Stage]:
    sandbox = Misbehaving(SandboxApp(small_world, Clock(NOW)))
    with running_server(sandbox) as url:
        yield Stage(url, small_world, sandbox)
        sandbox.stop()


def answering() -> set[threading.Thread]:
    """The threads that answer a call at the moment."""
    return {thread for thread in threading.enumerate() if "process_request_thread" in thread.name}


@contextmanager
def going_on(stage: Stage, name: str) -> Iterator[tuple[socket.socket, set[threading.Thread]]]:
    """A connection on which the scenario goes on, and the thread that plays it."""
    before = answering()
    stage.sandbox.play(SCENARIOS[name])
    with stage.connect(QUESTIONS[1]) as connection:
        patience = time.monotonic() + 10
        while not stage.sandbox.calls and time.monotonic() < patience:
            time.sleep(0.01)
        began = answering() - before
        assert not end(began, seconds=0.1)
        yield connection, began


def end(threads: set[threading.Thread], seconds: float = 10) -> bool:
    """Whether all of them end within some seconds."""
    for thread in threads:
        thread.join(seconds)
    return not any(thread.is_alive() for thread in threads)


# -- What there is ----------------------------------------------------------------------------------------------


def test_there_are_many_and_each_says_in_a_sentence_what_it_does():
    assert len(SCENARIOS) >= 60
    assert len({each.description for each in SCENARIOS.values()}) == len(SCENARIOS)
    for name, each in SCENARIOS.items():
        assert name == each.name
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)
        assert re.fullmatch(r"\S[^\n]{5,110}\.", each.description)


@pytest.mark.parametrize("name", [name for name in SCENARIOS if name not in {*ENDLESS, *RIGHT}])
def test_each_answers_something_else_than_the_sandbox(name, stage):
    asked = [*QUESTIONS, *QUESTIONS]  # twice: some are right every other time
    honest = [stage.impression(question) for question in asked]
    stage.sandbox.play(SCENARIOS[name])
    assert [stage.impression(question) for question in asked] != honest


@pytest.mark.parametrize("name", sorted(RIGHT))
def test_what_only_comes_in_an_unusual_way_is_right(name, stage):
    *_, honest = stage.impression({})
    stage.sandbox.play(SCENARIOS[name])
    status, *_, said = stage.impression({})
    assert status == 200
    assert (words(gzip.decompress(said)) if isinstance(said, bytes) else said) == honest


# -- On the wire ------------------------------------------------------------------------------------------------


def everything(connection: socket.socket) -> bytes:
    pieces = []
    while piece := connection.recv(65536):
        pieces.append(piece)
    return b"".join(pieces)


@pytest.mark.parametrize("name", ["reset", "reset-in-body"])
def test_a_reset_is_one(name, stage):
    stage.sandbox.play(SCENARIOS[name])
    with stage.connect({}) as connection, pytest.raises(ConnectionResetError):
        everything(connection)


def test_who_hangs_up_does_so_in_order(stage):
    stage.sandbox.play(SCENARIOS["hang-up"])
    with stage.connect({}) as connection:
        assert everything(connection) == b""


def test_chunks_that_are_cut_lack_only_their_end(stage):
    stage.sandbox.play(SCENARIOS["cut-chunks"])
    with stage.connect({}) as connection:
        said = everything(connection)
    assert b"Transfer-Encoding: chunked" in said
    assert said.endswith(b"}\r\n")


# -- It ends ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ENDLESS)
def test_what_is_endless_ends_when_the_client_hangs_up(name, stage):
    with going_on(stage, name) as (connection, threads):
        connection.close()
        assert end(threads)


@pytest.mark.parametrize("name", ENDLESS)
def test_what_is_endless_ends_when_the_sandbox_stops(name, stage):
    with going_on(stage, name) as (_, threads):
        stage.sandbox.stop()
        assert end(threads)


def test_what_is_endless_ends_when_the_sandbox_loses_patience(stage, monkeypatch):
    monkeypatch.setattr(wire, "PATIENCE_SECONDS", 0.2)
    stage.sandbox.play(SCENARIOS["dripping-body"])
    with stage.connect({}) as connection:
        assert everything(connection).startswith(b"HTTP/1.1 200 OK")


# -- What it leaves alone ---------------------------------------------------------------------------------------


def test_only_the_endpoint_misbehaves(stage):
    stage.sandbox.play(SCENARIOS["hang-up"])
    assert stage.set_clock(NOW.isoformat()).json()["frozen"]
    assert stage.call("GET", "/certificates/nothing").status_code == 404
    assert stage.call("GET", ENDPOINT).status_code == 405
    assert stage.sandbox.calls == 0


def test_a_call_that_is_wrong_itself_is_refused_as_ever(stage):
    stage.sandbox.play(SCENARIOS["half-missing"])
    assert stage.ask(token="d3Jvbmc6d3Jvbmc=").status_code == 401
    assert stage.ask(app="io.certdash.nowhere").status_code == 400
    assert stage.call("POST", ENDPOINT, DEMO.token, data=b"[").status_code == 400
    assert stage.call("POST", ENDPOINT, DEMO.token, data=b" " * 2**20 + b"{}").status_code == 413


def test_scenarios_about_groups_leave_the_other_calls_alone(stage):
    honest = [stage.impression(question) for question in QUESTIONS]
    stage.sandbox.play(SCENARIOS["groups-nobody"])
    assert [stage.impression(question) == one for question, one in zip(QUESTIONS, honest, strict=True)] == [True, False]


def test_calls_are_counted_anew_with_each_scenario(stage):
    stage.sandbox.play(SCENARIOS["server-error-once"])
    assert [stage.ask().status_code for _ in range(3)] == [500, 200, 200]
    assert stage.sandbox.calls == 3
    stage.sandbox.play(SCENARIOS["server-error-once"])
    assert stage.ask().status_code == 500
    stage.sandbox.play(None)
    assert stage.ask().status_code == 200


# -- As a command -----------------------------------------------------------------------------------------------


def manage(tmp_path: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, MANAGE, "sandbox", *arguments],
        env={"PYTHONUTF8": "1", "CERTDASH_DATA_DIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_command_lists_the_scenarios(tmp_path):
    output, errors = manage(tmp_path, "--scenario", "list").communicate(timeout=30)
    told = [tuple(re.split(r"\s{2,}", line)) for line in output.splitlines()]
    assert (told, errors) == ([(each.name, each.description) for each in SCENARIOS.values()], "")


def test_the_command_plays_a_scenario_and_says_so(tmp_path):
    process = manage(tmp_path, "--port", "0", "--certificates", "20", "--scenario", "server-error")
    try:
        url = re.search(r"http://\S+", process.stdout.readline())[0]
        introduction = [process.stdout.readline() for _ in range(9)]
        assert SCENARIOS["server-error"].description in introduction[-1]
        assert Vendor(url, World(ORIGIN, 0, 1)).ask().status_code == 500
    finally:
        process.kill()
        process.communicate()


def test_the_command_knows_no_other_name(tmp_path):
    process = manage(tmp_path, "--scenario", "nonsense")
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 2
    assert "--scenario list" in errors
