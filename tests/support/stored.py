"""What an installation has stored, read and changed beside its processes and without starting one more."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any, TypeVar

import psycopg

from tests.support.installation import Installation

T = TypeVar("T")
SOME_SECONDS = 40


def query(installation: Installation, sql: str) -> list[tuple[Any, ...]]:
    """The rows that a statement gives, on the installation's own database; what it changes is committed."""
    url = installation.environment.get("CERTDASH_DATABASE_URL", "")
    if url.startswith("postgres"):
        with psycopg.connect(url, autocommit=True) as server:
            cursor = server.execute(sql)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []
    path = url.removeprefix("sqlite:///") or installation.data_dir / "certdash.sqlite3"
    with closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as file:
        return file.execute(sql).fetchall()


def runs(installation: Installation) -> list[tuple[str, str]]:
    """Status and message of every run, oldest first."""
    return query(installation, "SELECT status, message FROM certdash_syncrun ORDER BY id")


def statuses(installation: Installation) -> list[str]:
    return [status for status, _ in runs(installation)]


def wait_until(look: Callable[[], T], wanted: Callable[[T], object], seconds: float = SOME_SECONDS) -> T:
    """Looks again and again until what it sees is as wanted, and gives that."""
    deadline = time.monotonic() + seconds
    while not wanted(seen := look()):
        assert time.monotonic() < deadline, f"{seconds} seconds passed: {seen}"
        time.sleep(0.05)
    return seen


def is_whole(installation: Installation) -> bool:
    """Whether SQLite finds its file in order; PostgreSQL, which was not harmed, is taken to be."""
    if "CERTDASH_DATABASE_URL" in installation.environment:
        return True
    return query(installation, "PRAGMA integrity_check") == [("ok",)] and not query(
        installation, "PRAGMA foreign_key_check"
    )
