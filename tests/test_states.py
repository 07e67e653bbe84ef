"""When there is little to show or something is wrong, a page says why and what to do."""

import re
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from certdash.models import App, Change
from tests.reading import text_of
from tests.world import NOW, make_app, make_certificate, make_group, make_learner, make_run, make_story

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewer(client, cast):
    client.force_login(cast.viewer)
    return client


# -- No row for these filters -----------------------------------------------------------------------------------


@pytest.fixture
def some(cast):
    """Two pending of Peru, one delivered of Brazil, two withdrawn of Chile, one of them in a run."""
    story, other = make_story(cast.demo), make_story(cast.demo, "Fire drill", "B")
    for _ in range(2):
        make_certificate(story, state="pending", country="Peru", at=NOW - timedelta(days=40))
    make_certificate(story, country="Brazil")
    gone = make_certificate(other, country="Chile", withdrawn_at=NOW)
    make_certificate(other, country="Chile", withdrawn_at=NOW)
    run = make_run(cast.demo)
    Change.objects.create(app=cast.demo, run=run, story=other, certificate=gone, kind="withdrawn", seen_at=NOW)
    make_group(cast.demo, "Managers", make_learner(cast.demo))
    return run


EMPTY = [
    "state=pending&country=Brazil", "country=Brazil&country=Bolivia&state=pending&q=ana", "withdrawn=only&country=Peru",
    "change=withdrawn&country=Brazil", "run={run}&change=delivered&country=Chile", "pending_days=30&awarded=7d",
    "story=B&group=managers", "group=~none&state=delivered&story=B", "type=story&q=nobody&state=pending",
    "changed_from=2020-01-01T00:00Z&change=link&country=Chile&state=pending&city=&q=ana&withdrawn=all",
]  # fmt: skip


@pytest.mark.parametrize("query", EMPTY)
def test_a_way_out_of_an_empty_list_leads_to_as_many_rows_as_it_says(query, viewer, some):
    page = viewer.get(f"/certificates/?{query.format(run=some.pk)}")
    assert (page.context["rows"], page.context["ignored"]) == (0, [])
    ways = page.context["table"].suggestions
    active = page.context["filters"].active
    names = {*(name for name, _ in active)}
    offered = {way.url: way.rows for way in ways}
    assert len(ways) <= 5
    found = {}
    for name in names:
        url = f"/certificates/?{urlencode([pair for pair in active if pair[0] != name])}"
        if rows := viewer.get(url).context["rows"]:
            found[url] = rows
    assert offered.items() <= found.items()
    assert sorted(offered.values()) == sorted(found.values())[-5:]
    assert len(names) > 1


def test_the_ways_out_are_told_most_rows_first(viewer, some):
    page = viewer.get("/certificates/?country=Brazil&country=Bolivia&state=pending&q=ana")
    assert [(way.label, way.rows) for way in page.context["table"].suggestions] == [
        ("Brazil or Bolivia", 2), ("Pending", 1),
    ]  # fmt: skip
    assert "Without Brazil or Bolivia 2 rows" in text_of(page)


@pytest.mark.parametrize("query", ["country=Nowhere", "state=pending&country=Peru", ""])
def test_with_one_filter_or_with_rows_nothing_is_suggested(query, viewer, some):
    assert list(viewer.get(f"/certificates/?{query}").context["table"].suggestions) == []


def test_of_many_filters_the_narrowest_are_counted(viewer, some):
    """Eight others leave these rows: the word that does not is found, wherever it stands in the address."""
    others = "app=demo&state=pending&type=story&country=Peru&awarded=year&awarded_from=2020-01-01&awarded_to=2040-01-01"
    page = viewer.get(f"/certificates/?{others}&pending_days=1&pending_under=900&withdrawn=all&q=nobody")
    assert [(way.label, way.rows) for way in page.context["table"].suggestions] == [("“nobody”", 2)]


def test_an_empty_matrix_suggests_what_it_would_count(viewer, some, cast):
    make_certificate(make_story(cast.demo, "Odd", "O"), state="lost", country="Brazil")
    page = viewer.get("/matrix/?state=pending&country=Brazil")
    assert "Without Brazil 2 rows" in text_of(page)
    assert "Without Pending 1 row" in text_of(page)
    ways = page.context["suggestions"]
    assert [viewer.get(way.url).context["counted"] for way in ways] == [way.rows for way in ways] == [2, 1]


def test_a_smaller_list_suggests_too(viewer, some):
    page = viewer.get("/people/?q=nobody&app=demo")
    assert [(way.label, way.rows) for way in page.context["table"].suggestions] == [("“nobody”", 1)]


