"""The delivery clock: times as certdash observed them, and pending certificates that take longer than usual."""

import csv
import io
import random
import re
from datetime import timedelta
from statistics import median

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from certdash.models import Certificate
from certdash.stats import delivery
from tests import world
from tests.world import NOW, make_certificate, make_learner, make_story

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def deliver(story, *days, **fields):
    """Delivered certificates that were observed to take so many days; None: not observed."""
    return [make_certificate(story, delivered_after=None if took is None else took * DAY, **fields) for took in days]


def wait(story, *days):
    for many in days:
        make_certificate(story, state="pending", at=timezone.now() - many * DAY)


def clock_of(client, query="", path="/delivery/"):
    page = client.get(f"{path}?{query}")
    assert (page.status_code, page.context["ignored"]) == (200, [])
    return [row.record for row in page.context["table"].page.object_list]


def names(client, query=""):
    return [row.story.name for row in clock_of(client, query)]


@pytest.mark.parametrize("number", [1, 2, 3, 4, 7, 8, 50, 51])
def test_median_and_slowest_are_those_of_what_was_observed(number, cast):
    took = [timedelta(seconds=random.Random(number + place).randrange(9_000_000)) for place in range(number)]
    stories = [make_story(cast.demo), make_story(cast.demo, "Another", "B")]
    made = {story.pk: [make_certificate(story, delivered_after=each) for each in took] for story in stories}
    found = delivery.observed([cast.demo], Certificate.objects.of([cast.demo]))
    for story, certificates in made.items():
        slowest = max(certificates, key=lambda one: (one.delivered_after, one.pk))
        assert found[story] == (number, median(took), max(took), slowest.pk)


def test_equal_times_count_each(cast):
    deliver(make_story(cast.demo), 2, 2, 2, 9)
    found = delivery.observed([cast.demo], Certificate.objects.of([cast.demo]))
    assert [(one.many, one.median, one.slowest) for one in found.values()] == [(4, 2 * DAY, 9 * DAY)]


def test_only_what_is_live_delivered_and_observed_counts(client, cast):
    story = make_story(cast.demo)
    deliver(story, 3, None)
    deliver(story, 40, withdrawn_at=NOW)
    deliver(story, 50, out_of_scope_at=NOW)
    make_certificate(story, state="pending", delivered_after=60 * DAY)
    make_certificate(make_story(cast.demo, "Nothing observed, nothing pending", "C"))
    client.force_login(cast.viewer)
    (row,) = clock_of(client)
    assert (row.observed, row.median, row.slowest) == (1, "3 days", "3 days")


@pytest.mark.parametrize(
    ("observed", "waiting", "days", "stuck"),
    [
        ((), (13.9, 14.1, 30), 14, 2),
        ((1, 1, 1, 1), (13.9, 14.1), 14, 1),
        ((3,) * 5, (5.9, 6.1, 7), 6, 2),
        ((0.1,) * 5, (0.9, 1.1), 1, 1),
        ((2, 2, 2, 3, 3, 3), (4.9, 5.1), 5, 1),
        ((1, 2, 2.1, 9, 9), (4.9, 5.1), 5, 1),
        ((30,) * 6, (59.9,), 60, 0),
    ],
)
def test_stuck_is_what_is_pending_for_twice_the_median_of_five_or_more_rounded_up_to_days(
    observed, waiting, days, stuck, client, cast
):
    story = make_story(cast.demo)
    deliver(story, *observed)
    wait(story, *waiting)
    client.force_login(cast.viewer)
    (row,) = clock_of(client)
    assert (row.clock.stuck_after, row.clock.waiting) == (days, (len(waiting), stuck))


def test_every_link_leads_to_exactly_the_certificates_that_are_told(client, cast):
    for app in (cast.demo, cast.other):  # a key that both have
        story = make_story(app)
        deliver(story, 1, 2, 2, 3, 9)
        wait(story, 1, 5, 20)
        wait(make_story(app, "Unobserved", "B"), 3, 15)
    client.force_login(cast.superuser)
    rows = clock_of(client)
    assert len(rows) == 4
    for row in rows:
        told = {row.pending_url: row.clock.waiting.pending, row.stuck_url: row.clock.waiting.stuck}
        for url, number in told.items():
            page = client.get(url)
            assert (page.context["rows"], page.context["ignored"]) == (number, [])
            assert number
        if row.observed:
            (there,) = client.get(row.slowest_url).context["table"].page.object_list
            assert there.record.certificate.delivered_after == 9 * DAY
            assert there.record.certificate.app == row.story.app


