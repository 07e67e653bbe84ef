"""Stories, groups and people with their numbers: every column orders them, both ways, on pages and in files."""

import csv
import io
import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from certdash.models import Group
from certdash.tables import PersonTable
from tests import world
from tests.world import NOW, make_certificate, make_group, make_learner, make_run, make_story

pytestmark = pytest.mark.django_db
LISTS = {"/stories/": "story", "/groups/": "group", "/people/": "person"}  # and the column of the file with the name
# Of A, B, C and D: delivered, pending, others, and the age of the newest in days. None of E's is live any more.
NUMBERS = {"A": (1, 1, 0, 4), "B": (3, 1, 0, 2), "C": (1, 0, 0, 3), "D": (0, 0, 2, 1), "E": (0, 0, 0, 0)}
ORDERS = {
    "name": "ABCDE", "-name": "EDCBA", "delivered": "DEACB", "-delivered": "BACDE", "pending": "CDEAB",
    "-pending": "ABCDE", "total": "ECADB", "-total": "BADCE", "share": "ABCDE", "-share": "CBADE", "newest": "ACBDE",
    "-newest": "DBCAE",
}  # fmt: skip


@pytest.fixture
def reader(client, cast):
    client.force_login(cast.viewer)
    return client


@pytest.fixture
def five(reader, cast):
    """Five stories, groups and people, each with the certificates of its name."""
    for name, (delivered, pending, others, days) in NUMBERS.items():
        story, learner = make_story(cast.demo, name, name), make_learner(cast.demo, name, "", f"{name}@example.com")
        make_group(cast.demo, name, learner)
        states = ["delivered"] * delivered + ["pending"] * pending + ["expired"] * others
        for number, state in enumerate(states):
            make_certificate(story, learner, state, at=NOW - timedelta(days=days, hours=number))
        make_certificate(story, learner, at=NOW, withdrawn_at=NOW)
    return reader


def page_of(client, path, query):
    page = client.get(f"{path}?{query}")
    assert (page.status_code, page.context["ignored"]) == (200, [])
    return page


def names(page):
    return "".join(row.record.name[0] for row in page.context["table"].page.object_list)


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("sort", ORDERS)
def test_every_column_orders_the_rows_and_what_has_nothing_to_compare_comes_last(path, sort, five):
    page = page_of(five, path, f"sort={sort}")
    assert names(page) == ORDERS[sort]
    way = "descending" if sort.startswith("-") else "ascending"
    head = re.search(rf'<th[^>]*aria-sort="{way}".*?</th>', page.content.decode(), re.DOTALL)[0]
    assert f"sort={sort.removeprefix('-') if way == 'descending' else f'-{sort}'}" in head
    pages = [page_of(five, path, f"sort={sort}&per_page=2&page={number}") for number in (1, 2, 3)]
    assert "".join(map(names, pages)) == ORDERS[sort]
    file = b"".join(five.get(f"{path}?sort={sort}&_export=csv")).decode("utf-8-sig")
    assert "".join(row[LISTS[path]][0] for row in csv.DictReader(io.StringIO(file))) == ORDERS[sort]


def test_groups_are_ordered_by_their_people(five):
    make_group_of = Group.objects.get(name="C").memberships.create
    make_group_of(learner=make_learner(Group.objects.get(name="C").app), since=NOW)
    assert names(page_of(five, "/groups/", "sort=-members")) == "CABDE"


@pytest.mark.parametrize("path", LISTS)
def test_no_column_is_without_its_order(path, five):
    table = page_of(five, path, "").context["table"]
    assert [column.name for column in table.columns if not column.orderable] == []


def test_more_people_than_can_be_ordered_in_time_stay_in_their_usual_order_and_the_page_says_so(five, monkeypatch):
    monkeypatch.setattr(PersonTable, "most_ordered", 4)
    for sort in ("delivered", "-pending", "-total", "share", "-newest"):
        page = page_of(five, "/people/", f"sort={sort}")
        assert (names(page), "4 rows at most can be sorted by" in page.content.decode()) == ("ABCDE", True)
        assert re.findall(r'<a id="sort-\w+"\s+href="\?sort=(-?\w+)', page.content.decode()) == ["-name"]
        file = b"".join(five.get(f"/people/?sort={sort}&_export=csv")).decode("utf-8-sig")
        assert "".join(row["person"] for row in csv.DictReader(io.StringIO(file))) == ORDERS[sort]
    assert names(page_of(five, "/people/", "sort=-total&q=b@example.com")) == "B"
    assert "rows at most" not in page_of(five, "/people/", "sort=-name").content.decode()


def counted(queries):
    return [query["sql"] for query in queries if "COUNT" in query["sql"] and '"certdash_certificate"' in query["sql"]]


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("sort", ["name", "-delivered", "share", "-newest"])
def test_an_order_asks_as_much_of_few_rows_as_of_many(path, sort, five, cast):
    make_run(cast.demo)
    five.get("/healthz")

    def asked():
        cache.clear()
        with CaptureQueriesContext(connection) as queries:
            page_of(five, path, f"sort={sort}&per_page=200")
        return len(queries)

    few = asked()
    stories = [make_story(cast.demo, f"Story {number}", f"ID{number}") for number in range(30)]
    world.make_many(cast.demo, 60, stories, [make_group(cast.demo, f"Group {number}") for number in range(9)])
    assert asked() == few <= 20


@pytest.mark.parametrize("path", ["/stories/", "/groups/"])
def test_what_was_counted_for_an_order_is_not_counted_again(path, five):
    with CaptureQueriesContext(connection) as first:
        page_of(five, path, "sort=-pending&per_page=2")
    with CaptureQueriesContext(connection) as second:
        page_of(five, path, "sort=share&per_page=2&page=2")
    assert (len(counted(first)), len(counted(second))) == (1, 0)