def test_an_empty_list_asks_no_more_than_twenty_queries(viewer, some):
    viewer.get("/healthz")
    for query in EMPTY:
        cache.clear()
        with CaptureQueriesContext(connection) as counted:
            viewer.get(f"/certificates/?{query.format(run=some.pk)}")
        assert len(counted) <= 20, query


# -- No new data ------------------------------------------------------------------------------------------------

NO_ANSWER = (
    "The vendor's server failed (503); stored data is unchanged; try again later, and tell the vendor when it lasts."
)
FAILED = ("failed", {"message": NO_ANSWER, "vendor_message": "Closed <b>until</b> six"})
OLD = NOW - timedelta(days=2)
LISTS = ["/", "/certificates/", "/stories/", "/groups/", "/people/", "/matrix/", "/delivery/", "/apps/demo/"]


def cards_of(page):
    # Without those that only scripts show.
    html = re.sub(r"<template.*?</template>", "", page.content.decode(), flags=re.DOTALL)
    return [" ".join(re.sub(r"<[^>]*>", " ", card).split()) for card in re.findall(CARD, html, re.DOTALL)]


CARD = r'<div class="message tone-(?:danger|warning)".*?</div>\s*(?=<div class="message|<p class="small|</div>)'


def stale(cast, *runs, app=None):
    for status, fields in runs:
        last = make_run(app or cast.demo, status, **fields)
    return last


@pytest.mark.parametrize("address", LISTS)
def test_after_two_tries_that_failed_a_card_says_what_happened_what_it_means_and_what_to_do(address, client, cast):
    make_certificate(make_story(cast.demo))
    run = stale(cast, ("success", {"finished_at": OLD}), FAILED, FAILED)
    client.force_login(cast.owner)
    page = client.get(address)
    (card,) = cards_of(page)
    assert card.startswith(
        "Demo Academy could not be synchronised The vendor&#x27;s server failed (503). "
        "“ Closed &lt;b&gt;until&lt;/b&gt; six ” "
        f"You see the last good data, of {OLD:%-d %b %Y, %H:%M} UTC: "
        "what happened at the vendor since then is missing. "
        "Try again later, and tell the vendor when it lasts. certdash goes on trying by itself."
    )
    assert f'href="/apps/demo/runs/{run.pk}/"' in page.content.decode()


def test_who_does_not_own_the_app_is_told_who_can_do_something(viewer, cast):
    stale(cast, ("success", {"finished_at": OLD}), FAILED, FAILED)
    (card,) = cards_of(viewer.get("/certificates/"))
    assert "An owner of the app can look into it; certdash goes on trying by itself." in card
    assert "Try again later" not in card


