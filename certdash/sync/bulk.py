"""Many rows in one statement each way, without a model object a row."""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from typing import Any, TypeVar

from django.db import connection
from django.db.models import DateTimeField, DurationField, JSONField, Model

T = TypeVar("T")
CHUNK = 500  # values of one `IN`: SQLite takes no more than 999
PART = 5000  # rows of one statement, and what a transaction may cost, in new rows: half a second on SQLite
# The same in an app's first sync, when there is much to write and little to look at: in smaller transactions SQLite
# writes the same pages of its indexes again and again. Nobody else can write to it meanwhile: some seconds, with a
# million rows.
ROWS = 30_000
_PAUSE = 0.12  # seconds


@contextmanager
def much_writing() -> Iterator[None]:
    """A connection that is about to write much. Without it SQLite writes the same pages of its indexes many times:

    a transaction's when they do not fit into memory, and those of several when the log is carried over after each.
    """
    with _pragmas(cache_size=-64_000, wal_autocheckpoint=64_000):  # 64 MB of memory, and a log of 250 MB
        yield


@contextmanager
def overwriting() -> Iterator[None]:
    """A connection that removes personal data: SQLite writes zeros over what it frees. PostgreSQL has no such thing."""
    with _pragmas(secure_delete=1):
        yield


@contextmanager
def _pragmas(**wanted: int) -> Iterator[None]:
    """Settings of this connection to SQLite, for the time of the block."""
    if connection.vendor != "sqlite":
        yield
        return
    with connection.cursor() as cursor:
        usual = {name: cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in wanted}
        for name, value in wanted.items():
            cursor.execute(f"PRAGMA {name}={value}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            for name, value in usual.items():
                cursor.execute(f"PRAGMA {name}={value}")


def chunks(values: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """The values in lists of at most `size`."""
    waiting = iter(values)
    while chunk := list(islice(waiting, size)):
        yield chunk


def parts(values: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """The same for a transaction each, with time for others to write in between."""
    for number, chunk in enumerate(chunks(values, size)):
        if number:
            let_others_write()
        yield chunk


def find(model: type[Model], app: int, by: str, values: Sequence[Any], names: Sequence[str]) -> list[tuple[Any, ...]]:
    """The named fields of an app's rows whose field `by` has one of these values: one parameter for all of them."""
    column = _columns(model, (by,))[0]
    given: Any = values
    among = "= ANY(%s)"
    if connection.vendor == "sqlite":
        among, given = "IN (SELECT value FROM json_each(%s))", json.dumps(values)
    return _select(model, names, f"app_id = %s AND {column} {among}", [app, given])


def read(model: type[Model], by: str, value: int, names: Sequence[str]) -> Iterator[Sequence[Any]]:
    """The named fields of the rows whose field `by` has this value, in order of pk. Moments are aware, in UTC."""
    rows = _select(model, names, f"{_columns(model, (by,))[0]} = %s ORDER BY id", [value])
    moments = [index for index, name in enumerate(names) if isinstance(model._meta.get_field(name), DateTimeField)]
    if connection.vendor != "sqlite":
        yield from rows
        return
    for row in rows:
        values = list(row)
        for index in moments:
            if values[index]:
                values[index] = values[index].replace(tzinfo=UTC)  # as Django stores it
        yield values


def _select(model: type[Model], names: Sequence[str], where: str, given: Sequence[Any]) -> list[tuple[Any, ...]]:
    # Without a cursor on the server: PostgreSQL plans one for its first rows, which here is the slow way.
    sql = f"SELECT {', '.join(_columns(model, names))} FROM {_table(model)} WHERE {where}"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def insert(model: type[Model], names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows given as values of the named fields."""
    table, columns, values = _prepared(model, names, rows)
    listed = ", ".join(columns)
    # Table and columns are our own models' names; everything from outside is a parameter.
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({listed}) FROM STDIN") as copy:
                for row in values:
                    copy.write_row(row)
        else:
            marks = ", ".join(["%s"] * len(columns))
            cursor.executemany(f"INSERT INTO {table} ({listed}) VALUES ({marks})", values)  # type: ignore[arg-type]  # noqa: S608


def update(model: type[Model], names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Update rows given as values of the named fields; the last one is the key that finds the row."""
    table, columns, values = _prepared(model, names, rows)
    assignments = ", ".join(f"{column} = %s" for column in columns[:-1])
    with connection.cursor() as cursor:
        cursor.executemany(f"UPDATE {table} SET {assignments} WHERE {columns[-1]} = %s", values)  # type: ignore[arg-type]  # noqa: S608


def let_others_write() -> None:
    """Between two of many transactions: whoever waits to write to SQLite only looks ten times a second.

    Without it, they would hardly ever find it free. PostgreSQL has a queue.
    """
    if connection.vendor == "sqlite":
        time.sleep(_PAUSE)


def tell_planner(*models: type[Model]) -> None:
    """After much writing: a database plans by what it knows of the tables, and finds out only later, or never.

    On SQLite it looks at some hundred rows of each index.
    """
    with _pragmas(analysis_limit=400), connection.cursor() as cursor:
        for model in models:
            cursor.execute(f"ANALYZE {_table(model)}")


def _prepared(
    model: type[Model], names: Sequence[str], rows: Iterable[Sequence[Any]]
) -> tuple[str, list[str], Iterator[list[Any]]]:
    savers = [(index, save) for index, name in enumerate(names) if (save := _saver(model._meta.get_field(name)))]
    return _table(model), _columns(model, names), _saved(rows, savers)


def _columns(model: type[Model], names: Sequence[str]) -> list[str]:
    fields: list[Any] = [model._meta.get_field(name) for name in names]
    return [connection.ops.quote_name(field.column) for field in fields]


def _saved(rows: Iterable[Sequence[Any]], savers: Sequence[tuple[int, Callable[[Any], Any]]]) -> Iterator[list[Any]]:
    for row in rows:
        values = list(row)
        for index, save in savers:
            values[index] = save(values[index])
        yield values


def _saver(field: object) -> Callable[[Any], Any] | None:
    """What makes a value fit for the database; None where Python's own value fits."""
    if isinstance(field, DateTimeField):  # Django's own way takes three times as long, several times a row
        return _sqlite_moments() if connection.vendor == "sqlite" else None
    if isinstance(field, JSONField | DurationField):
        return lambda value: field.get_db_prep_save(value, connection)
    return None


def _sqlite_moments() -> Callable[[datetime | None], str | None]:
    """Writes moments as Django does: in UTC and without saying so. A column often says the same moment in every row."""
    last: datetime | None = None
    text: str | None = None

    def save(moment: datetime | None) -> str | None:
        nonlocal last, text
        if moment is not last:
            last = moment
            text = None if moment is None else moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ")
        return text

    return save


def _table(model: type[Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)
