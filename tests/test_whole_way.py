"""The whole way on real sockets: a vendor, the commands, a server, a worker and somebody who logs in."""

import contextlib
import csv
import io
import json
import os
import re
import signal
import socket
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from certdash.sandbox import DEMO, RETAIL
from tests.support.installation import Installation
from tests.test_login import log_in
from tests.world import PASSWORD

CERTIFICATES = 300
SOME_SECONDS = 40


@pytest.fixture
def vendor(installation):
    """A sandbox process at a moment that stands still; gives its URL."""
    sandbox = installation.start(
        "sandbox", "--port", "0", "--certificates", str(CERTIFICATES), "--origin", "2026-11-02"
    )
    url = sandbox.wait_for(r"(http://127\.0\.0\.1:\d+)")[1]
    move_to(url, "2026-11-02")
    return url


def move_to(vendor, day):
    """Stops the vendor's clock at noon of a day."""
    now = f"{day}T12:00:00+01:00"
    requests.post(f"{vendor}/sandbox/clock", json={"now": now}, timeout=10).raise_for_status()


@pytest.fixture
def connected(installation, vendor):
    """Both apps with their groups, Vera, who sees the first one, and Marco, who manages it: all in one process."""
    settled = f"import io, sys\nfrom django.core.management import call_command\n{SETTLE}"
    installation.manage("shell", "--verbosity", "0", "-c", settled.replace("VENDOR", vendor))
    return installation


SETTLE = f"""
from certdash.sandbox import ACCOUNTS
call_command("migrate", verbosity=0)
for account in ACCOUNTS:
    sys.stdin = io.StringIO(account.token)
    slug, groups = account.app_id.rpartition(".")[2], [word for name in account.groups for word in ("--group", name)]
    call_command("add_app", slug, "--name", account.name, "--base-url", "VENDOR", "--app-id", account.app_id, *groups)
for name, role in (("vera", "viewer"), ("marco", "manager")):
    sys.stdin = io.StringIO("{PASSWORD}")
    call_command("add_user", name, "--email", name + "@example.com", "--grant", "demo:" + role)
"""


def set_up_by_commands(installation, vendor):
    """The same, as somebody types it."""
    installation.manage("migrate", "--verbosity", "0")
    for account in (DEMO, RETAIL):
        slug = account.app_id.rpartition(".")[2]
        groups = [word for name in account.groups for word in ("--group", name)]
        installation.manage(
            "add_app", slug, "--name", account.name, "--base-url", vendor, "--app-id", account.app_id, *groups,
            stdin=account.token,
        )  # fmt: skip
    for name, role in (("vera", "viewer"), ("marco", "manager")):
        installation.manage(
            "add_user", name, "--email", f"{name}@example.com", "--grant", f"demo:{role}", stdin=PASSWORD
        )
    return installation


def truth(vendor, account=DEMO, **parameters):
    """What the vendor says itself: its rows, in a form of this test's own."""
    answer = requests.post(
        f"{vendor}/v1/logs/story-certificates", json=parameters, timeout=30,
        headers={"Authorization": f"Basic {account.token}"},
    ).json()  # fmt: skip
    return sorted(
        (
            item["story"]["ID"], item["story"]["name"], one["firstname"], one["lastname"], one["email"], one["country"],
            one["certificate"]["state"], in_utc(one["certificate"]["timestamp"]), one["certificate"]["url"],
        )
        for item in answer["data"]
        for one in item["certificates"]
    )  # fmt: skip


def in_utc(timestamp):
    return f"{datetime.fromisoformat(timestamp).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


COLUMNS = ("story_id", "story", "firstname", "lastname", "email", "country", "state", "timestamp", "url")


def lines_of(text):
    rows = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    return sorted(tuple(row[name] for name in COLUMNS) for row in rows)


def plain(rows):
    """Without the guard that a spreadsheet needs."""
    return sorted(tuple(cell.removeprefix("'") for cell in row) for row in rows)


