"""The vendor's answer, decoded piece by piece over the mapped file.

The envelope and the head of every story element are decoded and checked at once; the certificates of a story
stay bytes of the map until `StoryElement.rows()` is called. So memory is bounded by the largest story.
"""

import mmap
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from io import FileIO
from typing import TYPE_CHECKING, Annotated, Any, Protocol, Self, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct

from certdash.falkor.errors import CutShort, ErrorAnswer, Malformed, NotThisApi
from certdash.falkor.rows import (
    UNREADABLE,
    NotUnderstood,
    RejectedRow,
    StoryRows,
    clean,
    lower_if_known,
    place_and_reason,
    read_rows,
    rejected,
)
from certdash.falkor.surrogates import repair_surrogates

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

T = TypeVar("T")

TYPES = frozenset({"story", "assessment", "survey", "scorm"})

_JSON_START = re.compile(rb"[ \t\r\n]*[{\[]")
_BOM = b"\xef\xbb\xbf"


class _Status(Struct):
    status: str = ""
    message: Any = None


class _Head(Struct):
    name: str
    ID: Annotated[str, Meta(max_length=255)] | None = None
    type: str | None = None


class _Element(Struct):
    story: _Head
    certificates: Raw


class _Envelope(Struct):
    status: str
    data: list[Raw]
    hash: str | None = None
    response_time: float | None = None


class _LooseHead(Struct):
    ID: str = ""


class _LooseElement(Struct):
    story: _LooseHead


class _WholeEnvelope(Struct):
    """The same when nothing is wrong with any head: everything is found in one pass over the bytes."""

    status: str
    data: list[_Element]
    hash: str | None = None
    response_time: float | None = None


_decode_whole = msgspec.json.Decoder(_WholeEnvelope).decode
_decode_envelope = msgspec.json.Decoder(_Envelope).decode
_decode_status = msgspec.json.Decoder(_Status).decode
_decode_element = msgspec.json.Decoder(_Element).decode
_decode_loosely = msgspec.json.Decoder(_LooseElement).decode


class Digest(Protocol):
    """What `hashlib` makes."""

    def update(self, data: "Buffer", /) -> None: ...


class StoryElement:
    """One element of `data`: a story's head, already checked, and its certificates, not yet decoded."""

    def __init__(self, index: int, head: _Head, certificates: Raw) -> None:
        self.index = index
        self.id = clean(head.ID)
        self.name = clean(head.name)
        self.type = lower_if_known(clean(head.type), TYPES)
        self._certificates: Raw | None = certificates

    def __repr__(self) -> str:
        return f"<StoryElement data[{self.index}]>"

    def rows(self) -> StoryRows:
        """Decode the certificates of this story. Raises ValueError when the answer was closed."""
        if self._certificates is None:
            raise ValueError("The answer was closed before its rows were read.")
        return read_rows(self._certificates, f"data[{self.index}].certificates")

    def digest_into(self, digest: Digest) -> None:
        """Add all that is read of this element to a digest: its head, and the bytes of its certificates.

        Raises ValueError when the answer was closed.
        """
        if self._certificates is None:
            raise ValueError("The answer was closed before its bytes were read.")
        raw = memoryview(self._certificates)
        digest.update(msgspec.json.encode((self.id, self.name, self.type, len(raw))))
        digest.update(raw)

    def close(self) -> None:
        """Let go of the mapped file."""
        self._certificates = None


