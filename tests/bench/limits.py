"""What a sync is measured against: the least that any program would do to read the file and to store its rows."""

import hashlib
import mmap
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Raw, Struct

# Rows that are read from the source, with the clock stopped, before they are written: many, because a server still
# works on the last of them meanwhile.
_BLOCK = 100_000


class _Certificate(Struct, gc=False):
    timestamp: str
    state: str
    url: str | None


class _Row(Struct, gc=False):
    firstname: str | None
    lastname: str | None
    email: str | None
    telephone: str | None
    country: str | None
    city: str | None
    certificate: _Certificate


class _Head(Struct, gc=False):
    name: str
    type: str
    ID: str


class _Element(Struct, gc=False):
    story: _Head
    certificates: list[_Row]


class _Envelope(Struct):
    status: str
    data: list[Raw]


@contextmanager
def _mapped(path: Path) -> Iterator[mmap.mmap]:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        yield text


def decode(path: Path) -> int:
    """Decode an answer story by story over a map; returns the number of its rows."""
    count = 0
    with _mapped(path) as text:
        envelope = msgspec.json.Decoder(_Envelope).decode(text)
        element = msgspec.json.Decoder(_Element).decode
        for raw in envelope.data:
            count += len(element(raw).certificates)
        del envelope, raw  # the map can be closed once nothing looks into it
    return count


def hash_file(path: Path) -> str:
    """SHA-256 of the whole file over a map."""
    with _mapped(path) as text:
        return hashlib.sha256(text).hexdigest()


class Stopwatch:
    """Adds up the seconds of the blocks it is around: those of the clock, and those that this process computed."""

    def __init__(self) -> None:
        self.seconds = self.cpu_seconds = 0.0
        self.start()

    def start(self) -> None:
        self._began, self._cpu_began = time.perf_counter(), time.process_time()

    def stop(self) -> None:
        self.seconds += time.perf_counter() - self._began
        self.cpu_seconds += time.process_time() - self._cpu_began

    def __enter__(self) -> None:
        self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


Filled = dict[str, tuple[int, Stopwatch]]  # rows, and the time they took, by table


def fill_sqlite(source: str) -> Filled:
    """`executemany` of the rows of a file into Django's database; one transaction a table."""
    from django.db import connection

    connection.ensure_connection()
    target: sqlite3.Connection = connection.connection
    with sqlite3.connect(f"file:{source}?mode=ro", uri=True) as stored:

        def columns(table: str) -> list[str]:
            return [name for _, name, *_ in target.execute(f'PRAGMA table_info("{table}")')]

        def fill(table: str, key: str) -> tuple[int, Stopwatch]:
            watch, count, names = Stopwatch(), 0, columns(table)
            listed = ", ".join(f'"{name}"' for name in names)
            insert = f'INSERT INTO "{table}" ({listed}) VALUES ({", ".join("?" * len(names))})'
            rows = stored.execute(f'SELECT {listed} FROM "{table}" ORDER BY "{key}"')
            target.execute("BEGIN IMMEDIATE")
            while block := rows.fetchmany(_BLOCK):
                count += len(block)
                with watch:
                    target.executemany(insert, block)
            with watch:
                target.execute("COMMIT")
            return count, watch

        return _filled(fill, lambda table: _has_rows(stored, table) and not _has_rows(target, table))


def fill_postgresql(source: str) -> Filled:
    """`COPY` of the rows of a database, given by its URL, into Django's; one transaction a table."""
    import psycopg
    from django.db import connection
    from psycopg import sql
    from psycopg.types.string import TextLoader

    connection.ensure_connection()
    target: psycopg.Connection[Any] = connection.connection
    with psycopg.connect(source) as stored:
        stored.adapters.register_loader("jsonb", TextLoader)

        def columns(table: str) -> list[str]:
            asked = (
                "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND is_generated = 'NEVER'"
            )
            return [name for (name,) in target.execute(asked + " ORDER BY ordinal_position", [table])]

        def fill(table: str, key: str) -> tuple[int, Stopwatch]:
            watch, count = Stopwatch(), 0
            listed = sql.SQL(", ").join(map(sql.Identifier, columns(table)))
            names = {"columns": listed, "table": sql.Identifier(table), "key": sql.Identifier(key)}
            with stored.cursor(f"of_{table}") as rows, target.cursor() as cursor, target.transaction():
                rows.execute(sql.SQL("SELECT {columns} FROM {table} ORDER BY {key}").format(**names))
                with cursor.copy(sql.SQL("COPY {table} ({columns}) FROM STDIN").format(**names)) as copy:
                    while block := rows.fetchmany(_BLOCK):
                        count += len(block)
                        with watch:
                            for row in block:
                                copy.write_row(row)
                    watch.start()  # for the copy's end and the commit, which looks at the foreign keys
            watch.stop()
            return count, watch

        return _filled(fill, lambda table: _has_rows(stored, table) and not _has_rows(target, table))


def _has_rows(connection: Any, table: str) -> bool:
    return connection.execute(f'SELECT 1 FROM "{table}" LIMIT 1').fetchone() is not None


def _filled(fill: Callable[[str, str], tuple[int, Stopwatch]], is_wanted: Callable[[str], bool]) -> Filled:
    """The wanted tables of certdash, those first that others point to: what the source has and a new store has not."""
    from django.apps import apps

    every: dict[str, Any] = {model._meta.db_table: model for model in apps.get_app_config("certdash").get_models(True)}
    models = {table: model for table, model in every.items() if is_wanted(table)}
    points_to = {
        table: {field.related_model._meta.db_table for field in model._meta.concrete_fields if field.is_relation}
        for table, model in models.items()
    }
    filled = {}
    for table in TopologicalSorter({table: others - {table} for table, others in points_to.items()}).static_order():
        if table in models:
            filled[table] = fill(table, models[table]._meta.pk.column)
    return filled
