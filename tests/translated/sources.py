"""Where texts for people are written, and what of a page is read."""

import re
from html.parser import HTMLParser
from pathlib import Path

from tests.support.said import LETTER

FOLDER = Path(__file__).parents[2] / "templates"
TEMPLATES = sorted(str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.*"))

# The program's name is the same in every language.
NAMES = {"certdash"}
# Attributes that people read, or hear; a table's cells show their label on a phone.
READ = {
    "alt", "aria-description", "aria-label", "aria-roledescription", "data-label", "data-sort-by", "label",
    "placeholder", "title",
}  # fmt: skip

TRANSLATED_STRING = re.compile(r"""_\(("[^"]*"|'[^']*')\)""")
STRING = re.compile(r"""["']([^"']*)["']""")

PACKAGE = Path(__file__).parents[2] / "certdash"
# Modules of the package, and folders of them, that speak to people.
SPEAKING = {
    "access.py", "adapters.py", "attempts.py", "charts.py", "downloads.py", "exports", "facets", "fields.py",
    "filters", "forms", "invitations.py", "links.py", "models", "rows.py", "saved_views.py", "signs.py",
    "single_sign_on.py", "stats", "tables", "templatetags", "time_zones.py", "timeline.py", "views", "visits.py",
    "words.py",
}  # fmt: skip
MODULES = sorted(
    str(path.relative_to(PACKAGE))
    for path in PACKAGE.rglob("*.py")
    if SPEAKING & {str(path.relative_to(PACKAGE)), path.relative_to(PACKAGE).parts[0]}
)


class Texts(HTMLParser):
    """What is left to read in a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)
        self.close()

    def note(self, text: str) -> None:
        if LETTER.search(text) and text.strip(" \n·") not in NAMES:
            self.found.append(" ".join(text.split()))

    def handle_data(self, data: str) -> None:
        self.note(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        read = READ | ({"value"} if given.get("type") in ("submit", "reset", "button") and tag == "input" else set())
        for name in read & set(given):
            self.note(given[name] or "")

    handle_startendtag = handle_starttag