KINDS = {
    "held": ([("success", {}), ("held", {"missing": 30})], "Much was missing when", "still counts, until an owner"),
    "slow": ([("success", {"finished_at": OLD}), ("running", {})], "for longer than usual", "The run tells how far"),
    "late": ([("success", {"finished_at": OLD})], "has not been synchronised when it should", "The worker may not be"),
    "never": ([FAILED, FAILED], "could not be synchronised", "There is no data of this app yet."),
    "in parts": (
        [("success", {}), ("interrupted", {"applying_since": OLD, "message": "It ended."}), FAILED],
        "could not be synchronised", "stories are of different moments",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_every_reason_for_old_data_has_its_card(kind, viewer, cast):
    runs, what, meaning = KINDS[kind]
    stale(cast, *runs)
    (card,) = cards_of(viewer.get("/"))
    assert what in card
    assert meaning in card


@pytest.mark.parametrize("runs", [[("success", {})], [FAILED, ("success", {})], [("success", {}), FAILED], []])
def test_fresh_data_needs_no_card(runs, viewer, cast):
    if runs:
        stale(cast, *runs)
    assert cards_of(viewer.get("/")) == cards_of(viewer.get("/certificates/")) == []


def test_a_list_tells_only_of_its_own_app_and_lists_of_ours_tell_of_none(client, cast):
    make_run(cast.demo)
    stale(cast, FAILED, FAILED, app=cast.other)
    learner = make_learner(cast.demo)
    client.force_login(cast.superuser)
    assert len(cards_of(client.get("/people/"))) == 1
    for address in (f"/people/{learner.pk}/", "/views/", "/accounts/people/"):
        assert cards_of(client.get(address)) == [], address


def test_a_page_has_room_for_three_cards_and_leads_to_the_others(client, cast):
    apps = [make_app(f"app-{number}") for number in range(4)]
    for app in (cast.demo, *apps):
        stale(cast, FAILED, FAILED, app=app)
    client.force_login(cast.superuser)
    page = client.get("/")
    assert len(cards_of(page)) == 3
    assert "2 more apps have no new data" in text_of(page)


def test_cards_ask_no_more_for_five_apps_than_for_one(client, cast):
    client.force_login(cast.superuser)
    asked = []
    for app in (cast.demo, *[make_app(f"app-{number}") for number in range(4)]):
        stale(cast, FAILED, FAILED, app=app)
        client.get("/healthz")
        cache.clear()
        with CaptureQueriesContext(connection) as queries:
            client.get("/certificates/")
        asked.append(len(queries))
    assert len({*asked}) == 1
    assert asked[0] <= 20


def test_a_failed_run_tells_the_three_parts_and_leads_an_owner_to_the_connection(client, cast):
    run = stale(cast, ("success", {"finished_at": OLD}), FAILED)
    client.force_login(cast.owner)
    (card,) = cards_of(page := client.get(f"/apps/demo/runs/{run.pk}/"))
    assert card.startswith("The vendor&#x27;s server failed (503). “ Closed")
    assert f"You see the last good data, of {OLD:%-d %b %Y, %H:%M} UTC" in card
    assert "Try again later, and tell the vendor when it lasts." in card
    assert '<a class="btn btn-small" href="/apps/demo/connection/">' in page.content.decode()
    client.force_login(cast.viewer)
    assert "/apps/demo/connection/" not in client.get(f"/apps/demo/runs/{run.pk}/").content.decode()


def test_a_failed_run_of_the_past_says_that_it_means_nothing_any_more(viewer, cast):
    run = stale(cast, ("failed", {"message": NO_ANSWER, "finished_at": OLD}))
    make_run(cast.demo)
    (card,) = cards_of(viewer.get(f"/apps/demo/runs/{run.pk}/"))
    assert "a later sync has gone through" in card
    assert (
        'tone-danger"' not in re.search(CARD, viewer.get(f"/apps/demo/runs/{run.pk}/").content.decode(), re.DOTALL)[0]
    )


# -- No app -----------------------------------------------------------------------------------------------------


def test_the_first_run_leads_to_the_first_app(client, cast):
    App.objects.all().delete()
    client.force_login(cast.superuser)
    page = client.get("/")
    assert "Welcome to certdash No app is connected yet." in text_of(page)
    assert '<a class="btn btn-primary" href="/apps/add/">Connect the first app</a>' in page.content.decode()


BEFORE_ANY_APP = ["/certificates/", "/stories/", "/groups/", "/people/", "/matrix/", "/delivery/", "/apps/"]


@pytest.mark.parametrize("address", BEFORE_ANY_APP)
def test_without_an_app_every_list_leads_a_superuser_to_the_first_and_tells_others_whom_to_ask(address, client, cast):
    App.objects.all().delete()
    client.force_login(cast.superuser)
    page = client.get(address)
    assert "No app is connected yet. Add app" in text_of(page)
    assert '<a class="btn" href="/apps/add/">Add app</a>' in page.content.decode()
    client.force_login(cast.viewer)
    page = client.get(address)
    assert "No app is shared with you yet. Ask the owner of an app to give you access." in text_of(page)
    assert "/apps/add/" not in page.content.decode()


@pytest.mark.parametrize("address", ["/groups/", "/matrix/"])
def test_without_a_group_an_owner_is_led_to_listing_some(address, client, cast):
    make_certificate(make_story(cast.demo))
    client.force_login(cast.owner)
    page = client.get(address)
    assert "you list those to compare" in text_of(page)
    assert re.search(r'href="/apps/demo/groups/">\s*List groups', page.content.decode())
    client.force_login(cast.viewer)
    page = client.get(address)
    assert "No group is tracked yet: an owner of an app lists them." in text_of(page)
    assert "/apps/demo/groups/" not in page.content.decode()
    make_group(cast.demo, "Managers", make_learner(cast.demo))
    assert "No group is tracked yet" not in text_of(client.get(address))


def test_a_filtered_list_of_groups_speaks_of_its_filter(client, cast):
    client.force_login(cast.owner)
    assert "No tracked group fits these filters." in text_of(client.get("/groups/?q=x"))


def test_who_has_no_app_is_told_whom_to_ask(client, cast):
    App.objects.all().delete()
    client.force_login(cast.viewer)
    page = client.get("/")
    assert "No app is shared with you yet. Ask the owner of an app to give you access." in text_of(page)
    assert "/apps/add/" not in page.content.decode()
