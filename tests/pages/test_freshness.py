"""How old the data is: what every page says of the last runs, and what its head says of each app."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from certdash.models import App
from certdash.stats import freshness
from tests import world
from tests.reading import text_of
from tests.world import NOW, make_certificate, make_run, make_story

pytestmark = pytest.mark.django_db

VENDOR = 'The vendor answered with 503: <b onclick="x">"maintenance" & more</b>'


def freshness_of(client, cast, *runs):
    for status, fields in runs:
        make_run(cast.demo, status, **fields)
    client.force_login(cast.viewer)
    pages = [client.get(address) for address in ("/", "/certificates/", "/apps/", "/apps/demo/")]
    heads = {re.search(r'class="fresh fresh-(\w+)"', page.content.decode())[1] for page in pages}
    assert len(heads) == 1  # all pages agree
    return heads.pop(), text_of(pages[0])


def test_a_fresh_app_says_when_it_was_checked(client, cast):
    tone, text = freshness_of(client, cast, ("success", {}))
    assert tone == "ok"
    assert re.search(r"checked \d+ minutes? ago", text)


def test_an_app_that_was_never_synchronised_says_so(client, cast):
    assert freshness_of(client, cast) == ("none", AnyText("not synchronised yet"))


class AnyText(str):
    """Equal to every text that holds this one."""

    def __eq__(self, other):
        return str(self) in other

    __hash__ = str.__hash__


def test_after_a_failed_run_the_last_good_data_stays_with_its_age_and_the_reason(client, cast):
    make_certificate(make_story(cast.demo))
    good = {"finished_at": NOW - timedelta(days=3)}
    tone, text = freshness_of(client, cast, ("success", good), ("failed", {"message": VENDOR}))
    assert tone == "stale"
    assert f"last good data from {NOW - timedelta(days=3):%-d %b %Y}" in text
    page = client.get("/").content.decode()
    assert "<b onclick" not in page
    assert "&lt;b onclick=&quot;x&quot;&gt;" in page
    assert "ana@example.com" in client.get("/certificates/").content.decode()


def test_a_run_that_failed_before_any_other_says_that_there_is_no_data(client, cast):
    assert freshness_of(client, cast, ("failed", {"message": "No."})) == ("stale", AnyText("no data yet: No."))


def test_while_a_run_writes_pages_say_since_when(client, cast):
    now = {"applying_since": NOW}
    tone, text = freshness_of(client, cast, ("success", {}), ("running", now))
    assert tone == "busy"
    assert re.search(rf"being updated since ([\w ]+, )?{NOW:%H:%M}", text)


def test_after_an_interrupted_run_pages_still_say_that_the_data_is_being_updated(client, cast):
    tone, text = freshness_of(client, cast, ("success", {}), ("interrupted", {"applying_since": NOW}))
    assert (tone, "being updated since" in text) == ("busy", True)


def test_a_held_run_asks_for_an_owner(client, cast):
    tone, text = freshness_of(client, cast, ("success", {}), ("held", {"missing": 30}))
    assert tone == "stale"
    assert "an owner has to look at it" in text


def test_a_narrow_run_says_nothing_of_the_rest(client, cast):
    App.objects.update(refresh_minutes=60)
    old = {"finished_at": timezone.now() - timedelta(minutes=30)}
    tone, text = freshness_of(client, cast, ("success", old), ("success", {"story": "Fire safety"}))
    assert (tone, "checked 3" in text) == ("ok", True)


def test_data_goes_stale_when_nobody_asks_for_it_any_more(client, cast):
    tone, text = freshness_of(client, cast, ("success", {"finished_at": NOW - timedelta(days=3)}))
    assert (tone, "the worker may not be running" in text) == ("stale", True)


def test_half_an_answer_stays_being_updated_until_a_run_goes_through(client, cast):
    began = {"applying_since": NOW - timedelta(minutes=9)}
    tone, text = freshness_of(client, cast, ("success", {}), ("interrupted", began), ("failed", {}))
    assert (tone, "being updated since" in text) == ("busy", True)
    tone, _ = freshness_of(client, cast, ("interrupted", began), ("failed", {}), ("success", began))
    assert tone == "ok"


def test_a_held_run_that_was_accepted_asks_for_nobody(client, cast):
    tone, text = freshness_of(client, cast, ("held", {"missing": 30, "accepted_at": NOW}))
    assert (tone, "owner" in text) == ("ok", False)


FAILED, INTERRUPTED = ("failed", {"message": "Too slow."}), ("interrupted", {"message": "Told to end."})


@pytest.mark.parametrize(("last", "word"), [(FAILED, "failed"), (INTERRUPTED, "was interrupted")])
def test_one_try_that_failed_is_told_and_no_alarm(last, word, client, cast):
    tone, text = freshness_of(client, cast, FAILED, ("success", {}), last)
    assert (tone, f"ago, the last try {word}" in text) == ("ok", True)


@pytest.mark.parametrize("running", [[], [("running", {})]], ids=["now", "while the next one asks"])
@pytest.mark.parametrize("last", [[FAILED, FAILED], [FAILED, INTERRUPTED], [INTERRUPTED, FAILED]])
def test_after_two_tries_that_failed_the_data_is_stale_and_the_reason_told(last, running, client, cast):
    tone, text = freshness_of(client, cast, ("success", {}), *last, *running)
    assert tone == "stale"
    assert re.search(rf"last good data from [^:]*\d\d:\d\d: {last[-1][1]['message']}", text)


def test_a_narrow_try_that_failed_is_none_of_them(client, cast):
    narrow = ("failed", {"message": "No.", "users": ["ana@example.com"]})
    tone, text = freshness_of(client, cast, ("success", {}), FAILED, narrow)
    assert (tone, "the last try failed" in text) == ("ok", True)


REASONS = {
    "nobody asks": ([], "the worker may not be running"),
    "the last try failed": ([FAILED], "Too slow."),
    "a slow one is under way": ([("running", {})], "a sync is under way since"),
    "a lost one": ([("running", {"lease_until": NOW - timedelta(minutes=1)})], "the worker may not be running"),
}


@pytest.mark.parametrize("why", REASONS)
def test_data_without_a_good_run_for_two_intervals_is_stale(why, client, cast):
    runs, reason = REASONS[why]
    old = {"finished_at": NOW - timedelta(minutes=31)}
    tone, text = freshness_of(client, cast, ("success", old), *runs)
    assert (tone, reason in text) == ("stale", True)


def test_what_was_held_stays_so_when_the_next_try_fails(client, cast):
    tone, text = freshness_of(client, cast, ("held", {"missing": 30}), FAILED)
    assert (tone, "an owner has to look at it" in text) == ("stale", True)


HALF = {"applying_since": NOW - timedelta(minutes=40)}


@pytest.mark.parametrize("cut_off", [("interrupted", HALF), ("running", HALF | {"lease_until": NOW})])
def test_half_an_answer_that_nobody_completes_goes_stale(cut_off, client, cast):
    tone, text = freshness_of(client, cast, ("success", {}), cut_off)
    assert (tone, "and not finished" in text) == ("stale", True)


def test_a_long_run_that_lives_is_no_alarm(client, cast):
    assert freshness_of(client, cast, ("success", {}), ("running", HALF))[0] == "busy"


SEVEN = NOW.replace(hour=7, minute=0) - timedelta(days=1)
NEWS = {
    "a full run": (("success", {"finished_at": SEVEN}),),
    "a narrow one since": (("success", {"finished_at": SEVEN.replace(hour=6)}),
                           ("success", {"finished_at": SEVEN, "story": "Fire safety"})),
    "an owner who accepted": (("held", {"finished_at": SEVEN.replace(hour=6), "accepted_at": SEVEN}),),
}  # fmt: skip


@pytest.mark.parametrize("what", NEWS)
def test_unchanged_is_told_since_the_last_that_wrote(what, client, cast):
    text = freshness_of(client, cast, *NEWS[what], ("unchanged", {}), ("unchanged", {}))[1]
    assert re.search(rf"checked \d+ minutes? ago, unchanged since {SEVEN:%-d %b %Y}, 07:00", text)


def test_unchanged_is_not_told_of_what_a_narrow_run_changed_since(client, cast):
    old = {"finished_at": SEVEN}
    text = freshness_of(client, cast, ("success", old), ("unchanged", {}), ("success", {"story": "A"}))[1]
    assert "unchanged since" not in text


def test_an_answer_that_came_in_part_says_so(client, cast):
    tone, text = freshness_of(client, cast, ("partial", {}))
    assert (tone, "not all of it came through" in text) == ("ok", True)


def head_of(client, address):
    html = client.get(address).content.decode()
    href, title = re.search(r'<a class="fresh fresh-\w+"\s+href="([^"]*)"\s+title="([^"]*)"', html).groups()
    *lines, zone = title.split("\n")
    assert zone == "Times in UTC"
    return href, lines


def test_the_head_tells_of_each_app_the_worst_first(client, cast):
    make_run(cast.demo)
    make_run(cast.other, "failed", message="Too slow.")
    client.force_login(cast.superuser)
    href, lines = head_of(client, "/people/")
    assert (href, lines[0]) == ("/#apps", "Retail Academy: no data yet: Too slow.")
    assert re.fullmatch(r"Demo Academy: checked \d+ minutes? ago", lines[1])


def test_the_head_of_a_page_about_one_app_tells_of_this_one(client, cast):
    make_run(cast.other, "failed", message="Too slow.")
    make_run(cast.demo)
    learner = make_certificate(make_story(cast.demo)).learner
    client.force_login(cast.superuser)
    for address in (f"/people/{learner.pk}/", "/stories/demo/EV72-RQZY-80AH~fire-safety/", "/apps/demo/"):
        href, lines = head_of(client, address)
        assert (href, len(lines)) == ("/apps/demo/", 1)
        assert lines[0].startswith("Demo Academy: checked")


@pytest.mark.parametrize("apps", [0, 1, 40])
def test_freshness_is_one_query_for_all_apps(apps, cast, django_assert_num_queries):
    every = [world.make_app(f"app-{number}") for number in range(apps)]
    for app in every:
        for status in ("success", "unchanged", "failed", "failed"):
            make_run(app, status, message=f"No {app.slug}.")
    with django_assert_num_queries(min(apps, 1)):
        told = freshness(every, NOW)
    assert [one.app for one in told] == every
    assert all(f"No {one.app.slug}." in one.text for one in told)
