"""The score that MDN's HTTP Observatory would give, computed from answers of a served certdash.

From its public documentation, "Tests and scoring" (developer.mozilla.org/en-US/observatory/docs/tests_and_scoring):
100 to begin with, less what is missing; what goes beyond is added only when 90 are left. Where the documentation
knows finer grades of a bad answer, the worst of them is taken. A site is scored by the answer of its front page, to
which redirections lead.
"""

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

import requests

SIX_MONTHS = 15_768_000
_BROAD = {"*", "http:", "https:", "data:", "'unsafe-inline'", "'unsafe-eval'"}
_PRIVATE = {"no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin"}


def score(answer: requests.Response, redirection: requests.Response, cookies: Sequence[str]) -> dict[str, int]:
    """The modifier of each test. `redirection`: the answer to plain http. `cookies`: all Set-Cookie headers."""
    policy = _policy(answer.headers.get("Content-Security-Policy", ""))
    return {
        "content-security-policy": _csp(policy),
        "cookies": _cookies(cookies),
        "cross-origin-resource-sharing": -50 if "Access-Control-Allow-Origin" in answer.headers else 0,
        "redirection": _redirection(redirection),
        "referrer-policy": 5 if answer.headers.get("Referrer-Policy", "") in _PRIVATE else -5,
        "strict-transport-security": _hsts(answer.headers.get("Strict-Transport-Security", "")),
        "subresource-integrity": _scripts(answer),
        "x-content-type-options": 0 if answer.headers.get("X-Content-Type-Options") == "nosniff" else -5,
        "x-frame-options": _framing(answer, policy),
        "cross-origin-resource-policy": _resources(answer.headers.get("Cross-Origin-Resource-Policy", "")),
    }


def total(modifiers: dict[str, int]) -> int:
    """The score: bonuses count only on top of 90."""
    without = 100 + sum(one for one in modifiers.values() if one < 0)
    return max(0, without + (sum(one for one in modifiers.values() if one > 0) if without >= 90 else 0))


def _policy(header: str) -> dict[str, set[str]]:
    parts = [part.split() for part in header.split(";") if part.strip()]
    return {name.lower(): set(sources) for name, *sources in reversed(parts)}


def _csp(policy: dict[str, set[str]]) -> int:
    if not policy:
        return -25
    default = policy.get("default-src", {"*"})
    for name in ("script-src", "object-src", "style-src", "img-src", "connect-src"):
        sources = policy.get(name, default)
        if sources & _BROAD or any(source.startswith("http:") for source in sources):
            return -20
    return 10 if default == {"'none'"} else 5


def _cookies(cookies: Sequence[str]) -> int:
    for cookie in cookies:
        flags = {flag.strip().lower() for flag in cookie.split(";")[1:]}
        name = cookie.partition("=")[0].lower()
        if "secure" not in flags:
            return -40
        if re.search("sess|login|auth", name) and "httponly" not in flags:
            return -30
        if not flags & {"samesite=lax", "samesite=strict"}:
            return -20
    return 5 if cookies else 0


def _redirection(answer: requests.Response) -> int:
    target = urlsplit(answer.headers.get("Location", ""))
    if not answer.is_redirect or target.scheme != "https":
        return -20
    return 0 if target.hostname == (answer.request.headers.get("Host") or "").partition(":")[0] else -5


def _hsts(header: str) -> int:
    found = re.search(r"max-age=(\d+)", header)
    if not found:
        return -20
    return 0 if int(found[1]) >= SIX_MONTHS else -10


def _scripts(answer: requests.Response) -> int:
    if answer.status_code != 200:
        return -5
    sources = re.findall(r"<script[^>]*\ssrc=\"([^\"]*)\"", answer.text)
    return -50 if any(urlsplit(source).netloc for source in sources) else 0


def _framing(answer: requests.Response, policy: dict[str, set[str]]) -> int:
    ancestors = policy.get("frame-ancestors")
    if ancestors is not None and not ancestors & _BROAD:
        return 5
    return 0 if answer.headers.get("X-Frame-Options", "").upper() in {"DENY", "SAMEORIGIN"} else -20


def _resources(header: str) -> int:
    return {"": 0, "same-origin": 10, "same-site": 10}.get(header, -5)
