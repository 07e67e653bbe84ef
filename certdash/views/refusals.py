"""Files that are not made, and why: a typo must not hand out everybody's data."""

from collections.abc import Sequence

from django.http import HttpResponse
from django.utils.translation import gettext

from certdash.exports import MOST_ROWS
from certdash.rows import grouped


def refused(text: str) -> HttpResponse:
    """The answer in the place of a file."""
    return HttpResponse(text, status=400, content_type="text/plain; charset=utf-8")


def senseless(ignored: Sequence[str]) -> str:
    """Why no file was made: handing out more than was meant would be worse."""
    told = gettext(
        "No file was made, because this part of the request means nothing here: %(parts)s. "
        "Correct or leave it out; otherwise the file would hold more than was asked for."
    )
    return told % {"parts": ", ".join(ignored)}


def too_long(rows: int) -> str:
    """Why no workbook was made, and what to do."""
    told = gettext(
        "No file was made: a workbook for Excel holds at most %(most)s rows here, and these are %(rows)s. "
        "Take them as CSV, which has no limit, or choose fewer of them with the filters."
    )
    return told % {"most": grouped(MOST_ROWS), "rows": grouped(rows)}


def nothing_selected() -> str:
    """Why no file of ticked rows was made."""
    return gettext("No file was made, because no row is ticked. Go back, tick the rows you want, and try again.")
