"""The fake vendor's answers, written while they are made: no answer is ever held whole."""

import hashlib
import json
import time
import zlib
from collections.abc import Iterable, Iterator

from certdash.sandbox.world import CertificateItem, StoryItem

CHUNK_BYTES = 1 << 16
Stories = Iterable[tuple[StoryItem, Iterator[CertificateItem]]]


def envelope(stories: Stories, leave_out_empty: bool) -> Iterator[bytes]:
    """The whole answer as UTF-8 JSON; `hash` is the MD5 of the bytes of `data`, brackets included."""
    started = time.monotonic()
    digest = hashlib.md5(usedforsecurity=False)
    yield b'{"status":"success","data":'
    for text in _data(stories, leave_out_empty):
        piece = text.encode()
        digest.update(piece)
        yield piece
    seconds = time.monotonic() - started
    yield f',"hash":"{digest.hexdigest()}","response_time":{seconds}}}'.encode()


def _data(stories: Stories, leave_out_empty: bool) -> Iterator[str]:
    yield "["
    between = ""
    for story, certificates in stories:
        first = next(certificates, None)
        if first is None and leave_out_empty:
            continue
        yield f'{between}{{"story":{_json(story)},"certificates":['
        if first is not None:
            yield _json(first)
        for certificate in certificates:
            yield f",{_json(certificate)}"
        yield "]}"
        between = ","
    yield "]"


def _json(value: StoryItem | CertificateItem) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def in_chunks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of about 64 KiB."""
    buffer = bytearray()
    for piece in pieces:
        buffer += piece
        if len(buffer) >= CHUNK_BYTES:
            yield bytes(buffer)
            buffer.clear()
    yield bytes(buffer)


def gzipped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces as one gzip stream."""
    compressor = zlib.compressobj(level=1, wbits=31)
    for piece in pieces:
        yield compressor.compress(piece)
    yield compressor.flush()