def test_what_the_vendor_holds_is_what_a_viewer_sees_and_takes_along(installation, vendor):
    set_up_by_commands(installation, vendor)
    report = json.loads(installation.manage("sync", "demo", "--json").stdout)
    told = truth(vendor)
    assert (report["status"], report["received"], report["created"]) == ("success", len(told), len(told))
    url = installation.serve()
    vera = log_in(url, "vera")
    page = vera.get(f"{url}/certificates/", timeout=30).text
    assert re.search(rf"{len(told):,} of {len(told):,}", page)
    content = vera.get(f"{url}/certificates/?_export=csv", timeout=30).content
    assert plain(lines_of(content.decode())) == plain(told)
    assert installation.manage("export_certificates", "--app", "demo").stdout.encode() == content
    groups = {row["group"]: row for row in lines(vera, f"{url}/groups/?_export=csv")}
    assert groups.keys() == set(DEMO.groups)
    for name in DEMO.groups:
        assert int(groups[name]["certificates"]) == len(truth(vendor, groups=[name]))


def lines(session, address):
    return list(csv.DictReader(io.StringIO(session.get(address, timeout=30).content.decode("utf-8-sig"), newline="")))


def test_the_days_that_follow_arrive_as_news(connected, vendor):
    connected.manage("sync")
    move_to(vendor, "2026-11-12")
    for account, line in zip((DEMO, RETAIL), connected.manage("sync", "--json").stdout.splitlines(), strict=True):
        report = json.loads(line)
        slug = account.app_id.rpartition(".")[2]
        assert (report["app"], report["status"]) == (slug, "success")
        assert report["created"] > 0
        stored = connected.manage("export_certificates", "--app", slug).stdout
        assert plain(lines_of(stored)) == plain(truth(vendor, account))
    news = connected.manage("export_certificates", "--app", "demo", "--query", "change=delivered", "--format", "jsonl")
    assert {json.loads(line)["state"] for line in news.stdout.splitlines()} == {"delivered"}


def test_the_worker_does_what_a_page_asks_for_and_ends_when_told(connected, vendor):
    connected.manage("sync")  # so that nothing is due
    move_to(vendor, "2026-11-04")
    worker, url = connected.start("worker"), connected.serve()
    worker.wait_for("waits for work")
    marco = log_in(url, "marco")
    answer = post(marco, f"{url}/apps/demo/", f"{url}/apps/demo/sync/")
    assert re.fullmatch(rf"{url}/apps/demo/runs/\d+/", answer.url)
    page = wait_until(lambda: marco.get(answer.url, timeout=30).text, lambda text: "hx-trigger" not in text)
    assert re.search(r"[\d,]+ new\b", page)
    assert plain(lines_of(marco.get(f"{url}/certificates/?_export=csv").content.decode())) == plain(truth(vendor))
    assert worker.stop(signal.SIGTERM, seconds=10) == 0


def post(session, page, address, **fields):
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', session.get(page, timeout=30).text)[1]
    answer = session.post(address, {"csrfmiddlewaretoken": token, **fields}, timeout=30)
    assert answer.ok, answer.text
    return answer


def wait_until(look, holds, seconds=SOME_SECONDS):
    deadline = time.monotonic() + seconds
    while not holds(seen := look()):
        assert time.monotonic() < deadline, seen
        time.sleep(0.2)
    return seen


SCHEDULE = "from certdash.tasks import sync_due; sync_due.call_local()"


def test_the_schedule_syncs_what_is_due_and_only_that(connected, vendor):
    connected.manage("sync", "retail")
    connected.manage("shell", "--verbosity", "0", "-c", SCHEDULE)  # what the worker does once a minute
    worker = connected.start("worker")
    count = "from certdash.models import *; print(*SyncRun.objects.order_by('pk').values_list('app__slug', 'status'))"
    wanted = "('retail', 'success') ('demo', 'success')"
    wait_until(lambda: connected.manage("shell", "--verbosity", "0", "-c", count).stdout.strip(), wanted.__eq__)
    worker.stop(signal.SIGTERM, seconds=10)


