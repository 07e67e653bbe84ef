"""Permalinks: which addresses of the vendor's become links."""

import re

import pytest

from tests.world import make_certificate, make_story

pytestmark = pytest.mark.django_db

UNSAFE = [
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:alert(1)", "java\nscript:alert(1)",
    "data:text/html,<script>alert(1)</script>", "vbscript:x", "file:///etc/passwd", "ftp://vendor.example/x",
    "/certificates/1", "//vendor.example/1", "vendor.example/1", "https:vendor.example", "https:///x", "https://",
    "https://user:secret@vendor.example/1", "https://vendor.example@evil.example/", "https://a\\@evil.example/",
    "https://vendor.example:0/", "https://vendor.example:99999/", "https://vendor.example/a b", "https://[::1",
    "https://vendor.example/\u202e", "https://vendor.example/\x07", "<certificate URL>", "mailto:a@b.example",
]  # fmt: skip
SAFE = [
    "https://vendor.example/c/1", "http://vendor.example/c?a=1&b=2#x", "https://vendor.example:8443/", "HTTPS://A.EXAMPLE/",
    "https://vendor.example/@ana", "https://vendor.example/S%C3%A3o", "https://münchen.example/ü", "http://127.0.0.1:1/",
]  # fmt: skip


def link_of(client, url):
    html = client.get("/certificates/").content.decode()
    cell = re.search(r'<td class="open">(.*?)</td>', html, re.DOTALL)[1]
    link = re.search(r'<a\b[^>]*href="([^"]*)"[^>]*>', cell)
    return link, cell


@pytest.mark.parametrize("url", UNSAFE)
def test_an_unsafe_permalink_is_text_and_never_a_link(url, client, cast):
    make_certificate(make_story(cast.demo), url=url)
    client.force_login(cast.viewer)
    link, cell = link_of(client, url)
    assert link is None
    assert "<bdi>" in cell


@pytest.mark.parametrize("url", SAFE)
def test_a_web_address_opens_in_a_window_of_its_own_that_learns_nothing(url, client, cast):
    make_certificate(make_story(cast.demo), url=url)
    client.force_login(cast.viewer)
    link, _ = link_of(client, url)
    assert link[1].replace("&amp;", "&") == url
    assert 'rel="noopener noreferrer"' in link[0]


def test_without_a_permalink_there_is_nothing_to_open(client, cast):
    make_certificate(make_story(cast.demo), url="")
    client.force_login(cast.viewer)
    assert link_of(client, "")[1].strip() == ""
