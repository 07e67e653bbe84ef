"""The vendor (Falkor): one endpoint, asked safely and read exactly. Knows nothing of Django."""

from certdash.falkor.address import check_base_url
from certdash.falkor.client import FalkorClient
from certdash.falkor.errors import (
    AddressNotAllowed,
    AddressRefused,
    CutShort,
    EndpointNotEnabled,
    ErrorAnswer,
    FalkorError,
    Malformed,
    NotThisApi,
    Redirected,
    RefusedRequest,
    SpoolFailed,
    Throttled,
    TooLarge,
    TooSlow,
    Unreachable,
    Untrusted,
    VendorFailed,
    WrongToken,
)
from certdash.falkor.payload import Answer, StoryElement
from certdash.falkor.rows import RejectedRow, Row, StoryRows
from certdash.falkor.token import normalise_token

__all__ = [
    "AddressNotAllowed",
    "AddressRefused",
    "Answer",
    "CutShort",
    "EndpointNotEnabled",
    "ErrorAnswer",
    "FalkorClient",
    "FalkorError",
    "Malformed",
    "NotThisApi",
    "Redirected",
    "RefusedRequest",
    "RejectedRow",
    "Row",
    "SpoolFailed",
    "StoryElement",
    "StoryRows",
    "Throttled",
    "TooLarge",
    "TooSlow",
    "Unreachable",
    "Untrusted",
    "VendorFailed",
    "WrongToken",
    "check_base_url",
    "normalise_token",
]
