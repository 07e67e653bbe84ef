"""How much memory a large sync takes: bounded by the largest story, not by the answer."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from tests.falkor.vendors import ENDPOINT, TOKEN, success
from tests.support.installation import ROOT, Installation
from tests.sync.vendor import people, story

ROWS = 60_000

# Pages of the mapped answer do not count: the system takes them back when it needs them.
MEASURED = """
import json, sys
from django.core.management import execute_from_command_line
from tests.bench.measure import PrivateMemory
with PrivateMemory() as memory:
    execute_from_command_line(["manage.py", *sys.argv[1:]])
print(json.dumps(memory.told()))
"""


def peak_mb(installation: Installation, *arguments: str) -> float:
    """Runs a command to its end and gives the most private memory that it held."""
    environment = installation.environment | {"DJANGO_SETTINGS_MODULE": "certdash.settings"}
    command = [sys.executable, "-c", MEASURED, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return float(json.loads(done.stdout.splitlines()[-1])["peak_mb"])


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="private memory is read from Linux's /proc")
def test_memory_is_bounded_by_the_largest_story_and_not_by_the_answer(
    installation: Installation, httpserver: HTTPServer
) -> None:
    installation.manage("migrate", "--verbosity", "0")
    rows, peaks = people(ROWS), {}
    for stories in (1, 100):
        each = ROWS // stories
        body = success(*(story(*rows[n * each : (n + 1) * each], vendor_id=f"ID-{n}") for n in range(stories)))
        httpserver.clear()
        httpserver.expect_request(ENDPOINT).respond_with_data(body)
        slug = f"of-{stories}"
        installation.manage("add_app", slug, "--name", slug, "--base-url", httpserver.url_for(""), stdin=TOKEN)
        peaks[stories] = peak_mb(installation, "sync", slug)
    assert peaks[100] < 200
    assert peaks[1] - peaks[100] > 20, peaks  # who keeps the whole of an answer has no such difference
