"""A canary for a token: whatever the vendor does, it comes out nowhere."""

import base64
import json
import shutil
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests
from werkzeug import Response

from certdash.sandbox import (
    DEMO,
    SCENARIOS,
    ZONE,
    Account,
    Clock,
    Misbehaving,
    SandboxApp,
    Scenario,
    World,
    accounts,
    running_server,
)
from tests.prove.crawl import pages_of
from tests.prove.hunt import Hunt
from tests.prove.served import ORIGIN
from tests.prove.setting_up import NewApp, set_up
from tests.support.installation import Installation
from tests.support.programs import database_programs
from tests.support.proof import Sized, Tell
from tests.support.stored import query, wait_until
from tests.test_login import log_in

KEY, SECRET = "canary/key+7f3a9b", "canary&secret=/9d2e+51c8"
TOKEN = base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()
GROUPS = ("Engineering", "Managers")
FEW = ("unauthorised", "redirect-moved", "rows-strange", "hang-up")
LISTS = ("certificates", "stories", "groups", "people", "apps", "apps/demo/runs", "apps/demo/people")


def refusing(message: str) -> Scenario:
    body = {"status": "error", "message": f"{message} is not known here."}
    return Scenario(f"quotes {message}", "", lambda _: Response(json.dumps(body), 401, mimetype="application/json"))


def moved(to: str) -> Scenario:
    return Scenario(f"moved to {to}", "", lambda _: Response(status=302, headers={"Location": to}))


# What a vendor, or a gateway on the way, may quote of the request.
QUOTING = (
    *(
        refusing(said)
        for said in (TOKEN, f"{KEY}:{SECRET}", KEY, SECRET, quote(TOKEN, safe=""), quote(SECRET, safe=""))
    ),
    moved(f"https://{quote(KEY, safe='')}:{quote(SECRET, safe='')}@elsewhere.example/"),
    Scenario("a page that quotes", "", lambda _: Response(f"<h1>Authorization: Basic {TOKEN}</h1>", 502)),
    Scenario("an envelope that quotes", "", lambda _: Response(json.dumps({"status": TOKEN, "data": []}))),
    Scenario("no JSON that quotes", "", lambda _: Response(f'{{"status": "success", "data": {TOKEN}')),
)


class Watched:
    """An installation whose owner does what there is to do, with a look at everything that comes out."""

    def __init__(self, installation: Installation, url: str, hunt: Hunt) -> None:
        self.installation, self.url, self.hunt = installation, url, hunt
        self.owner = log_in(url, "olivia")

    def press(self, button: str) -> requests.Response:
        """Send a form of the app's page and see where it leads."""
        fields = {"csrfmiddlewaretoken": self.owner.cookies["csrftoken"]}
        answer: requests.Response = self.owner.post(f"{self.url}/apps/demo/{button}", fields, timeout=60)
        assert answer.ok, answer.text
        self.hunt.search(f"the page after {button}", answer.text)
        return answer

    def synchronise(self, named: str) -> None:
        """Have the worker do a sync, and look at its page."""
        page = self.press("sync/").url
        self.wait_for_the_end()
        self.hunt.search(f"the run of {named}", self.owner.get(page, timeout=60).text)

    def wait_for_the_end(self) -> None:
        """Wait until no run is under way."""
        wait_until(lambda: self.ask("SELECT count(*) FROM certdash_syncrun WHERE status = 'running'"), [(0,)].__eq__)

    def ask(self, statement: str) -> list[tuple[object, ...]]:
        return query(self.installation, statement)

    def command(self, *words: str, exits: int = 0) -> None:
        done = self.installation.manage(*words, exits=exits)
        self.hunt.search(f"the command {words[0]}", done.stdout + done.stderr)

    def break_down(self) -> None:
        """Errors of our own: in the middle of a run, of a page and of a command."""
        self.ask("ALTER TABLE certdash_story RENAME TO certdash_elsewhere")
        self.press("sync/")
        self.wait_for_the_end()
        answer = self.owner.get(f"{self.url}/stories/", timeout=60)
        assert answer.status_code == 500
        self.hunt.search("a page that broke down", answer.text)
        self.command("sync", "demo", exits=1)
        self.ask("ALTER TABLE certdash_elsewhere RENAME TO certdash_story")

    def mistype(self) -> None:
        """Forms that are shown again, and addresses that are refused."""
        form = {"csrfmiddlewaretoken": self.owner.cookies["csrftoken"], "token": TOKEN}
        for fields in ({"base_url": "ftp://nowhere"}, {"name": "Demo", "base_url": self.url}, {"token": SECRET}):
            answer = self.owner.post(f"{self.url}/apps/demo/connection/", form | fields, timeout=60)
            assert answer.status_code == 422
            self.hunt.search("the form of the connection", answer.text)
        for address in ("nothing/", "apps/nothing/", "certificates/?_export=csv&stat=x", "apps/demo/sync/"):
            answer = self.owner.get(f"{self.url}/{address}", timeout=60)
            assert answer.status_code in (400, 404, 405)
            self.hunt.search(f"the refusal of {address}", answer.text)
        answer = self.owner.post(f"{self.url}/apps/demo/sync/", timeout=60)
        assert answer.status_code == 403
        self.hunt.search("the refusal of a form without its token", answer.text)

    def look_around(self, of_a_kind: int) -> int:
        """Every page; gives how many."""
        runs = [f"/apps/demo/runs/{pk}/" for (pk,) in self.ask("SELECT id FROM certdash_syncrun")]
        files = [f"/{each}/?_export=csv" for each in LISTS]
        files += [f"/certificates/?_export={kind}" for kind in ("xlsx", "jsonl")]
        pages = 0
        for address, answer in pages_of(self.owner, self.url, "/", *runs, *files, of_a_kind=of_a_kind):
            assert answer.status_code < 500, address
            self.hunt.search(address, answer.content)
            self.hunt.search(f"the headers of {address}", repr(answer.headers))
            pages += 1
        return pages

    def dump(self, folder: Path) -> None:
        """All that is stored, in every way it can be taken out."""
        self.command("dumpdata")
        self.command("export_certificates", "--query", "withdrawn=all", "--format", "jsonl")
        if "CERTDASH_DATABASE_URL" in self.installation.environment:
            program = shutil.which("pg_dump", path=str(database_programs()))
            assert program
            address = self.installation.environment["CERTDASH_DATABASE_URL"]
            done = subprocess.run([program, address], capture_output=True, check=True, timeout=60)
            self.hunt.search("the database's dump", done.stdout)
        for path in folder.rglob("*"):
            if path.is_file():
                self.hunt.search(str(path.relative_to(folder)), path.read_bytes())


