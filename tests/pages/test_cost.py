"""What a page costs: questions to the database, and bytes on the wire."""

import gzip
import random
import re
import string
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.staticfiles.finders import find
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from certdash.fields import LARGEST_PAGE
from certdash.models import App, Breadth, Certificate, Learner, State, SyncRun
from certdash.tables import CertificateTable
from tests import world
from tests.every_page import EVERY_FILTER, MOST_QUERIES, PAGES, addresses, fill
from tests.world import NOW, make_certificate, make_group, make_learner, make_story

pytestmark = pytest.mark.django_db


def queries_of(client):
    counted = {}
    client.get("/healthz")  # the stamp of the session is written once in a while
    for name, address in addresses().items():
        cache.clear()  # nothing that another page has counted
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        counted[name] = len(queries)
    return counted


def test_a_page_asks_as_much_of_1_row_as_of_500_and_never_much(client, cast):
    client.force_login(cast.owner)
    fill(cast.demo, 1)
    few = queries_of(client)
    fill_more(cast.demo)
    for number in range(30):
        world.make_user(f"colleague-{number}", cast.demo)
    many = queries_of(client)
    assert set(few) == set(PAGES)
    assert many == few
    assert max(many.values()) <= MOST_QUERIES, many


def fill_more(app):
    Learner.objects.filter(app=app).delete()
    fill(app, 500)


def test_a_page_asks_as_much_of_2_apps_as_of_5(client, cast):
    for slug in ("demo", world.FOREIGN):
        fill(App.objects.get(slug=slug), 3)
    client.force_login(cast.superuser)
    few = queries_of(client)
    for number in range(3):
        fill(world.make_app(f"app-{number}"), 3)
    many = queries_of(client)
    assert many == few
    assert max(many.values()) <= MOST_QUERIES, many


HARD_FILTERS = [
    "", "state=pending", "state=Weird", "state=Weird&country=Nowhere", "group=~none&q=person", "awarded=30d",
    "pending_under=30", "change=new&changed_from=2020-01-01T00:00Z&run={run}&withdrawn=all", EVERY_FILTER,
]  # fmt: skip


@pytest.mark.parametrize("breadth", Breadth.values)
def test_no_filter_makes_a_page_ask_more_than_it_may(client, cast, breadth):
    fill(cast.demo, 60)
    fill(App.objects.get(slug=world.FOREIGN), 3)
    App.objects.filter(pk=cast.demo.pk).update(breadth=breadth, listed_stories=["Fire safety", "Story 1"])
    Certificate.objects.filter(app=cast.demo, pk__in=Certificate.objects.values("pk")[:3]).update(
        state=State.OTHER, state_sent="Weird"
    )
    client.force_login(cast.owner)
    client.get("/healthz")
    run = SyncRun.objects.filter(app=cast.demo).first().pk
    asked, found = {}, addresses()
    for name in ("certificates", "story", "group", "person", "matrix"):
        for query in HARD_FILTERS:
            address = f"{found[name]}?{query.format(run=run)}"
            cache.clear()
            with CaptureQueriesContext(connection) as queries:
                client.get(address)
            asked[name, query] = len(queries)
    assert {one: many for one, many in asked.items() if many > MOST_QUERIES} == {}


def weight(client, address):
    """Bytes on the wire for whoever opens a page for the first time: what it is made of, and all that it loads."""
    page = client.get(address, headers={"Accept-Encoding": "gzip"})
    assert page["Content-Encoding"] == "gzip"
    html = gzip.decompress(page.content).decode()
    assets = {*re.findall(r'(?:href|src)="/static/([^"#]+)', html), "certdash/icons.svg"}
    return len(page.content) + sum(len(gzip.compress(Path(find(asset)).read_bytes())) for asset in assets)


def test_no_page_is_heavy(client, cast):
    fill(cast.demo, 500)
    client.force_login(cast.owner)
    weights = {name: weight(client, address) for name, address in addresses().items()}
    assert max(weights.values()) < 100_000, weights


def test_the_longest_page_with_all_columns_is_not_heavy_though_no_two_people_have_a_word_in_common(client, cast):
    drawn = random.Random(5)

    def word(letters):
        return "".join(drawn.choices(string.ascii_lowercase, k=letters)).capitalize()

    groups = [make_group(cast.demo, f"{word(9)} {word(6)}") for _ in range(20)]
    stories = [make_story(cast.demo, f"{word(9)} {word(8)} {word(6)}", word(12)) for _ in range(100)]
    for number in range(200):
        email = f"{word(7)}.{word(8)}@{word(8)}.example"
        learner = make_learner(cast.demo, word(7), word(8), email)
        make_certificate(
            stories[number % 100], learner, drawn.choice(["pending", "delivered"]), firstname=word(7), lastname=word(8),
            email=email, telephone=f"+{drawn.randrange(10**11)}", city=word(9), country=word(8),
            at=NOW - timedelta(seconds=drawn.randrange(10**8)), url=f"https://{word(8)}.example/c/{drawn.randbytes(16).hex()}",
        )  # fmt: skip
        drawn.choice(groups).memberships.create(learner=learner, since=NOW)
    cast.viewer.columns = {CertificateTable.remembered_as: [*CertificateTable.choosable]}
    cast.viewer.save()
    client.force_login(cast.viewer)
    assert 80_000 < weight(client, f"/certificates/?per_page={LARGEST_PAGE}") < 100_000
