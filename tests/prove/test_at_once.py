"""Twenty requests to sync at the same moment, from four processes: one run, and each question asked once."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest
import requests

from certdash.sandbox import ACCOUNTS, Account, running_server
from tests.prove.served import Waiting
from tests.prove.setting_up import NewApp, set_up
from tests.support.installation import Installation, Running
from tests.support.proof import Sized, Tell
from tests.support.stored import query, wait_until
from tests.test_login import log_in

SLUGS = tuple(account.app_id.rpartition(".")[2] for account in ACCOUNTS)
POSTS, COMMANDS, THREADS = 12, 2, 4  # through the pages of two gunicorn workers; commands; in each of these
TOLD = r"^told (\w+) (\d+)$"
REPORTS = r"^reports (\w+) (.+)$"

# Threads of one process that do what `manage.py sync` does, all at the moment when a file appears.
AT_ONCE = """
import sys, threading, time
from io import StringIO
from pathlib import Path
from django.core.management import call_command
from django.db import connection
from certdash.management.commands import sync

real = sync.open_run

def noted(app, *rest):
    run, new = real(app, *rest)
    sys.stdout.write(f"told {{app.slug}} {{run.pk}}\\n")
    return run, new

sync.open_run = noted

def ask(slug):
    report = StringIO()
    call_command("sync", slug, json=True, stdout=report, stderr=StringIO())
    connection.close()
    sys.stdout.write(f"reports {{slug}} {{report.getvalue().strip()}}\\n")

for number in range({rounds}):
    threads = [threading.Thread(target=ask, args=[slug]) for slug in {slugs!r}]
    sys.stdout.write(f"ready {{number}}\\n")
    while not Path({folder!r}, f"go-{{number}}").exists():
        time.sleep(0.01)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""


class Told(NamedTuple):
    """Which run a request was told to follow."""

    slug: str
    run: int


class Requests:
    """Those who ask: somebody's browser, in many windows, and commands."""

    def __init__(self, installation: Installation, pages: str, folder: Path, rounds: int) -> None:
        self._pages, self._folder = pages, folder
        script = AT_ONCE.format(rounds=rounds, slugs=SLUGS * (THREADS // len(SLUGS)), folder=str(folder))
        self._commands = [installation.start("shell", "--verbosity", "0", "-c", script) for _ in range(COMMANDS)]
        self._cookies = dict(log_in(pages, "marco").cookies)

    def ask(self, number: int) -> list[Told]:
        """All of them ask at the same moment; what each is told."""
        for command in self._commands:
            command.wait_for(f"ready {number}")
        with ThreadPoolExecutor(POSTS) as pool:
            (self._folder / f"go-{number}").touch()
            posted = list(pool.map(self._post, (SLUGS * POSTS)[:POSTS]))
        return posted + [Told(slug, int(run)) for slug, run in self._printed(TOLD, number)]

    def reports(self, number: int) -> set[str]:
        """What the commands report at the end."""
        return {report for _, report in self._printed(REPORTS, number)}

    def _post(self, slug: str) -> Told:
        address, form = f"{self._pages}/apps/{slug}/sync/", {"csrfmiddlewaretoken": self._cookies["csrftoken"]}
        answer = requests.post(address, form, cookies=self._cookies, allow_redirects=False, timeout=60)
        assert answer.status_code == 302, answer.text
        *page, run = answer.headers["Location"].strip("/").split("/")
        assert page == ["apps", slug, "runs"]
        return Told(slug, int(run))

    def _printed(self, pattern: str, number: int) -> list[tuple[str, str]]:
        """What every thread of the commands has printed in this round, waiting for the last."""
        wanted = (number + 1) * THREADS

        def printed_by(command: Running) -> list[tuple[str, str]]:
            look = partial(_lines_like, pattern, command)
            return wait_until(look, lambda lines: len(lines) == wanted)[-THREADS:]

        return [line for command in self._commands for line in printed_by(command)]


def _lines_like(pattern: str, command: Running) -> list[tuple[str, str]]:
    return re.findall(pattern, command.output, re.MULTILINE)


@pytest.fixture
def vendor() -> Waiting:
    return Waiting(600)


@pytest.fixture
def pages(installation: Installation, vendor: Waiting) -> Iterator[str]:
    """The pages of an installation with both apps, of which nothing is due, and a worker."""
    with running_server(vendor) as vendor_url:
        apps = [_app(slug, vendor_url, account) for slug, account in zip(SLUGS, ACCOUNTS, strict=True)]
        vendor.may_answer.set()
        set_up(installation, apps, {"marco": "manager"}, synchronised=True)
        installation.environment["WEB_CONCURRENCY"] = "2"
        installation.start("worker").wait_for("waits for work")
        yield installation.serve()
        vendor.may_answer.set()


def _app(slug: str, url: str, account: Account) -> NewApp:
    return NewApp(slug, url, account.token, account.app_id, account.groups[:2])


QUESTIONS = [(account.app_id, group) for account in ACCOUNTS for group in (None, *account.groups[:2])]
RUNS = (
    "SELECT a.slug, max(r.id), count(*) FROM certdash_syncrun r JOIN certdash_app a ON a.id = r.app_id GROUP BY a.slug"
)


def test_twenty_requests_at_once_are_one_run_and_one_call_each(
    pages: str, vendor: Waiting, installation: Installation, tmp_path: Path, sized: Sized[int], tell: Tell
) -> None:
    rounds = sized(1, 10)
    those = Requests(installation, pages, tmp_path, rounds)
    for number in range(rounds):
        vendor.calls.clear()
        vendor.may_answer.clear()
        told = those.ask(number)
        assert len(told) == POSTS + COMMANDS * THREADS
        vendor.may_answer.set()
        reports = [json.loads(report) for report in those.reports(number)]
        assert sorted((it["app"], it["status"]) for it in reports) == [(slug, "unchanged") for slug in SLUGS]
        asked = Counter((call["app"], *call.get("groups", [None])) for call in vendor.calls)
        assert asked == Counter(QUESTIONS)
        stored = query(installation, RUNS)
        assert {Told(slug, newest) for slug, newest, _ in stored} == set(told)
        assert {count for *_, count in stored} == {number + 2}  # with the very first
    tell(f"{rounds} times {len(told)} requests at once: {len(set(told))} runs, every question asked once")
