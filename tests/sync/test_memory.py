"""How much memory a large sync takes: bounded by the largest story, not by the answer."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from certdash.sandbox import ACCOUNTS
from tests.support.installation import ROOT, Installation

CERTIFICATES = 100_000
LIMIT_MB = 300

# Linux's own count of the most that was resident since the program began; what other systems report for a child
# includes the process that started it.
MEASURED = """
import re, sys
from pathlib import Path
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", *sys.argv[1:]])
print(re.search(r"VmHWM:.*", Path("/proc/self/status").read_text())[0], file=sys.stderr)
"""


def peak_mb(installation: Installation, *arguments: str) -> float:
    """Runs a command to its end and gives the most memory that it held."""
    environment = installation.environment | {"DJANGO_SETTINGS_MODULE": "certdash.settings"}
    command = [sys.executable, "-c", MEASURED, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return int(re.search(r"VmHWM:\s+(\d+) kB", done.stderr)[1]) / 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from Linux's /proc")
def test_a_hundred_thousand_certificates_take_less_than_300_mb(installation):
    sandbox = installation.start("sandbox", "--port", "0", "--certificates", str(CERTIFICATES))
    url = sandbox.wait_for(r"http://127\.0\.0\.1:\d+")[0]
    installation.manage("migrate", "--verbosity", "0")
    for account in ACCOUNTS:
        slug = account.app_id.rpartition(".")[2]
        installation.manage("add_app", slug, "--name", slug, "--base-url", url, stdin=account.token)
    assert peak_mb(installation, "sync") < LIMIT_MB
