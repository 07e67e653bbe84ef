"""IDs, moments and texts that are hard to show."""

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest
from django.urls import resolve, reverse
from django.utils import timezone

from tests import world
from tests.every_page import addresses
from tests.world import NOW, make_certificate, make_group, make_run, make_story

pytestmark = pytest.mark.django_db


# -- IDs and moments that are hard to show ----------------------------------------------------------------------


@pytest.mark.parametrize("vendor_id", ["AB\nCD", "a/../b", "..", "100%2F", "a?b#c", "\u2028", "~"])
def test_a_story_of_any_id_is_listed_and_opens(vendor_id, client, cast):
    story = world.make_story(cast.demo, "Fire safety", vendor_id=vendor_id)
    world.make_certificate(story)
    client.force_login(cast.viewer)
    page = client.get("/certificates/").content.decode()
    address = re.search(r'href="(/stories/demo/[^"]*)"', page)[1]
    assert client.get(address).context["story"] == story
    assert address in client.get("/stories/").content.decode()


@pytest.mark.parametrize("vendor_id", ["100%2F", "a?b#c", "a/b"])
def test_all_that_a_storys_page_offers_of_itself_is_of_this_story(vendor_id, client, cast):
    story = world.make_story(cast.demo, "Fire safety", vendor_id=vendor_id)
    world.make_certificate(story)
    client.force_login(cast.manager)
    page = client.get(reverse("story", args=["demo", story.key]) + "?state=delivered").content.decode()
    offered = {urlsplit(one).path for one in re.findall(r'(?:href|action|hx-get)="(/stories/demo/[^"]*)"', page)}
    assert {client.get(path).context["story"] for path in offered if not path.endswith("/refresh/")} == {story}
    assert {resolve(unquote(path)).kwargs["key"] for path in offered} == {story.key}


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Pacific/Kiritimati"])
def test_the_outermost_moments_that_are_stored_can_be_shown_everywhere(zone, client, cast):
    for moment in (datetime(1, 12, 31, tzinfo=UTC), datetime(9999, 1, 1, 11, tzinfo=UTC)):
        world.make_certificate(world.make_story(cast.demo, f"Story of {moment.year}"), at=moment)
    client.force_login(cast.viewer)
    with timezone.override(zone):
        assert {client.get(path).status_code for path in ("/", "/certificates/", "/stories/", "/people/")} == {200}


def test_the_head_counts_out_of_what_the_list_could_show(client, cast):
    story = world.make_story(cast.demo)
    for gone in (None, None, NOW):
        world.make_certificate(story, withdrawn_at=gone)
    client.force_login(cast.viewer)
    heads = [re.search(r'id="count"[^>]*>([^<]*)<', client.get(f"/certificates/?{query}").content.decode())[1].strip()
             for query in ("", "withdrawn=all", "withdrawn=only")]  # fmt: skip
    assert heads == ["2 of 2", "3", "1"]


# -- Odd text ---------------------------------------------------------------------------------------------------

ODD = {
    "script": "<script>alert(1)</script>",
    "attribute": "\" onmouseover='alert(1)' x=\"",
    "template": "{{ 7|add:7 }}{% now %}",
    "formula": "=1+1",
    "lines": "one\r\ntwo\u2028three",
    "right to left": "\u202eevil\u202c שלום",
    "long": "x" * 5000,
    "empty": "",
    "emoji": "𠮷👩🏽‍🚒",
    "percent": "%s %(x)s 100%",
}


def attributes_of(html):
    """The names of all attributes of a page."""
    names = set()
    parser = HTMLParser()
    parser.handle_starttag = lambda _tag, attributes: names.update(name for name, _ in attributes)
    parser.feed(html)
    return names


@pytest.mark.parametrize("kind", ODD)
def test_odd_names_are_shown_escaped_and_isolated(kind, client, cast):
    odd = ODD[kind]
    story = make_story(cast.demo, odd, "ID")
    one = make_certificate(story, firstname=odd, lastname="", email=odd, country=odd, city=odd, telephone=odd, url=odd)
    make_group(cast.demo, odd[:200] or "-", one.learner)
    make_run(cast.demo, "failed", message=odd, vendor_message=odd)
    client.force_login(cast.owner)
    for name, address in addresses().items():
        html = client.get(address).content.decode()
        assert "<script>alert" not in html, name
        assert "onmouseover" not in attributes_of(html), name


def test_an_odd_name_stands_in_a_box_of_its_own_direction(client, cast):
    make_certificate(make_story(cast.demo, ODD["right to left"]), firstname=ODD["right to left"], lastname="")
    client.force_login(cast.viewer)
    assert client.get("/certificates/").content.decode().count(f"<bdi>{ODD['right to left']}</bdi>") >= 3


def test_a_long_name_is_cut_on_the_screen_with_the_whole_in_a_title(client, cast):
    make_certificate(make_story(cast.demo), firstname="x" * 5000, lastname="")
    client.force_login(cast.viewer)
    html = client.get("/certificates/").content.decode()
    assert f'title="{"x" * 5000}"' in html
    assert f"<bdi>{'x' * 199}…</bdi>" in html


def test_a_nameless_person_and_story_can_still_be_followed(client, cast):
    make_certificate(make_story(cast.demo, "", ""), firstname="", lastname="", email="", telephone="1")
    client.force_login(cast.viewer)
    html = client.get("/certificates/").content.decode()
    for path in (r"/people/\d+/", r"/stories/demo/[^\"]+/"):
        address = re.search(rf'href="({path})"[^>]*><bdi>\(no name\)', html)[1]
        assert client.get(address).status_code == 200
