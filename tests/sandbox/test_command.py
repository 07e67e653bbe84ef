"""`manage.py sandbox` as a process, and what it may import."""

import os
import re
import signal
import socket
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from certdash.sandbox import ACCOUNTS, ZONE, World
from tests.sandbox.conftest import ORIGIN, Vendor

ROOT = Path(__file__).parents[2]
ENOUGH_SECONDS = 30


def start(tmp_path, *arguments):
    return subprocess.Popen(
        [sys.executable, ROOT / "manage.py", "sandbox", *arguments],
        env={"PATH": os.environ["PATH"], "PYTHONUTF8": "1", "CERTDASH_DATA_DIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def sandbox(tmp_path):
    process = start(tmp_path, "--port", "0", "--certificates", "300", "--seed", "5", "--origin", str(ORIGIN))
    yield process
    process.kill()
    process.communicate()


def lines(process, count):
    return [process.stdout.readline().rstrip("\n") for _ in range(count)]


def test_it_prints_its_address_and_then_what_connects_each_app(sandbox):
    first, *rest = lines(sandbox, 1 + 4 * len(ACCOUNTS))
    assert re.search(r"http://127\.0\.0\.1:\d+\b", first)
    for account, text in zip(ACCOUNTS, ("\n".join(rest[:4]), "\n".join(rest[4:])), strict=True):
        assert text.startswith(account.name)
        assert all(word in text for word in (account.app_id, account.token, *account.groups))


def test_it_serves_the_world_of_its_options(sandbox):
    url = re.search(r"http://\S+", lines(sandbox, 1)[0])[0]
    vendor = Vendor(url, World(ORIGIN, 300, seed=5))
    now = datetime(2026, 3, 5, 12, tzinfo=ZONE)
    vendor.set_clock(now.isoformat())
    expected = list(vendor.world.rows("io.certdash.demo", now, url))
    assert [(each["story"], each["certificates"]) for each in vendor.data()] == expected


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly_and_nobody_was_logged(sandbox, ending):
    url = re.search(r"http://\S+", lines(sandbox, 1)[0])[0]
    Vendor(url, World(ORIGIN, 0, 1)).ask(users=["somebody@example.com"])
    sandbox.send_signal(ending)
    _, errors = sandbox.communicate(timeout=ENOUGH_SECONDS)
    assert (sandbox.returncode, errors) == (0, "")


def test_a_taken_port_is_one_clear_sentence(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        process = start(tmp_path, "--port", port)
        _, errors = process.communicate(timeout=ENOUGH_SECONDS)
    assert process.returncode == 1
    assert len(errors.splitlines()) == 1
    assert f"cannot listen on port {port}" in errors


SENSELESS = [("--certificates", "-1"), ("--origin", "yesterday"), ("--origin", "0001-01-01")]


@pytest.mark.parametrize("option", SENSELESS)
def test_a_senseless_option_stops_the_start(tmp_path, option):
    process = start(tmp_path, "--port", "0", *option)
    _, errors = process.communicate(timeout=ENOUGH_SECONDS)
    assert process.returncode > 0
    assert option[0] in errors


def test_the_sandbox_stands_on_its_own():
    code = "import sys, certdash.sandbox; print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True).split()
    ours = {name for name in loaded if name.startswith("certdash.")}
    assert "django" not in loaded
    assert all(name.startswith("certdash.sandbox") for name in ours)
