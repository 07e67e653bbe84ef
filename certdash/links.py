"""What the vendor sent, made harmless: which permalinks may become a link, and words inside our sentences."""

from unicodedata import bidirectional
from urllib.parse import urlsplit


def safe_link(url: str) -> str:
    """The URL when it is an absolute web address without user-info, else an empty text: then it is only shown."""
    if not url.isprintable() or " " in url or "\\" in url:
        return ""  # browsers repair these, each in its own way
    try:
        parts = urlsplit(url)
        web = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return ""
    return url if web and "@" not in parts.netloc else ""


def isolated(text: str) -> str:
    """Somebody else's text inside a sentence of ours: its right-to-left marks reorder only itself (Unicode UAX #9)."""
    return f"\u2068{unmarked(text)}\u2069"


def unmarked(text: str) -> str:
    """The text without marks that isolate a part of it."""
    return text.translate(_ISOLATES)


def apart(text: str) -> str:
    """The same where the text holds anything that is read from right to left; any other is left as it is."""
    return isolated(text) if any(bidirectional(sign).lower() in _TURNS for sign in text) else text


_TURNS = {"r", "al", "an", "rle", "rlo", "lre", "lro", "rli", "lri", "fsi"}  # kinds of signs, as Unicode has them
_ISOLATES = dict.fromkeys(map(ord, "\u2066\u2067\u2068\u2069"))
