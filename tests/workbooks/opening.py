"""Workbooks, made of rows or downloaded, and opened again."""

import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from certdash.exports import About, workbook

openpyxl = pytest.importorskip("openpyxl", reason="openpyxl is in requirements-dev.txt")

TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
AT = datetime(2026, 11, 3, 23, 4, 5, tzinfo=UTC)


def made(head: Sequence[str], rows: Iterable[Sequence[object]], **about: Any) -> bytes:
    """The bytes of a workbook of these rows."""
    with workbook(head, rows, About(**about)) as file:
        return file.read()


def opened(content: bytes) -> tuple[dict[str, Any], Any]:
    """The first sheet as a dictionary, and the sheet of rows."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    about, rows = book.worksheets
    assert about.title == "About"
    return {row[0].value: row[1].value for row in about.iter_rows() if row[0].value}, rows


def values(sheet: Any) -> list[list[Any]]:
    return [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]


def notes_of(content: bytes) -> str:
    book = openpyxl.load_workbook(io.BytesIO(content))
    return " ".join(str(cell.value) for cell in book.worksheets[0]["B"] if cell.value)


def file_of(client: Client, query: str = "", path: str = "/certificates/") -> bytes:
    response = client.get(f"{path}?{query}&_export=xlsx")
    assert response.status_code == 200, response.content
    assert response["Content-Type"] == TYPE
    return b"".join(response)


def local(*parts: int) -> datetime:
    """A date as a cell holds it: of no time zone."""
    return datetime(*parts)  # noqa: DTZ001
