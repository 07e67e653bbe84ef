"""The body of an answer, on its way from the socket to a file: decompressed, counted, and known to be whole."""

import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import FileIO

import requests
import urllib3

from certdash.falkor.errors import CutShort, Malformed, SpoolFailed, TooLarge, TooSlow
from certdash.falkor.transport import READ_SECONDS, Deadline

_READ_BYTES = 64 * 1024
_PIECE_BYTES = 256 * 1024  # a bomb of gzip unfolds in pieces of this size, so that the cap sees it in time
_REPORT_BYTES = 1024 * 1024
_REPORT_SECONDS = 1.0


class Meter:
    """Tells the caller how many bytes there are, often enough for a progress bar and seldom enough to be cheap."""

    def __init__(self, progress: Callable[[int], None] | None) -> None:
        self._progress = progress
        self._bytes = 0
        self._size = 0
        self._when = 0.0

    def report(self, size: int) -> None:
        """Tell it now."""
        self._bytes = self._size = size
        self._when = time.monotonic()
        if self._progress is not None:
            self._progress(size)

    def passed(self, size: int) -> None:
        """Tell it when the last report is 1 MB or 1 s ago."""
        self._size = size
        if size - self._bytes >= _REPORT_BYTES or time.monotonic() - self._when >= _REPORT_SECONDS:
            self.report(size)

    def alive(self) -> None:
        """Tell the same number again when the last report is 1 s ago: something came, if nothing to count."""
        self.passed(self._size)


@contextmanager
def pieces(response: requests.Response, deadline: Deadline, meter: Meter) -> Iterator[Iterator[bytes]]:
    """Give the decompressed body in small pieces; `meter` hears of all that comes, a piece or not.

    Raises CutShort when it breaks off, TooSlow when nothing comes for the time of one read, Malformed when
    it is compressed in a way that was not asked for.
    """
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        raise Malformed("The vendor compressed its answer in a way that was not asked for")
    # A length of a chunk that drips is no silence to the socket, and nothing to us.
    with deadline.step(READ_SECONDS, _stopped()) as renew:
        chunks = _raw(response, renew, meter)
        yield _unzipped(chunks) if encoding.endswith("gzip") else chunks


def spool(response: requests.Response, file: FileIO, max_bytes: int, deadline: Deadline, meter: Meter) -> int:
    """Write the decompressed body to `file` and return its size in bytes. Raises TooLarge and SpoolFailed."""
    announced = response.headers.get("Content-Length", "")
    if "Content-Encoding" not in response.headers and announced.isdecimal() and int(announced) > max_bytes:
        raise _too_large(max_bytes)
    size = 0
    with pieces(response, deadline, meter) as body:
        for piece in body:
            size += len(piece)
            if size > max_bytes:
                raise _too_large(max_bytes)
            with on_disk():
                rest = memoryview(piece)
                while rest:
                    rest = rest[file.write(rest) :]
            meter.passed(size)
    return size


@contextmanager
def on_disk() -> Iterator[None]:
    """Turn what this machine's disk refuses into SpoolFailed."""
    try:
        yield
    except OSError as error:
        raise SpoolFailed(f"The answer could not be kept on disk ({error.strerror})") from None


def _too_large(max_bytes: int) -> TooLarge:
    return TooLarge(f"The vendor's answer is larger than {max_bytes / 2**20:g} MB")


def _raw(response: requests.Response, renew: Callable[[], None], meter: Meter) -> Iterator[bytes]:
    while chunk := _read(response):
        renew()
        meter.alive()
        yield chunk


def _read(response: requests.Response) -> bytes:
    try:
        chunk: bytes = response.raw.read1(_READ_BYTES, decode_content=False)
    except urllib3.exceptions.ReadTimeoutError:
        raise _stopped() from None
    except (urllib3.exceptions.HTTPError, OSError):
        raise _cut_short() from None
    return chunk


def _stopped() -> TooSlow:
    return TooSlow(f"The vendor's answer stopped for {READ_SECONDS:g} seconds")


def _cut_short() -> CutShort:
    return CutShort("The vendor's answer ended before it was complete")


def _unzipped(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Unfold one or several gzip members; unlike the decoder of urllib3, insist on the end of each."""
    member = zlib.decompressobj(wbits=31)
    started = False
    for chunk in chunks:
        rest = chunk
        while rest:
            if member.eof:
                rest = rest.lstrip(b"\0")  # padding, which gzip's own tools skip too
                if not rest:
                    break
                member = zlib.decompressobj(wbits=31)
            started = True
            try:
                piece = member.decompress(rest, _PIECE_BYTES)
            except zlib.error:
                raise _cut_short() from None
            rest = member.unused_data if member.eof else member.unconsumed_tail
            if piece:
                yield piece
    if started and not member.eof:
        raise _cut_short()
