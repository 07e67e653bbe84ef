"""Which base URLs may be asked, and which network addresses may be connected to.

A base URL is entered by a person and names a server that this machine then calls from inside its own
network: without these rules it could be pointed at whatever lives there.
"""

import ipaddress
import re
import socket
from collections.abc import Iterable
from typing import Any
from urllib.parse import SplitResult, urlsplit

from certdash.falkor.errors import AddressRefused, Unreachable

ENDPOINT = "/v1/logs/story-certificates"

_HOST_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?")
_PATH = re.compile(r"(/([A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*)*")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_ISATAP = {0x5EFE, 0x02005EFE}  # before the IPv4 address in the second half of an IPv6 address (RFC 5214)
# Not for everybody either, which `ipaddress` does not know in every version: protocol assignments, the former
# relays of 6to4, documentation.
_SPECIAL = [ipaddress.ip_network(one) for one in ("192.0.0.0/24", "192.88.99.0/24", "3fff::/20")]
# Names that lead to the machine, the network or the cluster of whoever looks them up, or that nobody can have.
_INWARD = (
    *("localhost", "local", "localdomain", "internal", "intranet", "private", "lan", "home", "corp", "home.arpa"),
    *("svc", "cluster", "test", "invalid"),
)

_FAMILIES = (socket.AF_INET, socket.AF_INET6)

# A family and what a socket of that family connects to: the host's address, the port, and two more for IPv6.
Address = tuple[socket.AddressFamily, tuple[Any, ...]]


def check_base_url(url: str, *, allow_private: bool, resolve: bool = True) -> str:
    """Return the normalised base URL: lower-case ASCII host, no trailing slash, no `/v1`, no endpoint path.

    `allow_private` permits `http` and every address. `resolve=False` asks no name server, for a machine that
    reaches the internet only through a proxy; hosts that are written as a number are judged all the same.

    Raises AddressRefused with a sentence for the person who entered the URL.
    """
    parts = _split(url.strip())
    _check_parts(parts, allow_private)
    host = _ascii_host(parts)
    port = _port(parts)
    if not allow_private:
        _check_name(host)
        try:
            check_public(host, addresses(host, port or 443, by_name=resolve))
        except Unreachable:
            raise AddressRefused(f"The host {host} of the base URL could not be found") from None
    path = parts.path.rstrip("/").removesuffix(ENDPOINT).rstrip("/").removesuffix("/v1").rstrip("/")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}{'' if port is None else f':{port}'}{path}"


def addresses(host: str, port: int, *, by_name: bool = True) -> list[Address]:
    """Return every address of a host; of a name, none when names are not to be looked up.

    Raises Unreachable when the name leads nowhere.
    """
    wanted, flags = (host, 0) if by_name else (host.rstrip("."), socket.AI_NUMERICHOST)
    try:
        answers = socket.getaddrinfo(wanted, port, type=socket.SOCK_STREAM, flags=flags)
    except (socket.gaierror, UnicodeError):
        answers = []
    found: list[Address] = [(family, place) for family, _, _, _, place in answers if family in _FAMILIES]
    if by_name and not found:
        raise Unreachable(f"The name {host} could not be resolved to an address")
    return found


def check_public(host: str, found: Iterable[Address]) -> None:
    """Raise AddressRefused unless every address of the host is a public one."""
    for _, place in found:
        if not is_public(place[0]):
            raise AddressRefused(f"The host {host} leads to a private or local address")


def is_public(address: str) -> bool:
    """Whether a numeric address is reachable by everybody; an embedded IPv4 address is judged instead."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        embedded = ip.ipv4_mapped or ip.sixtofour
        if ip in _NAT64 or int(ip) >> 32 & 0xFFFFFFFF in _ISATAP:
            embedded = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if embedded is not None:
            return is_public(str(embedded))
        if ip.is_site_local:
            return False
    if any(ip.version == special.version and ip in special for special in _SPECIAL):
        return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


def _check_name(host: str) -> None:
    """Refuse what is inward by its name alone: behind a proxy nobody here looks names up."""
    name = host.rstrip(".")
    alone = "." not in name and ":" not in name  # completed by whoever looks it up, with a domain of their own
    if alone or any(f".{name}".endswith(f".{inward}") for inward in _INWARD):
        raise AddressRefused(f"The host {host} leads to a private or local address")


def _split(url: str) -> SplitResult:
    if any(mark.isspace() or not mark.isprintable() or mark == "\\" for mark in url):
        raise AddressRefused("The base URL holds spaces, control characters or backslashes")
    try:
        return urlsplit(url)
    except ValueError:
        raise AddressRefused("The base URL is not a web address") from None


def _check_parts(parts: SplitResult, allow_private: bool) -> None:
    if parts.scheme not in (("https", "http") if allow_private else ("https",)):
        raise AddressRefused("The base URL does not begin with https://")
    if "@" in parts.netloc:
        raise AddressRefused("The base URL holds a user name or password, which belong into the token")
    if parts.query or parts.fragment:
        raise AddressRefused("The base URL holds a query or a fragment (? or #)")
    if not parts.hostname:
        raise AddressRefused("The base URL names no host")
    if not _PATH.fullmatch(parts.path):
        raise AddressRefused("The path of the base URL holds characters that do not belong there")


def _port(parts: SplitResult) -> int | None:
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise AddressRefused("The port of the base URL is not a number from 1 to 65535")
    return None if port == {"https": 443, "http": 80}[parts.scheme] else port


def _ascii_host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    if parts.netloc.startswith("["):
        try:
            address = ipaddress.IPv6Address(host)
        except ValueError:
            raise AddressRefused("The host of the base URL is not a valid address") from None
        if address.scope_id is not None:
            raise AddressRefused("The host of the base URL is an address of one network interface only")
        return str(address)
    try:
        name = host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        name = ""
    if not _HOST_NAME.fullmatch(name):
        raise AddressRefused("The host of the base URL is not a valid name")
    return name
