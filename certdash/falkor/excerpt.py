"""What may be shown of a row that could not be understood: its shape, without what it says of anybody."""

import re
from itertools import islice

from msgspec import Raw

LENGTH = 300  # characters
_READ = 2000  # bytes; the excerpt begins where the row begins

# A key is kept when it is documented: whoever writes other ones could write anything in them.
_KEYS = (
    "story", "name", "type", "ID", "certificates", "certificate", "firstname", "lastname", "email", "telephone",
    "country", "city", "state", "timestamp", "url",
)  # fmt: skip
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"?')
_KEPT = frozenset(f'"{key}"' for key in _KEYS)
_WORDS = frozenset(("true", "false", "null"))
_RUN = re.compile(r"\d+|(?:[^\W\d_]|[^\x00-\x7f])+")
_PLACE = re.compile(r"\s*:")


def excerpt(raw: Raw) -> str:
    """Return the beginning of a JSON text with documented keys as they are, every other letter as `x`, digit as `0`."""
    text = bytes(memoryview(raw)[:_READ]).decode("utf-8", "replace")
    shown: list[str] = []
    end = 0
    for found in islice(_TEXT.finditer(text), _READ):
        shown += (_plain(text[end : found.start()]), _quoted(found[0], bool(_PLACE.match(text, found.end()))))
        end = found.end()
    shown.append(_plain(text[end:]))
    whole = "".join(shown)
    return whole if len(whole) <= LENGTH else whole[:LENGTH] + "…"


def _plain(text: str) -> str:
    """What stands between texts: numbers are masked, the words of JSON stay."""
    return _RUN.sub(lambda run: run[0] if run[0] in _WORDS else _masked(run), text)


def _quoted(text: str, is_key: bool) -> str:
    return text if is_key and text in _KEPT else _RUN.sub(_masked, text)


def _masked(run: re.Match[str]) -> str:
    return ("0" if run[0][0].isdigit() else "x") * len(run[0])