@pytest.fixture
def stage() -> Iterator[Misbehaving]:
    clock = Clock(datetime(2026, 3, 2, 12, tzinfo=ZONE))
    stage = Misbehaving(SandboxApp(World(ORIGIN, 160, seed=1), clock))
    yield stage
    stage.stop()


@pytest.fixture
def watched(installation: Installation, stage: Misbehaving, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    canary = Account(DEMO.app, KEY, SECRET)
    monkeypatch.setitem(accounts.BY_CREDENTIALS, (KEY, SECRET), canary)
    installation.environment |= {
        "DJANGO_SETTINGS_MODULE": "tests.prove.loud",
        "GUNICORN_CMD_ARGS": "--log-level debug --access-logfile -",
        "CERTDASH_UPSTREAM_DEADLINE": "2",  # seconds: many scenarios never end by themselves
        "CERTDASH_UPSTREAM_MAX_MB": "2",
    }
    with running_server(stage) as url:
        set_up(installation, [NewApp("demo", url, TOKEN, DEMO.app_id, GROUPS)], {"olivia": "owner"}, synchronised=True)
        installation.start("worker").wait_for("waits for work")
        yield Watched(installation, installation.serve(), Hunt(token=TOKEN, key=KEY, secret=SECRET))
        stage.stop()


def test_the_token_comes_out_nowhere(
    watched: Watched, stage: Misbehaving, tmp_path: Path, sized: Sized[Any], tell: Tell
) -> None:
    scenarios = [SCENARIOS[name] for name in sized(FEW, SCENARIOS)]
    for scenario in (*scenarios, *sized([], QUOTING)):
        stage.play(scenario)
        watched.synchronise(scenario.name)
    for scenario in QUOTING:
        stage.play(scenario)
        watched.press("test/")
    watched.command("sync", "demo", exits=1)
    stage.play(None)
    watched.command("sync", "demo", "--json")
    watched.break_down()
    watched.mistype()
    pages = watched.look_around(sized(1, 30))
    watched.dump(tmp_path)
    logs = "".join(running.output for running in watched.installation.started)
    assert logs.count(" DEBUG ") > 100
    assert "Traceback" in logs
    assert not watched.hunt.found, "\n".join(sorted(set(watched.hunt.found)))
    tell(
        f"{len(scenarios) + len(QUOTING)} scenarios, {pages} pages and files, {len(logs):,} characters of logs, "
        f"{watched.hunt.searched:,} bytes searched"
    )
