"""Going through the pages of a served certdash as somebody who follows every link."""

import re
from collections import Counter, deque
from collections.abc import Iterator
from html import unescape
from urllib.parse import urljoin, urlsplit

import requests

_LINK = re.compile(r'\b(?:href|action|hx-get|src)="([^"#]+)')
_LEFT_OUT = ("/static/", "/accounts/logout/")


def pages_of(
    session: requests.Session, base: str, *starts: str, of_a_kind: int
) -> Iterator[tuple[str, requests.Response]]:
    """Address and answer of the starts and of what they lead to; of a kind of page only so many, beside the starts."""
    waiting, known, kinds = deque(starts), set(starts), Counter[str]()
    while waiting:
        address = waiting.popleft()
        answer = session.get(f"{base}{address}", timeout=60)
        yield address, answer
        if "text/html" not in answer.headers.get("Content-Type", ""):
            continue
        for link in _LINK.findall(answer.text):
            target = urljoin(address, unescape(link))
            kind = _kind(target)
            if target in known or not target.startswith("/") or target.startswith(_LEFT_OUT):
                continue
            if kinds[kind] < of_a_kind:
                kinds[kind] += 1
                known.add(target)
                waiting.append(target)


def _kind(address: str) -> str:
    """Pages that differ in numbers, names and filters only are of one kind."""
    first, *rest = urlsplit(address).path.strip("/").split("/")
    return "/".join([first, *rest[:1], *("x" for _ in rest[1:])])
