"""The search itself: it would find a secret wherever one had come out."""

import base64
import html
import zipfile
import zlib
from io import BytesIO
from urllib.parse import quote

import pytest
from django.core import signing

from tests.prove.hunt import Hunt

SECRET = "canary&secret=/9d2e+51c8"


def zipped(text: str) -> bytes:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("sheet.xml", text)
    return packed.getvalue()


WAYS = {
    "plain": SECRET.encode(),
    "other case": SECRET.upper().encode(),
    "quoted": quote(SECRET, safe="").encode(),
    "markup": html.escape(SECRET).encode(),
    "Base64": base64.b64encode(SECRET.encode()),
    "Base64 of more, at one place": base64.b64encode(f"x{SECRET}yyy".encode()),
    "Base64 of more, at another": base64.urlsafe_b64encode(f"xx{SECRET}".encode()),
    "Base64 of more, at a third": base64.b64encode(f"key:{SECRET}:more".encode()),
    "file of a cache": b"\x80\x04expiry" + zlib.compress(f"page {SECRET}".encode() * 9),
    "archive": zipped(SECRET),
    "session": signing.dumps({"message": SECRET * 9}, key="k", compress=True).encode(),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_secret_is_found(way: str) -> None:
    hunt = Hunt(secret=SECRET)
    hunt.search("a log", b"before " + WAYS[way] + b" after")
    assert hunt.found
    assert "secret in a log" in hunt.found[0]


def test_what_is_no_secret_is_not() -> None:
    hunt = Hunt(secret=SECRET)
    hunt.search("a log", "canary secret 9d2e 51c8")
    assert hunt.found == []
