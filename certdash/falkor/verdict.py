"""What a failed try means: from a status, from an exception of requests, to one error of our tree."""

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from ssl import SSLCertVerificationError
from urllib.parse import urlsplit

import requests

from certdash.falkor import errors
from certdash.falkor.body import Meter, pieces
from certdash.falkor.payload import vendor_message
from certdash.falkor.transport import READ_SECONDS, Deadline

_MESSAGE_BYTES = 64 * 1024
_ABOUT_ADDRESSES = re.compile(r"\bIPs?\b|\bIPv[46]\b|(?<!e-mail )(?<!email )\baddress", re.IGNORECASE)


def status_error(response: requests.Response, deadline: Deadline, meter: Meter) -> errors.FalkorError:
    """Return what a status other than 2xx means, with the vendor's own message."""
    status = response.status_code
    if status // 100 == 3:
        return errors.Redirected(f"The vendor redirected the call ({status}) to {_target(response)}")
    message = vendor_message(_beginning(response, deadline, meter))
    kind, what = _meaning(status, message)
    return kind(what, vendor_message=message, retry_after=_retry_after(response.headers.get("Retry-After", "")))


def _meaning(status: int, message: str) -> tuple[type[errors.FalkorError], str]:
    if status == 401:
        return errors.WrongToken, "The vendor did not accept the token (401)"
    if status == 403 and _ABOUT_ADDRESSES.search(message):
        return errors.AddressNotAllowed, "The vendor does not allow calls from this machine's address (403)"
    if status == 403:
        return errors.EndpointNotEnabled, "The vendor does not let this account use the endpoint (403)"
    if status == 404:
        return errors.NotThisApi, "The server knows no such endpoint (404)"
    if status == 429:
        return errors.Throttled, "The vendor asks for fewer requests (429)"
    if status == 408 or status >= 500:
        return errors.VendorFailed, f"The vendor's server failed ({status})"
    if status >= 400:
        return errors.RefusedRequest, f"The vendor refused the request ({status})"
    return errors.NotThisApi, f"The server answered with an unexpected status ({status})"


def network_error(error: Exception, host: str) -> errors.FalkorError:
    """Return what an exception of requests or urllib3 means, raised before the body began."""
    causes = list(_causes(error))
    if any(isinstance(cause, SSLCertVerificationError) for cause in causes):
        return errors.Untrusted(f"The TLS certificate of {host} is not valid for it")
    if isinstance(error, requests.exceptions.SSLError):
        return errors.Unreachable(f"No secure connection (TLS) to {host} could be made")
    if isinstance(error, requests.Timeout):
        return errors.TooSlow(f"{host} did not begin to answer within {READ_SECONDS:g} seconds")
    if isinstance(error, requests.exceptions.ProxyError):
        return errors.Unreachable(f"The proxy made no connection to {host}")
    not_http = any(isinstance(c, HTTPException) and not isinstance(c, ConnectionError) for c in causes)
    if isinstance(error, requests.ConnectionError) and not not_http:
        return errors.Unreachable(f"{host} closed the connection without an answer")
    return errors.NotThisApi(f"{host} answered with something that is not HTTP")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _beginning(response: requests.Response, deadline: Deadline, meter: Meter) -> bytes:
    """Return the first 64 kB of an error's body; that it breaks off says less than its status."""
    body = bytearray()
    with suppress(errors.FalkorError), pieces(response, deadline, meter) as found:
        for piece in found:
            body += piece
            if len(body) > _MESSAGE_BYTES:
                break
    return bytes(body[:_MESSAGE_BYTES])


def _target(response: requests.Response) -> str:
    """Return the host of a redirect: its path and query may carry anything."""
    try:
        host = urlsplit(response.headers.get("Location", "")).hostname
    except ValueError:
        host = None
    return host[:255] if host else "another page of the same host"


def _retry_after(header: str) -> float | None:
    """Return the seconds that a Retry-After header asks to wait: a number, or an HTTP date. None: no sense."""
    text = header.strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]+)?", text):
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    moment = moment.replace(tzinfo=moment.tzinfo or UTC)  # "-0000" comes back without a zone
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
