"""Files: every table as CSV or JSON lines, streamed, of exactly the rows and the order of its page."""

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

FORMATS = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl; charset=utf-8"}
# A spreadsheet reads a cell that begins so as a formula (OWASP, "CSV injection"); full-width forms included.
_FORMULA = tuple("=+-@\t\r＝＋－＠")


class _Echo:
    """Gives `csv.writer` back what it would write."""

    def write(self, line: str) -> str:
        return line


def lines(head: Sequence[str], rows: Iterable[Sequence[Any]], file_format: str) -> Iterator[bytes]:
    """The file, line by line. `file_format` is a key of `FORMATS`."""
    if file_format == "jsonl":
        for cells in rows:
            yield json.dumps(dict(zip(head, cells, strict=True)), ensure_ascii=False).encode() + b"\n"
        return
    writer = csv.writer(_Echo(), lineterminator="\r\n")
    yield ("\ufeff" + writer.writerow(head)).encode()
    for cells in rows:
        yield writer.writerow([_cell(value) for value in cells]).encode()


def _cell(value: Any) -> str:
    text = "; ".join(value) if isinstance(value, list) else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def in_blocks(parts: Iterable[bytes], size: int = 64 * 1024) -> Iterator[bytes]:
    """The same bytes in fewer, larger pieces: a write to the network costs more than a line."""
    block = bytearray()
    for part in parts:
        block += part
        if len(block) >= size:
            yield bytes(block)
            block.clear()
    yield bytes(block)
