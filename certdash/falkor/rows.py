"""The certificates of one story: decoded in one go, or one by one to find out which of them is at fault."""

import re
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import Meta, Raw, Struct

from certdash.falkor.excerpt import excerpt
from certdash.falkor.surrogates import REPAIRED

STATES = frozenset({"pending", "delivered"})

_NUL = rb"\u0000"
_MARKED = re.compile(re.escape(REPAIRED) + b"|" + re.escape(_NUL))


class Row(Struct, frozen=True, gc=False):
    """One certificate as the vendor sent it. `state` is lower case when known; `timestamp` is aware, in UTC."""

    firstname: str
    lastname: str
    email: str
    telephone: str
    country: str
    city: str
    state: str
    timestamp: datetime
    url: str


class RejectedRow(Struct, frozen=True):
    """A story element or a row that could not be understood: where, and why, and its shape without its values."""

    path: str
    reason: str
    excerpt: str = ""


class StoryRows(Struct):
    """The certificates of one story element. `repaired` rows held a lone surrogate, which is now U+FFFD."""

    rows: list[Row]
    rejected: list[RejectedRow]
    repaired: int


class NotUnderstood(Exception):
    """Something of the right shape whose value means nothing: its place below what was read, and the reason."""


# What reading raises: msgspec's errors with a path for a wrong shape, UnicodeDecodeError for wrong UTF-8.
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, NotUnderstood)


class _WireCertificate(Struct, gc=False):
    state: Annotated[str, Meta(min_length=1)]
    timestamp: str
    url: str | None = None


class _WireRow(Struct, gc=False):
    firstname: str | None
    lastname: str | None
    email: str | None
    telephone: str | None
    country: str | None
    city: str | None
    certificate: _WireCertificate


_decode_rows = msgspec.json.Decoder(list[_WireRow]).decode
_decode_row = msgspec.json.Decoder(_WireRow).decode
_split = msgspec.json.Decoder(list[Raw]).decode


def read_rows(certificates: Raw, path: str) -> StoryRows:
    """Decode a list of certificates that stands at `path` of the answer."""
    if not _MARKED.search(memoryview(certificates)):
        try:
            return StoryRows([_row(wire) for wire in _decode_rows(certificates)], [], 0)
        except UNREADABLE:
            pass  # some row is at fault: the slow way finds out which
    return _read_one_by_one(certificates, path)


def _read_one_by_one(certificates: Raw, path: str) -> StoryRows:
    result = StoryRows([], [], 0)
    try:
        raws = _split(certificates)
    except RecursionError as error:
        return StoryRows([], [rejected(path, error, certificates)], 0)
    for index, raw in enumerate(raws):
        text = bytes(raw)
        try:
            wire = _decode_row(text)
            row = _row(_without_nul(wire) if _NUL in text else wire)
        except UNREADABLE as error:
            result.rejected.append(rejected(f"{path}[{index}]", error, raw))
        else:
            result.rows.append(row)
            result.repaired += REPAIRED in text
    return result


def _row(wire: _WireRow) -> Row:
    certificate = wire.certificate
    if not certificate.state:
        raise NotUnderstood(".certificate.state", "Expected a state, got nothing")
    return Row(
        wire.firstname or "",
        wire.lastname or "",
        wire.email or "",
        wire.telephone or "",
        wire.country or "",
        wire.city or "",
        lower_if_known(certificate.state, STATES),
        _utc(certificate.timestamp),
        certificate.url or "",
    )


def _utc(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        # At the ends of the calendar the moment has no local time in some time zones.
        if moment.tzinfo is not None and 1 < moment.year < 9999:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise NotUnderstood(".certificate.timestamp", "Expected an ISO 8601 date and time with an offset")


def _without_nul(wire: _WireRow) -> _WireRow:
    for part in (wire, wire.certificate):
        for name in part.__struct_fields__:
            if isinstance(text := getattr(part, name), str):
                setattr(part, name, clean(text))
    return wire


def clean(text: str | None) -> str:
    """Return a text as it is stored: without NUL, which PostgreSQL refuses, and "" instead of null."""
    return (text or "").replace("\0", "")


def lower_if_known(text: str, known: frozenset[str]) -> str:
    """Return a documented word in lower case, and any other as it was sent."""
    lower = text.lower()
    return lower if lower in known else text


def rejected(path: str, error: Exception, raw: Raw) -> RejectedRow:
    """Return what is kept of a thing at `path` that raised one of UNREADABLE."""
    place, reason = place_and_reason(error)
    return RejectedRow(path + place, reason, excerpt(raw))


def place_and_reason(error: Exception) -> tuple[str, str]:
    """Return the path below the thing that was decoded, and the reason; msgspec names types, never values."""
    if isinstance(error, NotUnderstood):
        place, reason = error.args
        return place, reason
    if isinstance(error, UnicodeDecodeError):
        return "", "Text is not valid UTF-8"
    if isinstance(error, RecursionError):
        return "", "Nested too deeply"
    reason, _, place = str(error).partition(" - at `$")
    return place.rstrip("`"), reason
