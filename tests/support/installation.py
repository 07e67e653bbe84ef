"""certdash as its users run it: `manage.py` and gunicorn as processes on a data directory and database of their own."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.support.postgresql import CLUSTER

ROOT = Path(__file__).parents[2]
START_SECONDS = 60
STOP_SECONDS = 20


class Running:
    """A process in the background; what it prints, on either stream, is kept in a file."""

    def __init__(self, command: list[str], environment: dict[str, str], log: Path) -> None:
        self._log = log
        with log.open("wb") as output:
            # In a session of its own, so that whatever it starts can be ended with it.
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return self._log.read_text(errors="replace")

    def wait_for(self, pattern: str, seconds: float = START_SECONDS) -> re.Match[str]:
        """Waits until a line of the output matches; fails with the output when none does in time."""
        deadline = time.monotonic() + seconds
        while True:
            ended = self._process.poll() is not None
            output = self.output
            complete = output[: output.rfind("\n") + 1]
            if match := re.search(pattern, complete, re.MULTILINE):
                return match
            if ended or time.monotonic() > deadline:
                verdict = f"it ended with {self._process.returncode}" if ended else f"{seconds} seconds passed"
                pytest.fail(f"No line matched {pattern!r} before {verdict}. The output:\n{output}")
            time.sleep(0.05)

    def stop(self, by: signal.Signals = signal.SIGTERM, seconds: float = STOP_SECONDS) -> int:
        """Sends a signal and gives the exit code; fails when the process outlives it."""
        if self._process.poll() is None:
            self._process.send_signal(by)
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            pytest.fail(f"It still ran {seconds} seconds after {by.name}. The output:\n{self.output}")

    def kill(self) -> None:
        """Ends the process and what it started, at once."""
        # Either error says that nothing of its session is left, the second one on macOS.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


class Installation:
    """A data directory, a database (both empty at first) and the processes that use them."""

    def __init__(self, folder: Path, database_url: str | None) -> None:
        self._folder = folder
        self.started: list[Running] = []
        self.data_dir = folder / "data"
        self.environment = {**os.environ, "CERTDASH_DATA_DIR": str(self.data_dir), "PYTHONUNBUFFERED": "1"}
        if database_url:
            self.environment["CERTDASH_DATABASE_URL"] = database_url

    def manage(
        self, *arguments: str, stdin: str = "", exits: int = 0, seconds: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Runs `manage.py ARGUMENTS` to its end; fails unless it exits as expected.

        The output is decoded and otherwise as it came, line ends and byte-order mark included.
        """
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=self.environment,
            input=stdin.encode(),
            capture_output=True,
            timeout=seconds,
            check=False,
        )
        output, errors = done.stdout.decode(), done.stderr.decode()
        assert done.returncode == exits, f"{arguments[0]} exited with {done.returncode}:\n{output}\n{errors}"
        return subprocess.CompletedProcess(command, done.returncode, output, errors)

    def start(self, *arguments: str) -> Running:
        """Starts `manage.py ARGUMENTS` in the background; it ends with the test at the latest."""
        return self._start("manage.py", *arguments)

    def serve(self, *options: str) -> str:
        """Starts gunicorn on a free port, as in production; returns the base URL."""
        server = self._start("-m", "gunicorn", "certdash.wsgi", "--bind", "127.0.0.1:0", *options)
        return server.wait_for(r"Listening at: (http://127\.0\.0\.1:\d+)")[1]

    def kill_all(self) -> None:
        """Ends whatever still runs."""
        for running in self.started:
            running.kill()

    def _start(self, *arguments: str) -> Running:
        log = self._folder / f"output-{len(self.started)}"
        running = Running([sys.executable, *arguments], self.environment, log)
        self.started.append(running)
        return running


@pytest.fixture
def installation(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Installation]:
    """A new installation on the database that the run is for; `manage("migrate")` makes its tables."""
    cluster = request.config.stash.get(CLUSTER, None)
    name = f"installation_{uuid4().hex}"
    if cluster:
        cluster.create(name)
    installation = Installation(tmp_path, cluster.url(name) if cluster else None)
    yield installation
    installation.kill_all()
    if cluster:
        cluster.drop(name)
