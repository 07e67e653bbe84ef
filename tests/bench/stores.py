"""Where the measured steps store what they sync: an installation for each, copied from one that is ready for it."""

import base64
import os
import shutil
from pathlib import Path

from tests.support.postgresql import Cluster


def _environment(data_dir: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CERTDASH_", "DJANGO_", "PG"))}
    return kept | {
        "CERTDASH_DATA_DIR": str(data_dir),
        "CERTDASH_ALLOW_PRIVATE_UPSTREAMS": "1",
        "CERTDASH_SECRET_KEY": "only for measuring, where nothing is secret, and long enough",
        "CERTDASH_CREDENTIAL_KEYS": base64.urlsafe_b64encode(bytes(32)).decode(),
        "CERTDASH_ERASURE_KEY": "only for measuring as well",
        "DJANGO_SETTINGS_MODULE": "certdash.settings",
    }


class Store:
    """Installations by name, on SQLite: each is a data directory."""

    title = "SQLite"

    def __init__(self, folder: Path) -> None:
        self._folder = folder / type(self).__name__.lower()
        self._folder.mkdir()

    def environment(self, name: str) -> dict[str, str]:
        """What the processes of an installation get."""
        return _environment(self._folder / name)

    def source(self, name: str) -> str:
        """How another process finds the rows of an installation."""
        return str(self._folder / name / "certdash.sqlite3")

    def create(self, name: str) -> None:
        """An empty installation."""

    def copy(self, name: str, to: str) -> None:
        """An installation with the same rows; on disk before it is used, so that nobody writes beside the clock."""
        shutil.copytree(self._folder / name, self._folder / to)
        with Path(self.source(to)).open("rb") as file:
            os.fsync(file.fileno())

    def drop(self, name: str) -> None:
        shutil.rmtree(self._folder / name)

    def close(self) -> None:
        """End what serves the installations."""


class Sqlite(Store):
    pass


class Postgresql(Store):
    """Installations on a private PostgreSQL: each is a database. Raises `Unavailable` when there is none."""

    title = "PostgreSQL"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._cluster = Cluster()

    def environment(self, name: str) -> dict[str, str]:
        return super().environment(name) | {"CERTDASH_DATABASE_URL": self.source(name)}

    def source(self, name: str) -> str:
        return self._cluster.url(name)

    def create(self, name: str) -> None:
        self._cluster.create(name)

    def copy(self, name: str, to: str) -> None:
        import psycopg
        from psycopg import sql

        copied = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(to), sql.Identifier(name))
        with psycopg.connect(self.source("postgres"), autocommit=True) as connection:
            connection.execute(copied)
            connection.execute("CHECKPOINT")

    def drop(self, name: str) -> None:
        self._cluster.drop(name)

    def close(self) -> None:
        self._cluster.stop()


STORES: dict[str, type[Store]] = {"sqlite": Sqlite, "postgresql": Postgresql}