@pytest.fixture
def three(client, cast):
    """Stories A, B and C: observed in 9 and 1 days, in 2 (five times), and never; so many pending."""
    stories = [make_story(cast.demo, name, name) for name in "ABC"]
    deliver(stories[0], 9, 1)
    deliver(stories[1], *[2] * 5)
    wait(stories[0], 4, 6)
    wait(stories[1], 3, 5, 1)
    wait(stories[2], 1)
    client.force_login(cast.viewer)
    return client


ORDERS = {
    "": "ABC", "sort=median": "BAC", "sort=-median": "ABC", "sort=-slowest": "ABC", "sort=slowest": "BAC",
    "sort=name": "ABC", "sort=-name": "CBA", "sort=observed": "CAB", "sort=-pending": "BAC", "sort=-stuck": "BAC",
}  # fmt: skip


@pytest.mark.parametrize("query", ORDERS)
def test_every_column_orders_the_stories_and_what_was_never_observed_comes_last(query, three):
    assert "".join(names(three, query)) == ORDERS[query]
    file = b"".join(three.get(f"/delivery/?{query}&_export=csv")).decode("utf-8-sig")
    assert "".join(row["story"] for row in csv.DictReader(io.StringIO(file))) == ORDERS[query]


def test_pages_and_words_narrow_the_list(three):
    assert names(three, "sort=name&per_page=2&page=2") == ["C"]
    assert names(three, "q=b") == ["B"]
    assert three.get("/delivery/?sort=share").context["ignored"] == ["sort=share"]


def test_the_file_has_the_times_in_days(three):
    file = b"".join(three.get("/delivery/?_export=csv")).decode("utf-8-sig").splitlines()
    assert file == [
        "app,story_id,story,observed,median_days,slowest_days,pending,stuck_after_days,stuck",
        "demo,A,A,2,5.00,9.00,2,14,0",
        "demo,B,B,5,2.00,2.00,3,4,1",
        "demo,C,C,0,,,1,14,0",
    ]


def test_the_page_says_that_its_times_are_as_observed(three):
    text = re.sub(r"\s+", " ", three.get("/delivery/").content.decode())
    assert (
        "as observed by certdash: from the first sync that saw a certificate pending to the first that saw it" in text
    )


def test_before_anything_is_pending_or_observed_it_says_so(client, cast):
    deliver(make_story(cast.demo), None)
    client.force_login(cast.viewer)
    assert "no delivery was observed yet" in client.get("/delivery/").content.decode()


def test_no_story_of_a_foreign_app_is_among_them(client, cast):
    deliver(make_story(cast.other, "Retail till"), 3)
    client.force_login(cast.viewer)
    assert clock_of(client) == []
    assert client.get("/delivery/?app=retail").context["ignored"] == ["app=retail"]


def test_the_page_asks_as_much_of_one_story_as_of_many(client, cast):
    client.force_login(cast.viewer)
    client.get("/healthz")

    def asked():
        cache.clear()
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/delivery/").status_code == 200
        return len(queries)

    deliver(make_story(cast.demo), 3)
    few = asked()
    for number in range(30):
        deliver(make_story(cast.demo, f"Story {number}", f"{number}"), number)
        wait(make_story(cast.demo, f"Story {number}", f"{number}"), number)
    assert asked() == few <= 20


def test_a_storys_page_tells_what_was_observed_of_it(client, cast):
    story, silent = make_story(cast.demo), make_story(cast.demo, "Silent", "S")
    learner = make_learner(cast.demo, "Björn", "Ek", "b@example.com")
    deliver(story, 2, 4)
    (slow,) = deliver(story, 11, learner=learner)
    make_certificate(silent)
    client.force_login(cast.viewer)
    html = client.get(f"/stories/demo/{story.key}/").content.decode()
    text = re.sub(r"<[^>]+>|\s+", " ", html)
    assert re.search(r"Median time to delivery\s+4 days", text)
    assert re.search(r"Slowest\s+11 days", text)
    assert f'href="/certificates/?id={slow.pk}"' in html
    assert "of 3, as observed" in re.sub(r"\s+", " ", text)
    assert "Median time to delivery" not in client.get(f"/stories/demo/{silent.key}/").content.decode()


def test_the_lists_of_stories_leads_to_the_clock(client, cast):
    client.force_login(cast.viewer)
    assert 'href="/delivery/"' in client.get("/stories/").content.decode()
    assert world.FOREIGN not in client.get("/delivery/").content.decode()
