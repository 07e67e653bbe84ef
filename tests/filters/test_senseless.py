"""What makes no sense in an address is named and left out of a page, and a download refuses it."""

import pytest

from tests.filters.filtering import filtered, found
from tests.world import make_certificate, make_story

pytestmark = pytest.mark.django_db

LONG = "x" * 10_000
SENSELESS = {
    "stat=pending": ["stat=pending"],
    "APP=demo": ["APP=demo"],
    "app=nobody": ["app=nobody"],
    "app=demo&app=nobody": ["app=nobody"],
    "story=nothing": ["story=nothing"],
    "group=~": ["group=~"],
    "state=pendng": ["state=pendng"],
    "state=other": ["state=other"],
    "type=Assessment": ["type=Assessment"],
    "awarded_from=01/02/2026": ["awarded_from=01/02/2026"],
    "awarded_from=2026-02-30": ["awarded_from=2026-02-30"],
    "awarded_to=9999-12-31": ["awarded_to=9999-12-31"],
    "awarded_from=0001-01-01": ["awarded_from=0001-01-01"],
    "pending_days=-1": ["pending_days=-1"],
    "pending_days=1.5": ["pending_days=1.5"],
    "pending_days=NaN": ["pending_days=NaN"],
    "pending_days=1e400": ["pending_days=1e400"],
    f"pending_days={'9' * 5000}": [f"pending_days={'9' * 5000}"],
    "withdrawn=yes": ["withdrawn=yes"],
    "change=details": ["change=details"],
    "change=": ["change="],
    "changed_from=yesterday": ["changed_from=yesterday"],
    "changed_from=9999-12-31T23:59:59-23:00": ["changed_from=9999-12-31T23:59:59-23:00"],
    "id=0x1": ["id=0x1"],
    "id=-1": ["id=-1"],
    f"id={'9' * 30}": [f"id={'9' * 30}"],
    "id=%D9%A3": ["id=٣"],
    f"q={LONG}": [f"q={LONG}"],
    f"story={LONG}": [f"story={LONG}"],
    "q=a%00b": ["q=a\0b"],
    "country=%00": ["country=\0"],
    "country=a%00b&country=Brazil": ["country=a\0b"],
    "q=one&q=two": ["q=one", "q=two"],
    "withdrawn=all&withdrawn=only": ["withdrawn=all", "withdrawn=only"],
    "awarded_from=2026-01-01&awarded_from=2026-01-01": ["awarded_from=2026-01-01", "awarded_from=2026-01-01"],
    "a%00b=1": ["a\0b=1"],
    "&".join(f"country={number}" for number in range(51)): ["country=50"],
}


@pytest.mark.parametrize("query", SENSELESS, ids=lambda query: query[:40])
def test_what_makes_no_sense_is_named_and_left_out(query, demo):
    make_certificate(make_story(demo))
    filters = filtered(query)
    assert filters.ignored == SENSELESS[query]
    assert filters.qs.count() in (0, 1)  # and the rest of the address still counts


@pytest.mark.parametrize("query", ["country=%ff%fe", "city=%80", "country=nowhere", f"country={LONG}", "q=%ff"])
def test_a_text_that_nobody_has_finds_nothing(query, demo):
    make_certificate(make_story(demo))
    assert found(query) == []


def test_a_page_says_what_it_left_out_and_shows_the_rest(client, cast):
    make_certificate(make_story(cast.demo))
    client.force_login(cast.viewer)
    for query in SENSELESS.keys() - {"change="}:
        response = client.get(f"/certificates/?{query}")
        assert response.status_code == 200, query[:80]
        assert "means nothing here, or is not shared with you, and was left out" in response.content.decode()


@pytest.mark.parametrize(
    "query",
    ["sort=colour", "sort=-", "sort=person&sort=state", "page=0", "page=2", "page=x", "page=9999999999999999999",
     "page=%D9%A3", "per_page=0", "per_page=100000", "per_page=-5"],
)  # fmt: skip
def test_a_senseless_page_or_order_is_named_too(query, client, cast):
    make_certificate(make_story(cast.demo))
    client.force_login(cast.viewer)
    response = client.get(f"/certificates/?{query}")
    assert response.status_code == 200
    assert response.context["ignored"]
    assert response.context["table"].page.object_list


def test_a_page_is_silent_about_the_empty_fields_of_a_form_without_script(client, cast):
    make_certificate(make_story(cast.demo))
    client.force_login(cast.viewer)
    empty = "&".join(f"{name}=" for name in ("q", "app", "state", "awarded_from", "pending_days", "withdrawn"))
    response = client.get(f"/certificates/?{empty}")
    assert response.context["ignored"] == []
    assert response.context["rows"] == 1
    assert client.get(f"/certificates/?{empty}&_export=csv").status_code == 400


@pytest.mark.parametrize("query", SENSELESS, ids=lambda query: query[:40])
def test_a_download_refuses_it(query, client, cast):
    client.force_login(cast.viewer)
    response = client.get(f"/certificates/?{query}&_export=csv")
    assert response.status_code == 400
    assert response["Content-Type"].startswith("text/plain")
    assert response.content.decode().startswith("No file was made")


@pytest.mark.parametrize("query", ["sort=colour", "_export=xls", "_export=", "_export=csv&_export=jsonl", "x=1"])
def test_a_download_refuses_an_order_or_a_format_it_does_not_know(query, client, cast):
    client.force_login(cast.viewer)
    separate = "" if "_export" in query else "&_export=csv"
    assert client.get(f"/certificates/?{query}{separate}").status_code == 400


@pytest.mark.parametrize("path", ["stories", "groups", "people", "apps"])
def test_every_list_names_what_it_does_not_know_and_refuses_a_file_of_it(path, client, cast):
    client.force_login(cast.viewer)
    page = client.get(f"/{path}/?state=pending")
    assert page.status_code == 200
    assert page.context["ignored"] == ["state=pending"]
    assert client.get(f"/{path}/?state=pending&_export=csv").status_code == 400
