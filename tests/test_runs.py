"""Sync runs: their history and its file, and what is said to whoever joins one."""

import json
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from certdash.models import App, SyncRun
from certdash.sync.asking import Scope
from certdash.sync.run import open_run
from certdash.sync.telling import verdict
from certdash.tables.runs import duration
from certdash.tasks import huey
from tests.every_page import MOST_QUERIES
from tests.reading import text_of
from tests.world import NOW, make_certificate, make_run, make_story

pytestmark = pytest.mark.django_db
RUNS = "/apps/demo/runs/"


@pytest.fixture(autouse=True)
def _empty_queue():
    huey.flush()


@pytest.fixture
def as_viewer(client, cast):
    client.force_login(cast.viewer)
    client.get("/healthz")  # the first request of a session stamps it
    return client


def file_of(client, address, file_format="csv"):
    response = client.get(f"{address}{'&' if '?' in address else '?'}_export={file_format}")
    assert response.status_code == 200, response.content
    lines = b"".join(response.streaming_content).decode("utf-8-sig").splitlines()
    return [json.loads(line) for line in lines] if file_format == "jsonl" else lines


# -- The list ---------------------------------------------------------------------------------------------------


def test_runs_are_listed_newest_first(as_viewer, cast):
    for number in range(3):
        make_run(cast.demo, message=f"Run {number}.")
    shown = re.findall(r">\s*(Run \d)\.", as_viewer.get(RUNS).content.decode())
    assert shown == ["Run 2", "Run 1", "Run 0"]


def test_runs_are_sorted_by_how_long_they_took_and_by_what_they_did(as_viewer, cast):
    for message, seconds in (("Quick.", 1), ("Slow.", 600), ("Between.", 30)):
        make_run(cast.demo, message=message, started_at=NOW - timedelta(seconds=seconds), finished_at=NOW)
    make_run(cast.demo, "running", message="Running.")

    def shown(sort):
        return [run.message for run in records(as_viewer.get(f"{RUNS}?sort={sort}"))]

    assert shown("took") == ["Quick.", "Between.", "Slow.", "Running."]
    assert shown("-took") == ["Slow.", "Between.", "Quick.", "Running."]
    assert shown("message") == ["Between.", "Quick.", "Running.", "Slow."]


@pytest.fixture
def history(cast):
    """Five runs of the app `demo`, their status as message, and one of another app."""
    for status in ("success", "failed", "held", "success", "unchanged"):
        make_run(cast.demo, status, message=f"{status}.")
    make_run(cast.other, "partial")


def records(response):
    return [row.record for row in response.context["table"].page.object_list]


@pytest.mark.parametrize(
    ("query", "meant"),
    [
        ("", ["unchanged", "success", "held", "failed", "success"]),
        ("status=success", ["success", "success"]),
        ("status=held&status=failed", ["held", "failed"]),
        ("status=interrupted", []),
    ],
)
def test_runs_are_filtered_by_status_on_the_page_and_in_its_file(query, meant, as_viewer, history):
    page = as_viewer.get(f"{RUNS}?{query}")
    assert [run.status for run in records(page)] == meant
    assert [row["status"] for row in file_of(as_viewer, f"{RUNS}?{query}", "jsonl")] == meant


def test_each_status_is_a_link_with_its_count_that_adds_it_or_takes_it_away(as_viewer, history):
    offered = as_viewer.get(f"{RUNS}?status=held&sort=started").context["segments"]
    assert [(one.value, one.rows, one.active) for one in offered["values"]] == [
        ("success", 2, False), ("unchanged", 1, False), ("held", 1, True), ("failed", 1, False),
    ]  # fmt: skip
    links = {one.value: one.url for one in offered["values"]}
    assert links["failed"] == f"{RUNS}?status=held&status=failed&sort=started"
    assert links["held"] == f"{RUNS}?sort=started"
    assert (offered["all"].rows, offered["all"].url) == (5, f"{RUNS}?sort=started")


def test_the_status_in_use_is_marked_for_everybody(as_viewer, history):
    html = as_viewer.get(f"{RUNS}?status=held").content.decode()
    marked = re.findall(r'<a id="status-(\w+)"[^>]*aria-current="true"', html)
    assert marked == ["held"]


@pytest.mark.parametrize("query", ["status=good", "status=HELD", "status=", "app=demo", "q=x", "status=held&status=x"])
def test_what_means_nothing_is_named_on_the_page_and_refused_in_a_file(query, as_viewer, history):
    page = as_viewer.get(f"{RUNS}?{query}")
    assert page.status_code == 200
    assert ("means nothing here" in text_of(page)) == (query != "status=")
    assert as_viewer.get(f"{RUNS}?{query}&_export=csv").status_code == 400