class Answer:
    """A whole, understood answer; a context manager that removes the spooled file at its end.

    `size`: bytes after decompression. `hash`: the vendor's, or "". `response_time`: seconds, or None.
    `rejected`: the story elements that could not be understood; the others are in `stories`. `rejected_stories`:
    their IDs, as far as these could be.

    Maps `file`, which has no name in the file system; the caller closes it, and the map keeps it until its
    own end. Raises NotThisApi, ErrorAnswer, CutShort or Malformed.
    """

    def __init__(self, file: FileIO, size: int) -> None:
        self.size = size
        self.stories: list[StoryElement] = []
        self.rejected: list[RejectedRow] = []
        self.rejected_stories: set[str] = set()
        if not size:
            raise CutShort("The vendor's answer is empty")
        self._map = mmap.mmap(file.fileno(), 0)
        try:
            envelope = self._envelope()
            self.hash = clean(envelope.hash)
            self.response_time = envelope.response_time
            self._read_heads(envelope.data)
        except BaseException:
            self.stories.clear()
            self._close_map()
            raise

    def _envelope(self) -> _Envelope | _WholeEnvelope:
        start = len(_BOM) if self._map[: len(_BOM)] == _BOM else 0
        if not _JSON_START.match(self._map, start):
            raise NotThisApi("The vendor answered with something that is not JSON, for example a web page")
        repair_surrogates(self._map)
        return _open_envelope(memoryview(self._map)[start:])

    def _read_heads(self, data: Sequence[Raw | _Element]) -> None:
        for index, each in enumerate(data):
            try:
                self.stories.append(_story(index, each))
            except UNREADABLE as error:
                raw = each.certificates if isinstance(each, _Element) else each
                self.rejected.append(rejected(f"data[{index}]", error, raw))
                self.rejected_stories.add(_id_of(each))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the spooled file; heads stay readable, rows do not. Closing twice does no harm."""
        for story in self.stories:
            story.close()
        self._close_map()

    def _close_map(self) -> None:
        with suppress(BufferError):  # a piece of it is still in use somewhere; the map ends with that piece
            self._map.close()


def vendor_message(body: bytes) -> str:
    """Return the `message` of an error body, or "" when there is none."""
    text = bytearray(body.removeprefix(_BOM))
    repair_surrogates(text)
    try:
        return _message(_decode_status(text))
    except UNREADABLE:
        return ""


def _open_envelope(text: memoryview) -> _Envelope | _WholeEnvelope:
    with suppress(*UNREADABLE):
        envelope = _decode_whole(text)
        if envelope.status.lower() == "success":
            return envelope
    # Only now, since each reads the whole answer once more: what does it say, if not what is documented?
    outcome = _decoded(_decode_status, text)
    status = outcome.status.lower()
    if status == "error":
        raise ErrorAnswer("The vendor answered with an error", vendor_message=_message(outcome))
    if status != "success":
        raise Malformed("The vendor's answer says neither success nor error")
    return _decoded(_decode_envelope, text)


def _decoded(decode: Callable[[memoryview], T], text: memoryview) -> T:
    try:
        return decode(text)
    except msgspec.ValidationError as error:
        path, reason = place_and_reason(error)
        raise Malformed(
            f"The vendor's answer has another shape than documented ({path.lstrip('.') or 'answer'}: {reason})"
        ) from None
    except msgspec.DecodeError as error:
        if "truncated" in str(error):
            raise CutShort("The vendor's answer ended before it was complete") from None
        raise Malformed("The vendor's answer is not valid JSON") from None
    except UnicodeDecodeError:
        raise Malformed("The vendor's answer is not valid UTF-8") from None
    except RecursionError:
        raise Malformed("The vendor's answer is nested too deeply") from None


def _story(index: int, each: Raw | _Element) -> StoryElement:
    element = each if isinstance(each, _Element) else _decode_element(each)
    if bytes(memoryview(element.certificates)[:1]) != b"[":
        raise NotUnderstood(".certificates", "Expected `array`")
    return StoryElement(index, element.story, element.certificates)


def _id_of(rejected_element: Raw | _Element) -> str:
    """The ID of a story element that could not be understood, or "" when not even that could be."""
    if isinstance(rejected_element, _Element):
        return clean(rejected_element.story.ID)
    try:
        return clean(_decode_loosely(rejected_element).story.ID)
    except UNREADABLE:
        return ""


def _message(outcome: _Status) -> str:
    return clean(outcome.message) if isinstance(outcome.message, str) else ""
