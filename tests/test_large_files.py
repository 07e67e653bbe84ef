"""A file of 100,000 certificates: how much memory it takes, in the processes that production runs."""

import re
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from tests.support.installation import ROOT
from tests.test_login import log_in

CERTIFICATES = 100_000
MOST_MEGABYTES = 300

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")

FILL = """
from tests import world
app = world.make_app("demo")
world.make_user("vera", app)
stories = [world.make_story(app, f"Story {number}") for number in range(20)]
world.make_many(app, certificates, stories, [world.make_group(app, "Managers")])
"""


def peak_megabytes(pid):
    """The most memory that a process has held so far; nothing of one that has ended."""
    found = re.search(r"VmHWM:\s*(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) // 1024 if found else 0


def has_ended(pid):
    return "State:\tZ" in Path(f"/proc/{pid}/status").read_text()


def children(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def fill(installation, certificates):
    installation.manage("migrate", "--verbosity", "0")
    installation.manage("shell", "--verbosity", "0", "-c", f"certificates = {certificates}\n{FILL}", seconds=600)


def test_a_file_of_100_000_certificates_takes_little_memory_wherever_it_is_made(
    installation, tmp_path, record_property
):
    fill(installation, CERTIFICATES)
    by_command, by_page = tmp_path / "command.csv", tmp_path / "page.csv"
    command = installation.start("export_certificates", "--output", str(by_command))
    in_command = 0
    while not has_ended(command.pid):
        in_command = max(in_command, peak_megabytes(command.pid))
        time.sleep(0.01)
    assert command.stop() == 0

    url = installation.serve()
    session = log_in(url, "vera")
    with (
        session.get(f"{url}/certificates/?_export=csv", stream=True, timeout=120) as response,
        by_page.open("wb") as file,
    ):
        for block in response.iter_content(1 << 16):
            file.write(block)
    in_server = max(map(peak_megabytes, children(installation.started[-1].pid)))

    assert subprocess.run(["cmp", by_command, by_page], check=False).returncode == 0
    with by_page.open("rb") as file:
        assert sum(1 for _ in file) == CERTIFICATES + 1
    record_property("megabytes of the command", in_command)
    record_property("megabytes of the server", in_server)
    print(f"{in_command} MB in the command, {in_server} MB in the server")
    assert 20 < in_command < MOST_MEGABYTES
    assert 20 < in_server < MOST_MEGABYTES


def test_a_workbook_of_100_000_certificates_takes_little_memory_wherever_it_is_made(
    installation, tmp_path, record_property
):
    fill(installation, CERTIFICATES)
    by_command, by_page = tmp_path / "command.xlsx", tmp_path / "page.xlsx"
    command = installation.start("export_certificates", "--format", "xlsx", "--output", str(by_command))
    in_command = 0
    while not has_ended(command.pid):
        in_command = max(in_command, peak_megabytes(command.pid))
        time.sleep(0.01)
    assert command.stop() == 0
    url = installation.serve()
    session = log_in(url, "vera")
    by_page.write_bytes(session.get(f"{url}/certificates/?_export=xlsx", timeout=300).content)
    in_server = max(map(peak_megabytes, children(installation.started[-1].pid)))

    assert rows_in(by_command) == rows_in(by_page) == CERTIFICATES + 1
    assert links_in(by_page) == 65_530
    assert not list((installation.data_dir / "spool").iterdir())
    record_property("megabytes of the command", in_command)
    record_property("megabytes of the server", in_server)
    print(f"{in_command} MB in the command, {in_server} MB in the server")
    assert 20 < in_command < MOST_MEGABYTES
    assert 20 < in_server < MOST_MEGABYTES


def rows_in(workbook):
    return counted(workbook, b"<row ")


def links_in(workbook):
    return counted(workbook, b"<hyperlink ")


def counted(workbook, element):
    with zipfile.ZipFile(workbook) as parts:
        return parts.read("xl/worksheets/sheet2.xml").count(element)


def test_a_reader_that_has_had_enough_ends_the_command_quietly(installation):
    fill(installation, 5_000)
    command = [sys.executable, "manage.py", "export_certificates"]
    with subprocess.Popen(
        command, cwd=ROOT, env=installation.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout.readline().startswith(b"\xef\xbb\xbfapp,")
        process.stdout.close()
        assert process.wait(timeout=60) == 0
        assert process.stderr.read() == b""
