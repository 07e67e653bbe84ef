"""The account's token: three ways of pasting it, one way of keeping it."""

import base64
import binascii
import re

_PREFIX = re.compile(r"(?:authorization\s*:\s*)?basic\s+", re.IGNORECASE)


def normalise_token(text: str) -> str:
    """Return the Base64 form that goes behind `Basic ` in the Authorization header.

    Takes what a person pastes: the Base64 of the vendor's token file, the same with `Basic ` before it, or
    the decoded `key:secret`. Line breaks and lost `=` at the end of the Base64 are mended.

    Raises ValueError with a sentence that never quotes the token.
    """
    pasted = _PREFIX.sub("", text.strip(), count=1) if _PREFIX.match(text.strip()) else text.strip()
    if not pasted.strip(":"):
        raise ValueError("The token is empty: paste it from the vendor's token file.")
    if ":" in pasted:
        return _encoded_pair(pasted)
    return _mended_base64("".join(pasted.split()))


def _encoded_pair(pair: str) -> str:
    if not pair.isprintable():
        raise ValueError("The token holds line breaks or control characters: paste one key:secret.")
    return base64.b64encode(pair.encode()).decode("ascii")


def _mended_base64(digits: str) -> str:
    padded = digits.rstrip("=") + "=" * (-len(digits.rstrip("=")) % 4)
    try:
        base64.b64decode(padded, validate=True)
    except (binascii.Error, ValueError):
        padded = ""
    if not padded:
        raise ValueError(
            "The token is neither Base64 nor key:secret: paste it as it stands in the vendor's token file."
        )
    return padded