def test_a_run_tells_who_asked_for_what_and_how_long_it_took(as_viewer, cast):
    make_story(cast.demo, "Fire safety", "EV72")
    make_run(cast.demo, requested_by=cast.manager, story="EV72", finished_at=NOW)
    make_run(cast.demo)
    scheduled, asked = map(vars, records(as_viewer.get(RUNS)))
    assert (asked["asked_by"], asked["took"]) == ("manager", "2 min 0 s")
    assert "Fire safety" in asked["asked_for"]
    assert (scheduled["asked_by"], scheduled["asked_for"]) == ("schedule or command", "everything")


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        ({}, "everything"),
        ({"story": "Anything"}, "the story “\u2068Anything\u2069”"),
        ({"users": ["ana@example.com"]}, "\u2068ana@example.com\u2069"),
        ({"users": ["Ana", "b", "c"]}, "\u2068Ana\u2069 and 2 more"),
        ({"story": "X", "users": ["Ana"]}, "the story “\u2068X\u2069” of \u2068Ana\u2069"),
    ],
)
def test_what_a_run_covers_is_told_in_words(scope, words, as_viewer, cast):
    run = make_run(cast.demo, **scope)
    assert records(as_viewer.get(RUNS))[0].asked_for == words
    assert words in as_viewer.get(f"{RUNS}{run.pk}/").content.decode()


def test_a_run_of_an_app_that_synchronises_a_part_does_not_claim_everything(as_viewer, cast):
    App.objects.filter(pk=cast.demo.pk).update(breadth="groups")
    make_run(cast.demo)
    assert records(as_viewer.get(RUNS))[0].asked_for == "everything in the app’s scope"


def test_an_id_that_two_stories_share_is_shown_as_it_was_asked_for(as_viewer, cast):
    for name in ("Story A", "Story B"):
        make_story(cast.demo, name, "SAME")
    make_run(cast.demo, story="SAME")
    assert "SAME" in records(as_viewer.get(RUNS))[0].asked_for


@pytest.mark.parametrize(("lease", "words"), [(-1, "No sign of life"), (1, "Running")])
@pytest.mark.parametrize("page", [RUNS, "/apps/demo/", RUNS + "{}/"])
def test_a_running_run_past_its_lease_is_not_shown_as_running(page, lease, words, as_viewer, cast):
    run = make_run(cast.demo, "running", lease_until=timezone.now() + timedelta(hours=lease))
    html = as_viewer.get(page.format(run.pk)).content.decode()
    badges = re.findall(r'<span class="badge tone-(\w+)".*?<bdi>([^<]*)</bdi>', html, re.S)
    assert badges == [("danger" if lease < 0 else "neutral", words)]
    assert run.badge.label == "Running"  # the status itself stays until somebody closes the run
    assert file_of(as_viewer, RUNS, "jsonl")[0]["status"] == ("lost" if lease < 0 else "running")


def test_a_run_without_a_sign_of_life_is_not_among_the_running_ones(as_viewer, cast):
    dead = make_run(cast.demo, "running", lease_until=timezone.now() - timedelta(hours=1))
    make_run(cast.demo, "success")
    for status, meant in (("running", []), ("lost", [dead])):
        assert records(as_viewer.get(f"{RUNS}?status={status}")) == meant
        assert [row["run"] for row in file_of(as_viewer, f"{RUNS}?status={status}", "jsonl")] == [it.pk for it in meant]
    offered = as_viewer.get(RUNS).context["segments"]["values"]
    assert [(one.value, one.rows, one.badge.label) for one in offered] == [
        ("lost", 1, "No sign of life"), ("success", 1, "Success"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("many", "more"), [(3, ""), (4, " And 1 more of this kind."), (1503, " And 1,500 more of this kind.")]
)
def test_of_much_trouble_a_run_tells_the_first_and_how_many_more(many, more):
    status, message = verdict(SyncRun(), [f"Group {number} is as before." for number in range(many)])
    first = " ".join(f"Group {number} is as before." for number in range(3))
    assert (status, message) == ("partial", f"Nothing changed. {first}{more}")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.04, "under 0.1 s"), (59.9, "59.9 s"), (60, "1 min 0 s"), (3599.6, "1 h 0 min"), (7384, "2 h 3 min")],
)
def test_a_duration_is_told_in_its_two_largest_units(seconds, words):
    assert duration(seconds) == words


def test_the_file_of_runs_says_who_asked_for_what_and_how_long_it_took(as_viewer, cast):
    make_run(
        cast.demo, requested_by=cast.owner, story="=Fire", users=["a@x", "b@x"], out_of_scope=7,
        started_at=NOW, finished_at=NOW + timedelta(seconds=1.5),
    )  # fmt: skip
    [row] = file_of(as_viewer, RUNS, "jsonl")
    wanted = {"requested_by": "owner", "story": "=Fire", "users": ["a@x", "b@x"], "seconds": 1.5, "out_of_scope": 7}
    assert {name: row[name] for name in wanted} == wanted
    _, line = file_of(as_viewer, RUNS)
    assert ",owner,'=Fire,a@x; b@x," in line


