"""One run's page: its counts and the rows behind them, what it says while it runs, and what went wrong."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from certdash.models import App, Certificate, Rejection, SyncRun, Worker
from certdash.sandbox import DEMO, World, running_sandbox
from certdash.tasks import huey
from tests import world
from tests.every_page import MOST_QUERIES
from tests.reading import text_of
from tests.sync.vendor import Vendor, people, story
from tests.test_runs import RUNS, file_of
from tests.world import NOW, make_run

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _empty_queue():
    huey.flush()


@pytest.fixture
def as_viewer(client, cast):
    client.force_login(cast.viewer)
    client.get("/healthz")  # the first request of a session stamps it
    return client


# -- Its counts are its rows ------------------------------------------------------------------------------------


@pytest.fixture
def vendor(cast, httpserver):
    """A real vendor of the app `demo`."""
    app = cast.demo
    app.base_url = httpserver.url_for("")
    app.save()
    return Vendor(httpserver, app)


@pytest.fixture
def busy(vendor):
    """A run that brought 3 new, 2 changed, 4 returned, and withdrew 5."""
    vendor.sync(story(*people(100)))
    vendor.sync(story(*people(96)))
    odense = people(2, city="Odense")
    return vendor.sync(story(*odense, *people(89, first=3), *people(4, first=97), *people(3, first=201)))


def links_of(client, run):
    """The count behind each link of the run's page, and how many rows the link leads to."""
    facts = client.get(f"{RUNS}{run.pk}/").context["facts"]
    return {one.label: (one.text, rows_at(client, one.url)) for one in facts if one.url.startswith("/")}


def rows_at(client, address):
    page = client.get(address)
    assert "means nothing here" not in text_of(page)
    assert len(file_of(client, address)) == page.context["rows"] + 1
    return page.context["rows"]


def test_every_count_leads_to_as_many_rows(busy, as_viewer):
    assert (busy.created, busy.changed, busy.returned, busy.withdrawn) == (3, 2, 4, 5)
    meant = {"New": ("3", 3), "Changed": ("2", 2), "Returned": ("4", 4), "Withdrawn": ("5", 5)}
    assert links_of(as_viewer, busy) == meant


def test_what_left_the_scope_leads_to_its_rows(vendor, as_viewer):
    vendor.sync(story(*people(3)), story(*people(2, first=11), name="Story B", vendor_id="ID-B"))
    App.objects.filter(pk=vendor.app.pk).update(breadth="stories", listed_stories=["ID-A"])
    vendor.app.refresh_from_db()
    run = vendor.sync(story(*people(3)))
    assert run.out_of_scope == 2
    assert links_of(as_viewer, run) == {"Out of scope": ("2", 2)}


def test_a_later_run_takes_no_row_away_from_an_earlier_one(busy, vendor, as_viewer):
    before = links_of(as_viewer, busy)
    vendor.sync(story(*people(100)))
    vendor.sync(story(*people(95)))
    assert links_of(as_viewer, busy) == before


def test_the_first_run_links_no_news_and_says_why(vendor, as_viewer):
    run = vendor.sync(story(*people(3)))
    page = as_viewer.get(f"{RUNS}{run.pk}/")
    assert links_of(as_viewer, run) == {}
    assert "how the app began: first sight is no change" in text_of(page)
    assert f"run={run.pk}" not in page.content.decode()


ASKED = (
    "/apps/demo/runs/{}/",
    "/apps/demo/runs/{}/changes/",
    "/certificates/?run={}",
    "/certificates/?run={}&change=new",
)


@pytest.mark.parametrize("address", ASKED)
def test_a_run_asks_as_much_with_few_changes_as_with_many(address, vendor, as_viewer):
    vendor.sync(story(*people(60)))
    few = vendor.sync(story(*people(1, city="Odense"), *people(58, first=2), *people(1, first=101)))
    many = vendor.sync(story(*people(50, city="Turku"), *people(30, first=201)))
    counted = []
    for run in (few, many):
        with CaptureQueriesContext(connection) as asked:
            assert as_viewer.get(address.format(run.pk)).status_code == 200
        counted.append(len(asked))
    assert counted[0] == counted[1] <= MOST_QUERIES


def test_the_page_shows_the_newest_ten_changes_and_leads_to_all(vendor, as_viewer):
    vendor.sync(story(*people(20)))
    run = vendor.sync(story(*people(14, city="Odense"), *people(6, first=15)))
    page = as_viewer.get(f"{RUNS}{run.pk}/")
    assert len(page.context["changes"]) == 10
    assert page.content.decode().count("<bdi>Details changed</bdi>") == 10
    assert re.search(rf'href="{RUNS}{run.pk}/changes/">\s*All 14 changes', page.content.decode())


def test_a_run_without_a_change_says_so(vendor, as_viewer):
    vendor.sync(story(*people(2)))
    run = vendor.again()
    assert "Nothing that was known before changed." in text_of(as_viewer.get(f"{RUNS}{run.pk}/"))


# -- While it runs ----------------------------------------------------------------------------------------------


def page_of(client, cast, status, **fields):
    return client.get(f"{RUNS}{make_run(cast.demo, status, **fields).pk}/")


