"""When there is little to show or something is wrong, a page says why and what to do."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from certdash.models import App, Change
from tests.test_pages import text_of
from tests.world import NOW, make_certificate, make_group, make_learner, make_run, make_story

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
    for name in [*dict.fromkeys(name for name, _ in active)][:5]:
        url = f"/certificates/?{urlencode([pair for pair in active if pair[0] != name])}"
        assert viewer.get(url).context["rows"] == offered.pop(url, 0), name
    assert offered == {}
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


# -- No app -----------------------------------------------------------------------------------------------------


def test_the_first_run_leads_to_the_first_app(client, cast):
    App.objects.all().delete()
    client.force_login(cast.superuser)
    page = client.get("/")
    assert "Welcome to certdash No app is connected yet." in text_of(page)
    assert '<a class="btn btn-primary" href="/apps/add/">Connect the first app</a>' in page.content.decode()


def test_who_has_no_app_is_told_whom_to_ask(client, cast):
    App.objects.all().delete()
    client.force_login(cast.viewer)
    page = client.get("/")
    assert "No app is shared with you yet. Ask the owner of an app to give you access." in text_of(page)
    assert "/apps/add/" not in page.content.decode()
