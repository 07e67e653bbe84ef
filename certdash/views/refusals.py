"""Files that are not made, and why: a typo must not hand out everybody's data."""

from collections.abc import Sequence

from django.http import HttpResponse

from certdash.exports import MOST_ROWS


def refused(text: str) -> HttpResponse:
    """The answer in the place of a file."""
    return HttpResponse(text, status=400, content_type="text/plain; charset=utf-8")


def senseless(ignored: Sequence[str]) -> str:
    """Why no file was made: handing out more than was meant would be worse."""
    return (
        f"No file was made, because this part of the request means nothing here: {', '.join(ignored)}. "
        "Correct or leave it out; otherwise the file would hold more than was asked for."
    )


def too_long(rows: int) -> str:
    """Why no workbook was made, and what to do."""
    return (
        f"No file was made: a workbook for Excel holds at most {MOST_ROWS:,} rows here, and these are {rows:,}. "
        "Take them as CSV, which has no limit, or choose fewer of them with the filters."
    )


NOTHING_SELECTED = "No file was made, because no row is ticked. Go back, tick the rows you want, and try again."
