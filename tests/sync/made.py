"""Rows, stored certificates and stories of the tests, made of what matters in each."""

from datetime import UTC, datetime, timedelta
from typing import Any

from certdash.falkor import Row
from certdash.sync.plan import Stored

MONDAY = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def day(number: int) -> datetime:
    """A moment of the given day, counted from a Monday."""
    return MONDAY + timedelta(days=number)


def row(state: str = "delivered", on: int = 0, url: str = "", **person: Any) -> Row:
    """One certificate as the vendor sends it, awarded on the given day."""
    fields = {"firstname": "Ada", "lastname": "Lee", "email": "ada@mail.example", "telephone": ""}
    fields |= {"country": "Denmark", "city": "Aarhus"} | person
    return Row(**fields, state=state, timestamp=day(on), url=url)


def stored(pk: int, of: Row, *, gone: bool = False, held: bool = False) -> Stored:
    """The same row as certdash keeps it."""
    return Stored(pk, of, gone, held)
