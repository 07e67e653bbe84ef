"""Text that people search and sort by."""

import unicodedata

# Letters that look like an accented one but do not decompose; people type the plain letter.
_PLAIN = str.maketrans({"ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "ł": "l", "æ": "ae", "œ": "oe", "þ": "th"})
SORT_BYTES = 160


def fold(text: str) -> str:
    """The text without case and accents, white space collapsed: what a search compares."""
    if text.isascii():  # most are: nothing to take apart
        return " ".join(text.lower().split())
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(char for char in decomposed if not unicodedata.combining(char))
    return " ".join(bare.translate(_PLAIN).split())


def sort_bytes(*texts: str) -> bytes:
    """A key that orders the same in every database, since bytes know no collation; bounded to fit an index."""
    return fold(" ".join(texts)).encode()[:SORT_BYTES]
