"""Text that people search and sort by."""

import unicodedata
from functools import lru_cache

# Letters that look like an accented one but do not decompose, and the apostrophes and hyphens that phones and word
# processors put in; people type the plain one.
_PLAIN = str.maketrans(
    {
        "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "ł": "l", "æ": "ae", "œ": "oe", "þ": "th",
        **dict.fromkeys("\u2018\u2019\u201b\u02bc\u2032", "'"), **dict.fromkeys("\u2010\u2012\u2013\u2212", "-"),
    }
)  # fmt: skip
SORT_BYTES = 160


class _Bare(dict[int, int | str | None]):
    """What becomes of each character of a decomposed text, found out once: accents go."""

    def __missing__(self, code: int) -> int | str | None:
        self[code] = None if unicodedata.combining(chr(code)) else _PLAIN.get(code, code)
        return self[code]


_BARE = _Bare()


def fold(text: str) -> str:
    """The text without case, accents and kinds of apostrophe, white space collapsed: what a search compares."""
    if text.isascii():  # most are: nothing to take apart
        return " ".join(text.lower().split())
    # A learner's row, name and search text are folded soon after each other. Nobody's novel is kept.
    return _folded_once(text) if len(text) <= SORT_BYTES else _folded(text)


def _folded(text: str) -> str:
    text = text.casefold().replace("\u00b4", "'")  # an accent of its own, typed as an apostrophe, would become a blank
    return " ".join(unicodedata.normalize("NFKD", text).translate(_BARE).split())


_folded_once = lru_cache(maxsize=16_384)(_folded)


def sort_bytes(*texts: str) -> bytes:
    """A key that orders the same in every database, since bytes know no collation; bounded to fit an index."""
    return fold(" ".join(texts)).encode()[:SORT_BYTES]
