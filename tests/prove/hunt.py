"""A search for secrets in whatever form they may have come out."""

import base64
import html
import json
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from io import BytesIO
from urllib.parse import quote, quote_plus

_SESSION = re.compile(rb"\.(eJ[\w-]+)")
_DEFLATED = re.compile(rb"\x78[\x01\x9c\xda]")


def forms_of(secret: str) -> set[bytes]:
    """The ways of writing a secret that are looked for, in lower case."""
    texts = {secret, quote(secret, safe=""), quote(secret), quote_plus(secret), html.escape(secret)}
    texts |= {json.dumps(secret)[1:-1], secret.encode().hex(), secret[::-1]}
    for shift in range(3):  # where in a longer text it begins
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            digits = encode(bytes(shift) + secret.encode()).decode()
            whole = (shift + len(secret)) // 3 * 4
            texts.add(digits[(shift * 4 + 2) // 3 : whole])
    return {text.lower().encode() for text in texts} | {secret.encode("utf-16-le").lower()}


class Hunt:
    """What is looked for, and where it was found."""

    def __init__(self, **secrets: str) -> None:
        self._forms = {name: forms_of(secret) for name, secret in secrets.items()}
        self.found: list[str] = []
        self.searched = 0

    def search(self, where: str, what: bytes | str) -> None:
        """Look through something, and through what is packed in it."""
        content = what if isinstance(what, bytes) else what.encode(errors="replace")
        for each in (content, *_unpacked(content)):
            self.searched += len(each)
            lower = each.lower()
            for name, forms in self._forms.items():
                self.found += [f"{name} in {where} as {form[:60]!r}" for form in forms if form in lower]


def _unpacked(content: bytes) -> Iterator[bytes]:
    """What is in an archive, in compressed values of a cache, and in the sessions of a table."""
    with suppress(zipfile.BadZipFile), zipfile.ZipFile(BytesIO(content)) as archive:
        yield from (archive.read(name) for name in archive.namelist())
    for packed in _packed(content):
        with suppress(zlib.error):
            yield zlib.decompressobj().decompress(packed)


def _packed(content: bytes) -> Iterable[bytes]:
    for match in _SESSION.finditer(content):
        yield base64.urlsafe_b64decode(match[1] + b"=" * (-len(match[1]) % 4))
    for match in _DEFLATED.finditer(content):
        yield content[match.start() :]
