"""The filters' values and choices as the server gives them: found by name, bounded, and counted like the rows."""

from urllib.parse import urlencode

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests import world
from tests.every_page import EVERY_FILTER, MOST_QUERIES
from tests.test_facets import COMBINED, filtered, page_of, reader  # noqa: F401
from tests.world import make_certificate, make_group, make_learner, make_story

pytestmark = pytest.mark.django_db
CITIES = ["São Tomé", "Łódź", "Ågerup", "Saint-Denis"]


@pytest.fixture
def viewer(client, cast):
    """Somebody who sees one app with 73 cities and 90 stories and groups."""
    stories = [make_story(cast.demo, f"Story {number}", f"ID-{number}") for number in range(90)]
    world.make_many(cast.demo, 280, stories)
    for number, city in enumerate(CITIES):
        make_certificate(stories[0], make_learner(cast.demo, "Ana", "", f"{number}@example.com"), city=city)
    for number in range(60):
        make_group(cast.demo, f"Équipe {number}")
    client.force_login(cast.viewer)
    return client


def found(client, name, words, query=""):
    address = "&".join(filter(None, [query, urlencode({f"_find_{name}": words})]))
    return next(facet for facet in page_of(client, address).context["facets"] if facet.name == name)


@pytest.mark.parametrize(
    ("name", "words", "labels"),
    [
        ("city", "sao", ["São Tomé"]),
        ("city", "  TOMÉ  s ", ["São Tomé"]),
        ("city", "lodz", ["Łódź"]),
        ("city", "ågerup", ["Ågerup"]),
        ("city", "city 7 city", ["City 17", "City 27", "City 37", "City 47", "City 57", "City 67", "City 7"]),
        ("story", "story 89", ["Story 89"]),
        ("group", "equipe 59", ["Équipe 59"]),
        ("group", "no tracked", ["in no tracked group"]),
        ("city", "nowhere", []),
    ],
)
def test_a_value_is_found_by_its_name_wherever_it_stands(name, words, labels, viewer):
    facet = found(viewer, name, words)
    assert sorted(value.label for value in facet.values) == labels
    assert (facet.more, facet.found, facet.left_out) == ([], len(labels), 0)


def test_finds_are_bounded_and_the_page_tells_how_many_there_are(viewer):
    facet = found(viewer, "city", "city")
    assert (len(facet.values), facet.found, facet.left_out) == (50, 70, 20)
    assert "70 of 74 found, 50 are shown" in viewer.get("/certificates/?_find_city=city").content.decode()


def test_what_is_in_use_stays_among_what_is_found(viewer):
    facet = found(viewer, "city", "lodz", "city=City+3")
    assert [(value.label, value.checked) for value in facet.values] == [("City 3", True), ("Łódź", False)]


def test_a_find_says_when_there_is_nothing_and_is_marked_up_as_text(viewer):
    html = viewer.get("/certificates/?" + urlencode({"_find_city": "<b>x"})).content.decode()
    assert "None of 74 is called “&lt;b&gt;x”." in html


def test_a_find_is_no_filter(viewer):
    plain = page_of(viewer, "state=pending&sort=person&per_page=25")
    page = page_of(viewer, "state=pending&sort=person&per_page=25&_find_city=lodz&_find_story=")
    for name in ("rows", "chips", "downloads", "way_back", "save_url", "filters_url", "whole_url", "ignored"):
        assert page.context[name] == plain.context[name], name
    links = page.content.decode().split('href="')[1:]
    assert [link for link in links if "_find" in link.partition('"')[0]] == []
    whole = viewer.get("/certificates/?state=pending&_export=csv")
    part = viewer.get("/certificates/?state=pending&_export=csv&_find_city=lodz")
    assert b"".join(part) == b"".join(whole)


def test_only_what_has_values_can_be_looked_through(viewer):
    assert viewer.get("/certificates/?_find_q=x").context["ignored"] == ["_find_q=x"]


@pytest.mark.parametrize("words", ["x" * 5000, "\0", "\ud83d", "%", "' OR 1=1 --"])
def test_odd_words_find_nothing_and_break_nothing(words, viewer):
    query = urlencode({"_find_city": words.encode("utf-8", "surrogatepass")})
    assert viewer.get(f"/certificates/?{query}").status_code == 200


def queries(client, query):
    cache.clear()
    with CaptureQueriesContext(connection) as asked:
        assert client.get(f"/certificates/?{query}").status_code == 200
    return len(asked)


def test_looking_for_a_value_costs_no_query_and_the_counts_alone_are_within_the_bound(viewer):
    viewer.get("/certificates/")  # stamps the session
    assert queries(viewer, "_find_city=lodz&_find_story=story") == queries(viewer, "")
    assert queries(viewer, f"{EVERY_FILTER}&_part=filters") <= queries(viewer, "_part=filters") <= MOST_QUERIES
    viewer.get("/certificates/?_part=filters")
    with CaptureQueriesContext(connection) as again:
        viewer.get("/certificates/?_part=filters&_find_city=lodz")
    assert not [one for one in again if 'FROM "certdash_certificate"' in one["sql"]]  # all counts are remembered


@pytest.mark.parametrize("query", COMBINED)
def test_every_choice_counts_the_rows_that_it_leads_to(query, reader):  # noqa: F811
    kept = page_of(reader, query).context["filters"].active
    context = reader.get(f"/certificates/?{urlencode([*kept, ('_part', 'filters')])}").context
    for name, choices in (("awarded", "periods"), ("pending_days", "waiting"), ("withdrawn", "withdrawn")):
        counted = [choice for choice in context[choices] if choice.count is not None]
        assert len(counted) >= {"withdrawn": 1}.get(name, 3)
        for choice in counted:
            there = filtered([*(pair for pair in kept if pair[0] != name), (name, choice.value)])
            assert there.qs.count() == choice.count, (name, choice)


def test_kinds_of_change_can_be_ticked(reader):  # noqa: F811
    page = page_of(reader, "change=new&change=withdrawn")
    assert [kind.value for kind in page.context["kinds"] if kind.checked] == ["new", "withdrawn"]
    assert page.context["kept"] == []


def test_a_state_keeps_its_place_whatever_is_chosen_and_counted(reader):  # noqa: F811
    reader.cookies["scripts"] = "1"
    orders = [
        [value.label for value in next(one for one in page.context["facets"] if one.name == "state").values]
        for page in map(reader.get, [
            "/certificates/", "/certificates/?state=delivered", "/certificates/?_part=filters",
            "/certificates/?_part=filters&state=expired&country=Nowhere",
        ])
    ]  # fmt: skip
    assert orders == [["Pending", "Delivered", "Expired", "expired"]] * 4