@pytest.mark.parametrize(
    ("phase", "words"),
    [
        ("queued", "The run is waiting for the worker"),
        ("asking", "The run is asking the vendor"),
        ("downloading", "The run is downloading 2.0 KB"),
        ("comparing", "The run is comparing stories, 2,048 of 3,000"),
        ("groups", "The run is asking who is in the groups, 2,048 of 3,000"),
        ("withdrawing", "The run is looking at what is missing"),
    ],
)
def test_a_run_tells_what_it_does_and_how_far_it_is(phase, words, as_viewer, cast):
    total = 3000 if phase in ("comparing", "groups") else 0
    page = page_of(as_viewer, cast, "running", phase=phase, progress_done=2048, progress_total=total)
    assert words in text_of(page).replace("\xa0", " ").replace(" ,", ",")
    bars = re.findall(r"<progress\b[^>]*>", page.content.decode())
    assert [bool(re.search(r'max="3000"\s+value="2048"', bar)) for bar in bars] == (
        [] if phase == "queued" else [total > 0]
    )


def test_only_the_phase_is_announced_and_no_number(as_viewer, cast):
    html = page_of(as_viewer, cast, "running", phase="comparing", progress_done=1, progress_total=3).content.decode()
    announced = re.findall(r"data-announce>\s*(.*?)\s*</", html)
    assert announced == ["The run is comparing stories"]
    middle = html[html.index('<div id="run"') : html.index("</main>")]
    assert "aria-live" not in middle
    assert 'hx-trigger="every 1s"' in middle


@pytest.mark.parametrize(
    ("phase", "words"), [("comparing", "its process seems to have ended"), ("queued", "No worker took up this run")]
)
def test_a_run_past_its_lease_says_so_and_is_not_followed(phase, words, as_viewer, cast):
    page = page_of(as_viewer, cast, "running", phase=phase, lease_until=NOW - timedelta(minutes=1))
    assert words in text_of(page)
    assert "hx-trigger" not in page.content.decode()


@pytest.mark.parametrize(("minutes", "alive", "told"), [
    (0, False, "No worker has ever run."),
    (1, True, "the worker is busy with other apps"),
    (0, True, ""),
])  # fmt: skip
def test_a_run_that_waits_tells_of_a_worker_that_is_missing_or_busy(as_viewer, cast, minutes, alive, told):
    now = timezone.now()
    if alive:
        Worker.objects.create(name="w", started_at=now, seen_at=now)
    asked = {"phase": "queued", "requested_at": now - timedelta(minutes=minutes)}
    page = text_of(page_of(as_viewer, cast, "running", **asked))
    assert told in page
    assert ("worker is busy" in page or "worker has" in page) == bool(told)


def test_the_page_follows_a_run_to_its_result(client, cast):
    client.force_login(cast.manager)
    with running_sandbox(World(NOW.date(), 50, seed=1)) as url:
        App.objects.filter(pk=cast.demo.pk).update(
            base_url=url, token=world.Secret.seal(DEMO.token), app_id=DEMO.app_id
        )
        address = client.post("/apps/demo/sync/")["Location"]
        assert "hx-trigger" in client.get(address).content.decode()
        huey.dequeue().execute()
    page = client.get(address)
    assert "hx-trigger" not in page.content.decode()
    assert SyncRun.objects.get().status == "success"
    assert f"{Certificate.objects.count():,} new." in text_of(page)
    assert "Sync now" in text_of(page)


def test_the_end_brings_the_head_of_the_page_along_for_who_followed(client, cast):
    client.force_login(cast.manager)
    run = make_run(cast.demo)
    followed = client.get(f"{RUNS}{run.pk}/", headers={"HX-Request": "true"}).content.decode()
    assert len(re.findall(r'id="(run-actions|freshness)"[^>]*hx-swap-oob="true"', followed)) == 2
    assert "hx-swap-oob" not in client.get(f"{RUNS}{run.pk}/").content.decode()


# -- What went wrong --------------------------------------------------------------------------------------------


def test_a_failed_run_tells_the_vendors_words_escaped(as_viewer, cast):
    page = page_of(as_viewer, cast, "failed", message="It failed.", vendor_message="<b>Closed</b>")
    assert "It failed." in text_of(page)
    assert "&lt;b&gt;Closed&lt;/b&gt;" in page.content.decode()


@pytest.fixture
def partial(cast):
    """A run that set 1,234 rows aside, of which the first 200 are kept."""
    run = make_run(cast.demo, "partial", rejected=1234)
    Rejection.objects.bulk_create(
        Rejection(run=run, path=f"data[3].certificates[{number}]", reason="<no> date", excerpt='{"city": "x\u202ex"}')
        for number in range(Rejection.KEPT_PER_RUN)
    )
    return run


def test_rows_that_were_not_understood_are_listed_with_place_reason_and_excerpt(partial, as_viewer):
    page = as_viewer.get(f"{RUNS}{partial.pk}/")
    html, text = page.content.decode(), text_of(page)
    assert "the first 200 of 1,234" in text
    assert html.count("data[3].certificates[") == 200
    assert html.count("&lt;no&gt; date") == 200
    assert html.count('<pre class="excerpt"><bdi>{&quot;city&quot;: &quot;x\u202ex&quot;}</bdi></pre>') == 200
    assert "letters and digits are masked on purpose" in text
    assert 'href="#rejected"' in html
    assert 'id="rejected"' in html


def test_rows_are_not_sent_again_each_second_while_the_run_works(partial, as_viewer):
    SyncRun.objects.filter(pk=partial.pk).update(status="running", finished_at=None)
    assert "certificates[" not in as_viewer.get(f"{RUNS}{partial.pk}/").content.decode()


def test_when_all_of_them_are_shown_nobody_speaks_of_the_first(partial, as_viewer):
    SyncRun.objects.filter(pk=partial.pk).update(rejected=200)
    assert "the first 200" not in text_of(as_viewer.get(f"{RUNS}{partial.pk}/"))
