"""Files: every table as CSV, JSON lines or a workbook, of exactly the rows and the order of its page."""

from collections.abc import Generator, Iterable, Sequence
from typing import Any

from .about import About
from .excel import MOST_ROWS, workbook
from .text import in_blocks, lines

FORMATS = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/jsonl; charset=utf-8",
}
_BLOCK = 64 * 1024  # bytes

__all__ = ["FORMATS", "MOST_ROWS", "About", "blocks", "in_blocks", "lines", "workbook"]


def blocks(
    head: Sequence[str], rows: Iterable[Sequence[Any]], file_format: str, about: About
) -> Generator[bytes, None, None]:
    """The file in blocks: text while it is read, a workbook once it is whole. `file_format` is a key of `FORMATS`."""
    if file_format != "xlsx":
        yield from in_blocks(lines(head, rows, file_format))
        return
    with workbook(head, rows, about) as file:
        while block := file.read(_BLOCK):
            yield block
