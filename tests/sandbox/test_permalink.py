"""The page behind a certificate's permalink."""

from datetime import timedelta
from html import escape

from certdash.sandbox import DEMO
from tests.sandbox.conftest import NOW


def delivered(vendor, now=NOW):
    """(story name, certificate item) of everything with a permalink."""
    rows = vendor.world.rows(DEMO.app_id, now, vendor.url)
    return [(s["name"], item) for s, items in rows for item in items if item["certificate"]["url"]]


def path(vendor, item):
    return item["certificate"]["url"].removeprefix(vendor.url)


def test_the_permalink_of_an_answer_opens_the_certificate(vendor):
    for story, item in delivered(vendor)[::100]:
        page = vendor.call("GET", path(vendor, item))
        assert page.status_code == 200
        assert page.headers["Content-Type"] == "text/html; charset=utf-8"
        assert escape(f"{item['firstname']} {item['lastname']}") in page.text
        assert escape(story) in page.text
        assert item["certificate"]["timestamp"][:10] in page.text


def test_text_of_authors_is_escaped(vendor):
    item = next(item for story, item in delivered(vendor) if "<EU>" in story)
    page = vendor.call("GET", path(vendor, item)).text
    assert "<EU>" not in page
    assert "&lt;EU&gt;" in page


def test_each_certificate_has_its_own_permalink(vendor):
    urls = [item["certificate"]["url"] for _, item in delivered(vendor)]
    assert len(urls) == len(set(urls))


def test_an_invented_or_altered_permalink_is_404(vendor):
    key = path(vendor, delivered(vendor)[0][1])
    altered = key[:-1] + ("0" if key[-1] != "0" else "1")
    invented = ("/certificates/", "/certificates/x", "/certificates/99-20260101-0000-0123456789")
    for missing in (altered, *invented):
        assert vendor.call("GET", missing).status_code == 404


def test_a_withdrawn_certificate_no_longer_opens(vendor):
    now = {item["certificate"]["url"] for _, item in delivered(vendor)}
    gone = now - {item["certificate"]["url"] for _, item in delivered(vendor, NOW + timedelta(21))}
    page = gone.pop().removeprefix(vendor.url)
    assert vendor.call("GET", page).status_code == 200
    vendor.set_clock((NOW + timedelta(21)).isoformat())
    assert vendor.call("GET", page).status_code == 404


def test_a_certificate_does_not_open_before_its_delivery(vendor):
    now = {item["certificate"]["url"] for _, item in delivered(vendor)}
    later = {item["certificate"]["url"] for _, item in delivered(vendor, NOW + timedelta(2))}
    to_come = [url.removeprefix(vendor.url) for url in later - now]
    assert to_come
    assert {vendor.call("GET", page).status_code for page in to_come} == {404}
