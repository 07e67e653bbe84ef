"""A small world on a real socket, seen at one moment."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pytest
import requests

from certdash.sandbox import DEMO, ZONE, World, running_sandbox

ORIGIN = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, tzinfo=ZONE)


@dataclass
class Vendor:
    """A running sandbox, and calls to it."""

    url: str
    world: World

    def call(self, method: str, path: str, token: str = "", **options: Any) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            if token:
                session.headers["Authorization"] = f"Basic {token}"
            return session.request(method, self.url + path, timeout=10, **options)

    def ask(self, token: str = DEMO.token, **parameters: Any) -> requests.Response:
        return self.call("POST", "/v1/logs/story-certificates", token, json=parameters)

    def data(self, **parameters: Any) -> Any:
        answer = self.ask(**parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def set_clock(self, now: Any) -> requests.Response:
        return self.call("POST", "/sandbox/clock", json={"now": now})


@pytest.fixture(scope="session")
def world() -> World:
    return World(ORIGIN, 1200, seed=1)


@pytest.fixture
def vendor(world: World) -> Iterator[Vendor]:
    with running_sandbox(world, NOW) as url:
        yield Vendor(url, world)
