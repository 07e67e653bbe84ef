"""Many rows in one statement each way, without a model object a row."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, TypeVar

from django.db import connection
from django.db.models import DateTimeField, Field, ForeignKey, IntegerField, Model, TextField

T = TypeVar("T")
CHUNK = 500  # values of one `IN`: SQLite takes no more than 999
ROWS = 5000  # rows of one transaction: half a second in which nobody else can write to SQLite


def chunks(values: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """The values in lists of at most `size`."""
    waiting = iter(values)
    while chunk := list(islice(waiting, size)):
        yield chunk


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


def tell_planner(*models: type[Model]) -> None:
    """After much writing: PostgreSQL notices by itself only later, and until then plans as if there were few rows.

    SQLite keeps no such numbers unless it is asked to, and plans well without.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {', '.join(map(_table, models))}")


def _prepared(
    model: type[Model], names: Sequence[str], rows: Iterable[Sequence[Any]]
) -> tuple[str, list[str], Iterator[list[Any]]]:
    fields: list[Any] = [model._meta.get_field(name) for name in names]
    columns = [connection.ops.quote_name(field.column) for field in fields]
    savers = [(index, save) for index, field in enumerate(fields) if (save := _saver(field))]
    return _table(model), columns, _saved(rows, savers)


def _saved(rows: Iterable[Sequence[Any]], savers: Sequence[tuple[int, Callable[[Any], Any]]]) -> Iterator[list[Any]]:
    for row in rows:
        values = list(row)
        for index, save in savers:
            values[index] = save(values[index])
        yield values


def _saver(field: "Field[Any, Any]") -> Callable[[Any], Any] | None:
    """What makes a value fit for the database; None where Python's own value fits."""
    if type(field) in (TextField, ForeignKey) or isinstance(field, IntegerField):
        return None
    if isinstance(field, DateTimeField):  # Django's own way takes three times as long, several times a row
        return _sqlite_moment if connection.vendor == "sqlite" else None
    return lambda value: field.get_db_prep_save(value, connection)


def _sqlite_moment(moment: datetime | None) -> str | None:
    """As Django writes it: in UTC and without saying so."""
    return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ")


def _table(model: type[Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)
