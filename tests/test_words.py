"""Filters and orders in words: no page shows the raw names of an address."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from certdash import filters as sets
from certdash import words
from certdash.filters import ListFilter
from certdash.models import AuditKind, Change
from certdash.tables import CertificateTable, DeliveryTable, GroupTable, PersonTable, StoryTable
from certdash.views.matrix import _ORDERS
from tests.world import NOW, make_certificate, make_story, make_view

EVERY_SET = [it for name in sets.__all__ if isinstance(it := getattr(sets, name), type) and issubclass(it, ListFilter)]


@pytest.mark.parametrize("filters", EVERY_SET, ids=lambda one: one.__name__)
def test_every_filter_of_a_list_has_words(filters):
    assert set(filters.base_filters) - set(words._WORDS) == set()


def test_every_order_that_a_view_can_keep_has_words():
    tables = CertificateTable, DeliveryTable, GroupTable, PersonTable, StoryTable
    names = {name for table in tables for name, column in table.base_columns.items() if column.orderable is not False}
    assert {name.removeprefix("-") for name in names | set(_ORDERS)} - set(words._ORDERS) == set()


def test_a_kind_means_one_thing_whichever_list_it_is_of():
    assert set(Change.Kind.values) & set(AuditKind.values) == set()


@pytest.mark.parametrize(("name", "value", "told"), [
    ("pending_days", "14", "pending for 14 days or more"),
    ("changed_from", "2026-11-23", "changed since 23 Nov 2026, 00:00 UTC"),
    ("q", "Ana", "“Ana”"), ("whose", "mine", "my own views"), ("state", "PENDING", "Pending"),
    ("state", "lost", "lost"), ("country", "", "without a country"),
    ("sort", "-awarded", "by date of award, from the end"),
    ("sort", "person", "by person"), ("group", "~none", "in no tracked group"), ("status", "failed", "Failed"),
    ("kind", "renamed", "Story renamed"), ("kind", "login", "Logged in"),
])  # fmt: skip
def test_a_filter_is_told_in_words(name, value, told):
    assert words.word(name, value, {}) == told


@pytest.mark.parametrize("pair", [
    ("awarded", "yesterday"), ("awarded_from", "x"), ("pending_days", "NaN"), ("pending_days", "many"),
    ("pending_days", "Infinity"), ("changed_from", "now"), ("sort", "--x"), ("change", ""), ("colour", "red"),
])  # fmt: skip
def test_what_means_nothing_is_told_as_it_stands(pair):
    assert words.word(*pair, {}) == ": ".join(pair)


@pytest.mark.django_db
def test_a_saved_view_tells_its_filters_as_the_chips_do(client, cast):
    story = make_story(cast.demo)
    make_certificate(story, state="pending", at=NOW - timedelta(days=20))
    query = f"story={story.key}&state=pending&pending_days=14&city=&changed_from=2026-01-02"
    view = make_view(cast.viewer, "Late", query=f"{query}&sort=-awarded")
    client.force_login(cast.viewer)
    chips = {chip["label"] for chip in client.get(f"/certificates/?{query}").context["chips"]}
    for address in (f"/views/{view.slug}/edit/", f"/views/add/?path=/certificates/&query={query.replace('&', '%26')}"):
        assert {*client.get(address).context["keeps"].words} - {"by date of award, from the end"} == chips
    page = client.get("/views/").content.decode()
    assert "pending for 14 days or more; without a city; changed since 2 Jan 2026, 00:00 UTC; by date of award" in page


@pytest.mark.django_db
def test_the_list_of_views_asks_no_more_for_many_stories(client, cast):
    stories = [make_story(cast.demo, f"Story {number}", f"ID{number}") for number in range(4)]
    client.force_login(cast.viewer)
    asked = []
    for some in (stories[:1], stories):
        for story in some:
            make_view(cast.viewer, f"{story} of {len(some)}", query=f"story={story.key}")
        client.get("/healthz")
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/views/").content.decode().count(f"<bdi>{some[-1]}</bdi>") == 1
        asked.append(len(queries))
    assert asked[0] == asked[1]