def test_a_run_that_did_not_end_has_no_seconds(as_viewer, cast):
    make_run(cast.demo, "running")
    assert file_of(as_viewer, RUNS, "jsonl")[0]["seconds"] == ""


def test_the_list_asks_as_much_of_few_runs_as_of_many(as_viewer, cast):
    def queries(address):
        with CaptureQueriesContext(connection) as asked:
            assert as_viewer.get(address).status_code == 200
        return len(asked)

    make_run(cast.demo, story="EV72", requested_by=cast.owner)
    few = queries(RUNS), queries(f"{RUNS}?status=success")
    for number in range(60):
        make_run(cast.demo, story=f"S{number}", requested_by=(cast.owner, cast.manager)[number % 2])
    assert (queries(RUNS), queries(f"{RUNS}?status=success")) == few
    assert max(few) <= MOST_QUERIES


# -- Joining ----------------------------------------------------------------------------------------------------


@pytest.fixture
def as_manager(client, cast):
    client.force_login(cast.manager)
    return client


def joined(client):
    """Where asking for a sync leads, and what is said there."""
    response = client.post("/apps/demo/sync/", follow=True)
    return response.redirect_chain[0][0], " ".join(str(message) for message in response.context["messages"])


def test_sync_now_waits_for_the_worker_and_says_nothing_of_joining(as_manager, cast):
    address, said = joined(as_manager)
    run = SyncRun.objects.get()
    assert (run.status, run.phase, run.requested_by) == ("running", "queued", cast.manager)
    assert (address, said, len(huey)) == (f"{RUNS}{run.pk}/", "", 1)


def test_who_joins_a_run_is_told_since_when_by_whom_and_what_it_covers(as_manager, cast):
    run, _ = open_run(cast.demo, Scope(), cast.owner)
    SyncRun.objects.filter(pk=run.pk).update(started_at=NOW)
    address, said = joined(as_manager)
    assert address == f"{RUNS}{run.pk}/"
    assert f"being synchronised already, since {timezone.localtime(NOW):%-d %b %Y, %H:%M:%S}" in said
    assert "asked for by \u2068owner\u2069." in said
    assert said.endswith("it covers everything.")
    assert len(huey) == 0


def test_a_scheduled_run_is_joined_as_nobodys(as_manager, cast):
    open_run(cast.demo, Scope())
    assert "by the schedule or a command" in joined(as_manager)[1]


def test_who_joins_a_narrow_run_is_told_that_it_is_not_all(as_manager, cast):
    open_run(cast.demo, Scope(story="Fire safety"), cast.owner)
    said = joined(as_manager)[1]
    assert "covers only the story “\u2068Fire safety\u2069”" in said
    assert "not all you asked for: ask again when it has ended" in said


COVERED = [
    (Scope(), Scope(), True),
    (Scope(), Scope(story="A"), True),
    (Scope(story="A"), Scope(), False),
    (Scope(story="A"), Scope(story="A"), True),
    (Scope(story="A"), Scope(story="A", users=("u",)), True),
    (Scope(story="A"), Scope(story="B"), False),
    (Scope(users=("u", "v")), Scope(users=("v",)), True),
    (Scope(users=("u",)), Scope(users=("u", "v")), False),
    (Scope(users=("u",)), Scope(story="A"), False),
    (Scope(story="A", users=("u",)), Scope(story="A"), False),
]


@pytest.mark.parametrize(("under_way", "asked", "covered"), COVERED)
def test_a_run_covers_what_it_asks_for_and_less(under_way, asked, covered, rf, cast):
    from certdash.views.runs import start

    open_run(cast.demo, under_way)
    request = rf.post("/")
    request.user, request._messages = cast.manager, _Said()
    start(request, cast.demo, asked)
    assert ("not all you asked for" in request._messages.text) is not covered


class _Said:
    """Keeps the message that a view leaves."""

    text = ""

    def add(self, _level, message, _tags):
        self.text = message


# -- The page of the app ----------------------------------------------------------------------------------------


def test_the_app_shows_its_last_runs_with_their_status_sentence_and_duration(as_viewer, cast):
    make_run(cast.demo, "failed", message="Oldest.")
    for number in range(4):
        make_run(cast.demo, message=f"{number} new.")
    make_run(cast.demo, "partial", message="Some.", started_at=NOW, finished_at=NOW + timedelta(seconds=83))
    text = text_of(as_viewer.get("/apps/demo/"))
    assert re.search(r"in 1 min 23 s Some\. Partial", text)
    assert [f"{number} new." in text for number in range(4)] == [True] * 4
    assert "Oldest." not in text


def test_a_narrow_run_among_the_last_ones_says_what_it_was_about(as_viewer, cast):
    make_certificate(make_story(cast.demo, "Fire safety", "EV72"))
    make_run(cast.demo, story="EV72", message="Nothing changed.")
    assert "The story “Fire safety”: Nothing changed." in text_of(as_viewer.get("/apps/demo/"))
