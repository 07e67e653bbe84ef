"""Pages answer, and people log in, while a sync in another process writes all that an app has."""

import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator

import pytest
import requests
from werkzeug import Response

from certdash.sandbox import running_server
from tests.falkor.vendors import TOKEN
from tests.prove.setting_up import NewApp, set_up
from tests.support.installation import Installation, Running
from tests.support.proof import Sized, Tell
from tests.test_login import log_in
from tests.world import PASSWORD

STORIES = 50
PAGES = {
    "overview": "/",
    "certificates": "/certificates/",
    "their filters": "/certificates/?_part=filters",  # which a browser with scripts asks for apart
    "story": "/stories/demo/ST-1~story-1/",
}
# Times the idle figure: far more than is aimed at, and far less than where somebody has to wait for the sync. In the
# short form, with few looks on a machine that does other tests beside them, one slow one decides.
MOST_TIMES, MOST_TIMES_SHORT = 4, 10
LEAST_SECONDS = 0.1  # idle figures below are taken for so much
BETWEEN_LOGINS = 2.2  # seconds: more than 30 in a minute from one address are refused
_ROW = (
    '{{"firstname":"Person","lastname":"{n}","email":"p{n}@mail.example","telephone":"","country":"Country {m}",'
    '"city":"{city}","certificate":{{"timestamp":"2026-03-{day:02}T09:30:00+01:00","state":"{state}",'
    '"url":"https://vendor.example/c/{n}"}}}}'
)


class Rewriting:
    """A vendor of so many rows, of which every one is another one when the learners have moved to another city."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.city = "Aarhus"

    def __call__(self, environ: dict[str, object], start_response: Callable[..., object]) -> Iterator[bytes]:
        each = self.rows // STORIES
        stories = (self._story(number, range(number * each, (number + 1) * each)) for number in range(STORIES))
        pieces = [f"{',' if number else ''}{story}".encode() for number, story in enumerate(stories)]
        body = (b'{"status":"success","data":[', *pieces, b'],"hash":"5cd3","response_time":0.3}')
        return Response(body, mimetype="application/json")(environ, start_response)  # type: ignore[arg-type, return-value]

    def _story(self, number: int, learners: range) -> str:
        rows = ",".join(
            _ROW.format(
                n=n, m=n % 40, city=f"{self.city} {n % 60}", day=1 + n % 28, state="pending" if n % 3 else "delivered"
            )
            for n in learners
        )
        head = {"name": f"Story {number}", "type": "Story", "ID": f"ST-{number}"}
        return f'{{"story":{json.dumps(head)},"certificates":[{rows}]}}'


class Visitor:
    """Somebody who looks at one page after the other, and logs in now and then; keeps the seconds that each took."""

    def __init__(self, pages: str) -> None:
        self._pages = pages
        self._session = log_in(pages, "marco")
        self._session.cookies.set("scripts", "1")
        self._logged_in = time.monotonic()
        self.seconds: dict[str, list[float]] = defaultdict(list)

    def look_around(self) -> None:
        for name, address in PAGES.items():
            began = time.monotonic()
            answer = self._session.get(f"{self._pages}{address}", timeout=60)
            self.seconds[name].append(time.monotonic() - began)
            # Before the first sync has come to that story, there is none.
            assert answer.status_code == 200 or (name == "story" and answer.status_code == 404), answer.text
        if time.monotonic() - self._logged_in > BETWEEN_LOGINS:
            self._log_in()

    def _log_in(self) -> None:
        session = requests.Session()
        session.trust_env = False
        page = session.get(f"{self._pages}/accounts/login/", timeout=60)
        form = {"login": "marco", "password": PASSWORD, "csrfmiddlewaretoken": session.cookies["csrftoken"]}
        assert page.status_code == 200
        began = time.monotonic()
        answer = session.post(f"{self._pages}/accounts/login/", form, timeout=60, allow_redirects=False)
        self._logged_in = time.monotonic()
        self.seconds["log-in"].append(self._logged_in - began)
        assert (answer.status_code, answer.headers["Location"]) == (302, "/")

    def take_times(self) -> dict[str, list[float]]:
        """What was measured since the last time."""
        taken, self.seconds = self.seconds, defaultdict(list)
        return taken


@pytest.fixture
def vendor(sized: Sized[int]) -> Rewriting:
    return Rewriting(sized(10_000, 200_000))


@pytest.fixture
def pages(installation: Installation, vendor: Rewriting) -> Iterator[str]:
    with running_server(vendor) as url:
        set_up(installation, [NewApp("demo", url, TOKEN)], {"marco": "manager"})
        installation.environment["WEB_CONCURRENCY"] = "2"
        yield installation.serve()


def look_while(visitor: Visitor, syncing: Running) -> tuple[dict[str, list[float]], dict[str, object]]:
    """Times of the pages during a sync, and what the sync reports."""
    while not syncing.output.endswith("\n"):
        visitor.look_around()
    report: dict[str, object] = json.loads(syncing.output)
    return visitor.take_times(), report


def p95(seconds: list[float]) -> float:
    return sorted(seconds)[int(0.95 * (len(seconds) - 1))]


def times(busy: dict[str, list[float]], idle: dict[str, list[float]]) -> dict[str, float]:
    """Per page how many times as long the 95th percentile is as the idle one."""
    return {name: p95(busy[name]) / max(p95(idle[name]), LEAST_SECONDS) for name in busy if idle.get(name)}


def compared(busy: dict[str, list[float]], idle: dict[str, list[float]]) -> str:
    """Per page the 95th percentile against the idle one, with how often each was asked for."""
    return "; ".join(
        f"{name} {p95(busy[name]) * 1000:.0f} ms (n={len(busy[name])}) is {p95(busy[name]) / p95(idle[name]):.1f} x "
        f"idle {p95(idle[name]) * 1000:.0f} ms (n={len(idle[name])})"
        for name in busy
        if idle.get(name)
    )


def test_pages_answer_while_a_sync_writes_every_row(
    pages: str, installation: Installation, vendor: Rewriting, sized: Sized[int], tell: Tell
) -> None:
    visitor = Visitor(pages)
    first, report = look_while(visitor, installation.start("sync", "demo", "--json"))
    assert report["created"] == vendor.rows
    tell(f"during a first sync of {vendor.rows:,}: {'; '.join(f'{it} {p95(first[it]):.3f} s' for it in first)}")
    for _ in range(sized(5, 30)):
        visitor.look_around()
    idle = visitor.take_times()
    vendor.city = "Odense"
    busy, report = look_while(visitor, installation.start("sync", "demo", "--json"))
    assert report["changed"] == vendor.rows
    tell(f"p95 while {vendor.rows:,} rows are changed: {compared(busy, idle)}")
    assert times(busy, idle).keys() >= PAGES.keys()
    assert max(times(busy, idle).values()) < sized(MOST_TIMES_SHORT, MOST_TIMES)
    said = "\n".join(running.output for running in installation.started)
    assert "OperationalError" not in said  # a log names the class and SQLite's code, never the words
    assert "Traceback" not in said
