"""Workbooks (XLSX): typed cells, made row by row into a file that nobody else sees, and never a formula."""

import math
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, date, datetime
from typing import IO, Any
from urllib.parse import quote

from django.conf import settings
from django.utils.translation import gettext, override
from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from certdash.links import safe_link
from certdash.spool import spool_folder

from .about import CUT, REPLACED, UNDATED, UNLINKED, UNSAFE, About

# Excel itself takes 1,048,576; this many are made and opened in a time that people wait.
MOST_ROWS = 200_000
MOST_LINKS = 65_530  # of Excel, a sheet
_LONGEST_LINK = 2_000  # Excel: 2,079 characters, percent signs and all
_LARGEST_NUMBER = 10**15  # above it Excel forgets digits
_FIRST_YEAR, _LAST_YEAR = 1900, 9999  # of Excel's dates
_LONGEST_NAME = 31  # of a sheet
_LINKED = "url"  # the column whose safe addresses become links
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_LINE_BREAK = re.compile("\r\n?")
_WIDTHS = {
    "story": 36, "email": 30, "groups": 30, "url": 44, "message": 60, "details": 50, "before": 40, "after": 40,
    "name": 30, "person": 26, "group": 26,
}  # fmt: skip


@contextmanager
def workbook(head: Sequence[str], rows: Iterable[Sequence[Any]], about: About) -> Iterator[IO[bytes]]:
    """A whole workbook, to be read from its beginning; its file has no name and is gone with the context.

    Memory holds a row, the links and their number; XlsxWriter keeps the rest in files, which are gone before a byte
    of the workbook is read.
    """
    with ExitStack() as stack:
        with spool_folder() as folder:
            file = stack.enter_context(tempfile.TemporaryFile(dir=settings.SPOOL_DIR))
            options = {
                "constant_memory": True, "tmpdir": str(folder), "strings_to_formulas": False, "strings_to_urls": False,
                "strings_to_numbers": False,
            }  # fmt: skip
            with override(about.language), closing(_Made(Workbook(file, options), about)) as made:
                made.write(head, rows)
        file.seek(0)
        yield file


class _Sheet(Worksheet):  # type: ignore[misc]
    def _xml_rich_inline_string(self, string: str, attributes: Any = ()) -> None:
        """A text that begins and ends like XlsxWriter's own markup for styled text is none: nobody styles here."""
        self._xml_inline_string(string, False, attributes)


class _Made:
    """A workbook while it is made: the sheet of rows first, since only then is known what the first sheet says."""

    def __init__(self, book: Workbook, about: About) -> None:
        self.book, self.about = book, about
        self.first = book.add_worksheet(gettext("About")[:_LONGEST_NAME], _Sheet)
        self.sheet = book.add_worksheet(about.sheet[:_LONGEST_NAME], _Sheet)
        self.strong = self._format(bold=True, text_wrap=True)
        self.moment = self._format(num_format="yyyy-mm-dd hh:mm:ss")
        self.day = self._format(num_format="yyyy-mm-dd")
        self.wrapped = self._format(text_wrap=True)
        self.link = self._format(font_color="#1f5fd1", underline=1)
        self.links = 0
        self.happened: Counter[str] = Counter()
        # The moment is the data's: the same rows give the same bytes.
        made = about.as_of or about.made
        title = _clean(about.page)
        book.set_properties({"title": title, "created": made.astimezone(UTC).replace(tzinfo=None, microsecond=0)})

    def _format(self, **properties: Any) -> Format:
        return self.book.add_format({"valign": "top", **properties})

    def close(self) -> None:
        self.book.close()

    def write(self, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        moments = [index for index, name in enumerate(head) if name in self.about.moments]
        names = [*head, *(f"{head[index]}_utc" for index in moments)]
        self._prepare(names)
        count = 0
        for count, cells in enumerate(rows, 1):
            for index, value in enumerate(cells):
                if index in moments:
                    self._moment(count, index, value)
                elif head[index] == _LINKED and value:
                    self._link(count, index, value)
                else:
                    self._cell(count, index, value)
            for place, index in enumerate(moments, len(head)):
                self._text(self.sheet, count, place, cells[index])
        self.sheet.autofilter(0, 0, count, len(names) - 1)
        self._tell(count)

    def _prepare(self, names: Sequence[str]) -> None:
        self.sheet.freeze_panes(1, 0)
        self.sheet.repeat_rows(0)
        for index, name in enumerate(names):
            moment = name.removesuffix("_utc") in self.about.moments
            self.sheet.set_column(index, index, 24 if moment else _WIDTHS.get(name, 16))
            self._text(self.sheet, 0, index, name, self.strong)

    def _tell(self, count: int) -> None:
        """The first sheet."""
        self.first.set_column(0, 0, 24)
        self.first.set_column(1, 2, 64)
        for row, line in enumerate(self.about.lines(count, self.happened)):
            for index, value in enumerate(line.cells):
                form = self.strong if line.headed and not index else self.wrapped
                if isinstance(value, int):
                    self.first.write_number(row, index, value, form)
                elif value:
                    self._text(self.first, row, index, value, form)

    # -- Cells ----------------------------------------------------------------------------------------------------

    def _cell(self, row: int, index: int, value: Any) -> None:
        if isinstance(value, bool) or value is None:
            self._text(self.sheet, row, index, "" if value is None else str(value))
        elif isinstance(value, int | float) and math.isfinite(value) and abs(value) < _LARGEST_NUMBER:
            self.sheet.write_number(row, index, value)
        elif isinstance(value, date):
            self.sheet.write_datetime(row, index, value, self.day)
        else:
            self._text(self.sheet, row, index, "; ".join(value) if isinstance(value, list) else str(value))

    def _moment(self, row: int, index: int, text: str) -> None:
        """A moment by the reader's clock; the text where Excel has no date for it."""
        if not text:
            return
        moment = datetime.fromisoformat(text)
        if _FIRST_YEAR < moment.year < _LAST_YEAR:  # with a neighbour for every time zone
            local = moment.astimezone(self.about.zone).replace(tzinfo=None)
            self.sheet.write_datetime(row, index, local, self.moment)
        else:
            self.happened[UNDATED] += 1
            self._text(self.sheet, row, index, text)

    def _link(self, row: int, index: int, url: str) -> None:
        safe = safe_link(url)
        if not safe or len(quote(safe, safe="%/:?#&=+,;@!$'()*~")) > _LONGEST_LINK:
            self.happened[UNSAFE] += 1
            self._text(self.sheet, row, index, url)
        elif self.links == MOST_LINKS:
            self.happened[UNLINKED] += 1
            self._text(self.sheet, row, index, url)
        else:
            self.links += 1
            scheme, _, rest = safe.partition(":")
            self.sheet.write_url(row, index, f"{scheme.lower()}:{rest}", self.link, safe)

    def _text(self, sheet: Worksheet, row: int, index: int, text: str, form: Format | None = None) -> None:
        """A text is a text, whatever it begins with."""
        clean = _clean(text)
        cut = bool(clean) and sheet.write_string(row, index, clean, form) != 0
        if sheet is self.sheet:
            self.happened[CUT] += cut
            self.happened[REPLACED] += clean.count("\ufffd") > text.count("\ufffd")


def _clean(text: str) -> str:
    """Without what XML cannot hold; line breaks as cells have them."""
    return _NO_XML.sub("\ufffd", _LINE_BREAK.sub("\n", text))
