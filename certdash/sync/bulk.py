"""Many rows in one statement each way, without a model object a row."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Model

T = TypeVar("T")
CHUNK = 500  # values of one `IN`, rows of one short transaction


def chunks(values: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """The values in lists of at most `size`."""
    waiting = iter(values)
    while chunk := list(islice(waiting, size)):
        yield chunk


def _prepared(
    model: type[Model], names: Sequence[str], rows: Iterable[Sequence[Any]]
) -> tuple[list[str], Iterator[list[Any]]]:
    fields: list[Any] = [model._meta.get_field(name) for name in names]
    columns = [connection.ops.quote_name(field.column) for field in fields]
    savers = [field.get_db_prep_save for field in fields]
    return columns, ([save(value, connection) for save, value in zip(savers, row, strict=True)] for row in rows)


def insert(model: type[Model], names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows given as values of the named fields."""
    columns, values = _prepared(model, names, rows)
    marks = ", ".join(["%s"] * len(columns))
    _run(f"INSERT INTO {_table(model)} ({', '.join(columns)}) VALUES ({marks})", values)  # noqa: S608


def update(model: type[Model], names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Update rows given as values of the named fields; the last one is the key that finds the row."""
    columns, values = _prepared(model, names, rows)
    assignments = ", ".join(f"{column} = %s" for column in columns[:-1])
    _run(f"UPDATE {_table(model)} SET {assignments} WHERE {columns[-1]} = %s", values)  # noqa: S608


def _table(model: type[Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


def _run(sql: str, values: Iterable[Sequence[Any]]) -> None:
    # Table and columns are our own models' names; everything from outside is a parameter.
    with connection.cursor() as cursor:
        cursor.executemany(sql, values)  # type: ignore[arg-type]  # any iterable is taken


def tell_planner(*models: type[Model]) -> None:
    """After much writing: PostgreSQL notices by itself only later, and until then plans as if there were few rows.

    SQLite keeps no such numbers unless it is asked to, and plans well without.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {', '.join(map(_table, models))}")
