"""CSV and JSON lines, line by line."""

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

# A spreadsheet reads a cell that begins so as a formula (OWASP, "CSV injection"); full-width forms included.
_FORMULA = tuple("=+-@\t\r＝＋－＠")


class _Echo:
    """Gives `csv.writer` back what it would write."""

    def write(self, line: str) -> str:
        return line


def lines(head: Sequence[str], rows: Iterable[Sequence[Any]], file_format: str) -> Iterator[bytes]:
    """The file, line by line. `file_format`: `csv` or `jsonl`."""
    if file_format == "jsonl":
        for cells in rows:
            yield json.dumps(dict(zip(head, cells, strict=True)), ensure_ascii=False, default=str).encode() + b"\n"
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