def test_a_vendor_that_refuses_leaves_the_last_good_data(connected, vendor):
    connected.manage("sync", "demo")
    before = connected.manage("export_certificates").stdout
    token = b"not the token".hex()
    connected.manage("add_app", "demo", "--name", "Demo", "--base-url", vendor, stdin=f"a:{token}")
    failed = connected.manage("sync", "demo", exits=1)
    assert "Traceback" not in failed.stderr
    refused = connected.manage("export_certificates", "--query", "stat=pending", exits=1)
    assert (refused.stdout, refused.stderr.count("\n")) == ("", 1)
    assert connected.manage("export_certificates").stdout == before
    assert token not in failed.stdout + failed.stderr


# -- The demo ---------------------------------------------------------------------------------------------------


@pytest.fixture
def demo_folder(tmp_path):
    folder = tmp_path / "demo"
    folder.mkdir()
    return folder


def two_free_ports():
    """A port whose next one is free as well."""
    while True:
        with socket.socket() as one, socket.socket() as next_one, contextlib.suppress(OSError, OverflowError):
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
            next_one.bind(("127.0.0.1", port + 1))
            return port


def test_the_demo_serves_both_apps_and_ends_with_all_it_started(tmp_path, demo_folder):
    demo = Installation(tmp_path, None)  # always on SQLite
    demo.environment |= {"CERTDASH_DATA_DIR": str(demo_folder), "CERTDASH_ALLOW_PRIVATE_UPSTREAMS": "1"}
    demo.environment.pop("CERTDASH_DATABASE_URL", None)
    port = two_free_ports()
    try:
        running = demo.start("demo", "--port", str(port), "--certificates", "120")
        url = running.wait_for(r"The dashboard:\s+(http://127\.0\.0\.1:\d+)/")[1]
        running.wait_for("Ctrl-C ends all of it")
        people = dict(re.findall(r"^log in as (\w+) / (\S+) \(.+\)$", running.output, re.MULTILINE))
        assert (url, people.keys()) == (f"http://127.0.0.1:{port}", {"admin", "olivia", "marco", "vera"})
        wait_until(lambda: answers(f"{url}/readyz"), bool)
        seen = {name: {row["app"] for row in rows_of(url, name, people[name])} for name in ("olivia", "vera")}
        assert seen == {"olivia": {"demo", "retail"}, "vera": {"demo"}}
        assert link_to_a_new_password(url, "admin", people["admin"]).startswith(f"{url}/accounts/set-password/")
        assert running.stop(signal.SIGTERM) == 0
        assert not answers(f"{url}/healthz")
        assert left_over(demo_folder) == []
    finally:
        for pid in left_over(demo_folder):
            os.kill(pid, signal.SIGKILL)
        demo.kill_all()


def rows_of(url, name, password):
    session = log_in(url, name, password)
    assert "checked" in session.get(url, timeout=30).text
    return lines(session, f"{url}/certificates/?_export=csv")


def link_to_a_new_password(url, name, password):
    """As a superuser is shown it for the first person in the list who is somebody else."""
    session = log_in(url, name, password)
    page = session.get(f"{url}/accounts/people/?q=vera", timeout=30).text
    person = re.search(r'href="(/accounts/people/\d+/)"', page)[1]
    sent = {"csrfmiddlewaretoken": session.cookies["csrftoken"]}
    shown = session.post(f"{url}{person}link/", sent, headers={"Referer": url}, timeout=30).text
    return re.search(r"http://[^\s\"<]+/set-password/[^\s\"<]*", shown)[0]


def answers(address):
    with contextlib.suppress(requests.ConnectionError):
        return requests.get(address, timeout=5).ok
    return False


def left_over(folder):
    """Processes that still have this data directory in their environment (known on Linux only)."""
    mark, pids = f"CERTDASH_DATA_DIR={folder}".encode(), []
    for entry in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if mark in entry.read_bytes().split(b"\0"):
                pids.append(int(entry.parent.name))
    return pids


def test_the_demo_refuses_the_data_of_real_use(installation):
    refused = installation.manage("demo", exits=1)
    assert "keeps its data apart from real use" in refused.stderr
