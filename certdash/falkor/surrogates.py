"""Lone surrogate escapes, which some JSON writers produce and strict decoders refuse for the whole text."""

import mmap
import re

# U+FFFD as no JSON writer spells it: what carries it afterwards was repaired here. As long as what it replaces.
REPAIRED = rb"\uFfFd"

_ESCAPE = re.compile(rb"\\u[dD]([89abAB]|[c-fC-F])[0-9a-fA-F]{2}")
_LOW = re.compile(rb"\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_SIZE = len(REPAIRED)


def repair_surrogates(text: mmap.mmap | bytearray) -> int:
    """Overwrite every lone surrogate escape in a JSON text, in place, and return how many there were."""
    repaired = position = 0
    while found := _ESCAPE.search(text, position):
        start = found.start()
        position = start + _SIZE
        if not _is_escape(text, start):
            continue  # the backslash was itself escaped, so this only looks like one
        if found[1] in b"89abAB" and _LOW.match(text, position):
            position += _SIZE
        else:
            text[start:position] = REPAIRED
            repaired += 1
    return repaired


def _is_escape(text: mmap.mmap | bytearray, backslash: int) -> bool:
    """Whether a backslash begins an escape: it does when an even number of them stands before it."""
    before = backslash
    while before and text[before - 1] in b"\\":
        before -= 1
    return (backslash - before) % 2 == 0
