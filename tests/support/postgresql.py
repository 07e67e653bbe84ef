"""A private PostgreSQL server: in a scratch folder, reached only through a socket in it, gone after the tests."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from tests.support import programs

START_SECONDS = 60
STOP_SECONDS = 30
ROLE = "certdash"

# Durability is worth nothing here. The server listens on no network.
SERVER_OPTIONS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    # Rows of a test are in a transaction of their own: autovacuum would count none, and queries be planned for none.
    "autovacuum": "off",
}
# A language's order rather than that of bytes: what production has, and what SQLite does not.
CLUSTER_OPTIONS = (
    *("--username", ROLE, "--auth", "trust", "--encoding", "UTF8", "--no-sync"),
    *("--locale", "C", "--locale-provider", "icu", "--icu-locale", "en-US"),
)


class Unavailable(Exception):
    """PostgreSQL is not installed, or does not start; the text says which and why."""


class Cluster:
    """A running server. Raises Unavailable."""

    def __init__(self) -> None:
        found = programs.database_programs()
        if found is None:
            raise Unavailable("PostgreSQL is not installed (no initdb in PATH or /usr/lib/postgresql/*/bin)")
        self._folder = Path(tempfile.mkdtemp(prefix="certdash-pg-"))
        self._log = self._folder / "log"
        self._server: subprocess.Popen[bytes] | None = None
        try:
            self._start(found)
        except BaseException:
            self.stop()
            raise

    def url(self, database: str) -> str:
        """The address of a database, as CERTDASH_DATABASE_URL takes it."""
        return f"postgres://{ROLE}@/{database}?host={self._folder}"

    def create(self, database: str) -> None:
        """Makes an empty database."""
        self._execute("CREATE DATABASE {}", database)

    def drop(self, database: str) -> None:
        """Removes a database, whoever is still connected to it."""
        self._execute("DROP DATABASE {} WITH (FORCE)", database)

    def stop(self) -> None:
        """Ends the server and removes its folder."""
        if self._server:
            self._server.send_signal(signal.SIGINT)
            try:
                self._server.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._server.kill()
                self._server.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self, binaries: Path) -> None:
        owner: dict[str, Any] = {}
        if os.geteuid() == 0:
            owner = _another_owner(self._folder)
        data = self._folder / "data"
        with self._log.open("wb") as log:
            common: dict[str, Any] = {"cwd": self._folder, "stdout": log, "stderr": log, **owner}
            initdb = [binaries / "initdb", "--pgdata", data, *CLUSTER_OPTIONS]
            if subprocess.run(initdb, check=False, **common).returncode:
                raise self._failure("initdb failed")
            options = [f"--{name}={value}" for name, value in SERVER_OPTIONS.items()]
            # In a session of its own: Ctrl-C is for the tests, which still need the server to tidy up.
            self._server = subprocess.Popen(
                [binaries / "postgres", "-D", data, "-k", self._folder, *options], start_new_session=True, **common
            )
        self._wait_until_ready(self._server)

    def _wait_until_ready(self, server: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self._execute("SELECT 1")
            except psycopg.OperationalError:
                if server.poll() is not None or time.monotonic() > deadline:
                    raise self._failure("the server did not start") from None
                time.sleep(0.05)
            else:
                return

    def _execute(self, statement: str, *names: str) -> None:
        query = sql.SQL(statement).format(*map(sql.Identifier, names))
        with psycopg.connect(self.url("postgres"), autocommit=True, connect_timeout=5) as connection:
            connection.execute(query)

    def _failure(self, what: str) -> Unavailable:
        last_words = " ".join(self._log.read_text(errors="replace").split()[-40:])
        return Unavailable(f"PostgreSQL: {what}: {last_words}")


# Where a run keeps its server, if it has one.
CLUSTER = pytest.StashKey[Cluster]()


def _another_owner(folder: Path) -> dict[str, Any]:
    """Hands the folder to the user that root runs the server as, since the server refuses root."""
    try:
        user = pwd.getpwnam("postgres")
    except KeyError:
        raise Unavailable("PostgreSQL refuses to run as root, and there is no user named postgres") from None
    os.chown(folder, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
