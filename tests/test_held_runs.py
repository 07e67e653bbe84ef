"""Held runs on their page: what an owner sees and decides, and what everybody else sees."""

import csv
import re
from datetime import timedelta

import pytest
from django.utils import timezone

from certdash.models import Certificate, Membership, SyncRun, Worker
from certdash.sync.withdrawals import accept, withdraw_accepted
from certdash.tasks import huey
from tests.falkor.vendors import success
from tests.reading import text_of
from tests.sync.vendor import Vendor, people, story
from tests.world import make_certificate, make_group, make_learner, make_run, make_story

pytestmark = pytest.mark.django_db
RUNS = "/apps/demo/runs/"


@pytest.fixture(autouse=True)
def _empty_queue():
    huey.flush()


@pytest.fixture
def as_owner(client, cast):
    client.force_login(cast.owner)
    return client


@pytest.fixture
def vendor(cast, httpserver):
    """A real vendor of the app `demo`."""
    app = cast.demo
    app.base_url = httpserver.url_for("")
    app.save()
    return Vendor(httpserver, app)


@pytest.fixture
def held(vendor):
    """A run that missed 30 of 100 certificates, and as many of the 40 people of a group."""
    make_group(vendor.app, "Sales")
    vendor.groups["Sales"] = success(story(*people(40)))
    vendor.sync(story(*people(100)))
    vendor.groups["Sales"] = success(story(*people(10)))
    return vendor.sync(story(*people(70)))


def page_of(client, run):
    return client.get(f"{RUNS}{run.pk}/")


def accepts(html, run):
    return f'action="{RUNS}{run.pk}/accept/"' in html


# -- Who sees what ----------------------------------------------------------------------------------------------


def test_an_owner_sees_how_many_and_the_first_twenty_of_each(held, as_owner):
    page = page_of(as_owner, held)
    assert (held.missing, held.missing_members) == (30, 30)
    assert "Still missing: 30 certificates and 30 group members" in text_of(page)
    rows, members = page.context["held"].rows, page.context["held"].memberships
    assert (len(rows), len(members)) == (20, 20)
    html = page.content.decode()
    assert all(f'href="{row.learner_url}"' in html for row in rows)
    assert html.count("<bdi>Sales</bdi>") == 20
    assert f'<a href="{RUNS}{held.pk}/members/">All 30 group members</a>' in html


def test_all_of_them_are_one_link_away(held, as_owner):
    html = page_of(as_owner, held).content.decode()
    address = re.search(r'href="(/certificates/[^"]*)">\s*All 30 certificates', html)[1].replace("&amp;", "&")
    page = as_owner.get(address)
    assert page.context["rows"] == 30
    names = {row.record.certificate.lastname for row in page.context["table"].page.object_list}
    assert names == {f"{number:03d}" for number in range(71, 101)}


def test_all_missing_members_are_a_list_with_group_and_since_when(held, as_owner):
    page = as_owner.get(f"{RUNS}{held.pk}/members/?per_page=100")
    assert page.context["rows"] == 30
    since = timezone.localtime(held.missing_memberships.first().since)
    assert text_of(page).count(f"Sales {since:%-d %b %Y}") == 30


def test_the_file_of_missing_members_holds_who_is_still_missing(held, as_owner):
    back = held.missing_memberships.order_by("pk").first()
    held.missing_memberships.filter(pk=back.pk).update(missing_in=None)
    response = as_owner.get(f"{RUNS}{held.pk}/members/?_export=csv&sort=-person")
    head, *rows = csv.reader(b"".join(response.streaming_content).decode("utf-8-sig").splitlines())
    assert head == ["app", "group", "person", "email", "since"]
    assert len(rows) == 29
    assert {(row[0], row[1]) for row in rows} == {("demo", "Sales")}
    names = [row[2] for row in rows]
    assert back.learner.name not in names
    assert names == sorted(names, reverse=True)


@pytest.mark.parametrize(("who", "status"), [("viewer", 403), ("manager", 403), ("owner", 200), ("superuser", 200)])
def test_only_owners_see_the_list_of_missing_members(who, status, held, client, cast):
    client.force_login(cast[who])
    for query in ("", "?_export=csv"):
        assert client.get(f"{RUNS}{held.pk}/members/{query}").status_code == status


def test_a_list_of_missing_members_is_of_its_run_and_takes_no_filter(held, as_owner, cast):
    other = make_run(cast.demo)
    assert "Nobody is missing from a group" in text_of(as_owner.get(f"{RUNS}{other.pk}/members/"))
    assert as_owner.get(f"/apps/demo/runs/{other.pk + 1000}/members/").status_code == 404
    assert as_owner.get(f"{RUNS}{held.pk}/members/?q=ana&_export=csv").status_code == 400


def test_both_choices_are_told_in_plain_words(held, as_owner):
    text = text_of(page_of(as_owner, held))
    assert "Accept: withdraw 30 certificates and let 30 group members leave" in text
    assert "Nothing is deleted, and what the vendor names again returns." in text
    assert "Wait If the answer looks wrong. There is nothing to press: nothing happens" in text
    assert "the next sync looks again" in text


@pytest.mark.parametrize("who", ["viewer", "manager", "owner", "superuser"])
def test_only_an_owner_is_asked_and_sees_the_rows(who, held, client, cast):
    client.force_login(cast[who])
    page = page_of(client, held)
    may = who in ("owner", "superuser")
    assert "Still missing: 30 certificates and 30 group members" in text_of(page)
    assert accepts(page.content.decode(), held) is may
    assert (len(page.context["held"].rows) > 0) is may
    assert ("until an owner of Demo Academy has looked at it" in text_of(page)) is not may


@pytest.mark.parametrize(
    ("certificates", "members", "words"),
    [
        (1, 0, "withdraw 1 certificate"),
        (0, 2, "let 2 group members leave"),
        (2, 1, "withdraw 2 certificates and let 1"),
    ],
)
def test_the_button_says_what_it_does(certificates, members, words, as_owner, cast):
    run = make_run(cast.demo, "held", missing=certificates, missing_members=members)
    for number in range(certificates):
        make_certificate(make_story(cast.demo), email=f"{number}@example.com", missing_in=run)
    who = [make_learner(cast.demo, email=f"m{number}@example.com") for number in range(members)]
    make_group(cast.demo, "Sales", *who)
    Membership.objects.update(missing_in=run)
    assert f"Accept: {words}" in text_of(page_of(as_owner, run))


# -- After the decision -----------------------------------------------------------------------------------------


def test_an_acceptance_is_followed_until_the_worker_is_through_with_it(held, as_owner):
    page = as_owner.post(f"{RUNS}{held.pk}/accept/", follow=True)
    assert "Accepted: what is still missing will be withdrawn in a moment." in text_of(page)
    assert "The worker still has 30 certificates and 30 group members to go through." in text_of(page)
    assert 'hx-trigger="every 1s"' in page.content.decode()
    assert Certificate.objects.withdrawn().count() == 0
    huey.dequeue().execute()
    done = page_of(as_owner, held)
    assert "hx-trigger" not in done.content.decode()
    assert re.search(r"owner accepted this on [\w ,:]+: 30 certificates withdrawn\.", text_of(done))
    assert "Who was still missing from a group has left it." in text_of(done)


def test_an_acceptance_that_waits_for_long_tells_of_the_worker(held, as_owner, cast):
    accept(held, cast.owner, timezone.now())
    assert "No worker has ever run." not in text_of(page_of(as_owner, held))
    SyncRun.objects.filter(pk=held.pk).update(accepted_at=timezone.now() - timedelta(minutes=1))
    assert "No worker has ever run." in text_of(page_of(as_owner, held))


@pytest.mark.parametrize(("alive", "minutes", "followed"), [(True, 1, True), (False, 0, True), (False, 1, False)])
def test_an_acceptance_that_no_worker_takes_up_is_not_followed_for_ever(alive, minutes, followed, held, as_owner, cast):
    accept(held, cast.owner, timezone.now())
    SyncRun.objects.filter(pk=held.pk).update(accepted_at=timezone.now() - timedelta(minutes=minutes))
    if alive:
        Worker.objects.create(name="w", started_at=timezone.now(), seen_at=timezone.now())
    page = page_of(as_owner, held)
    assert ("every 1s" in page.content.decode()) == followed
    assert ("Look again" in text_of(page)) == (not followed)


def test_after_the_acceptance_the_withdrawn_ones_are_found_and_nothing_is_missing(held, as_owner, cast):
    accept(held, cast.owner, timezone.now())
    held.refresh_from_db()
    withdraw_accepted(held, timezone.now)
    facts = {one.label: one for one in page_of(as_owner, held).context["facts"]}
    assert (facts["Missing"].text, facts["Missing"].url) == ("30", "")
    assert as_owner.get(facts["Withdrawn"].url).context["rows"] == 30


def test_accepting_twice_is_told_and_does_nothing(held, as_owner):
    as_owner.post(f"{RUNS}{held.pk}/accept/")
    again = as_owner.post(f"{RUNS}{held.pk}/accept/", follow=True)
    assert "There is nothing to accept in this run any more." in text_of(again)
    assert len(huey) == 1


def test_a_run_that_was_accepted_in_the_shell_says_somebody(held, as_owner):
    accept(held, None, timezone.now())
    assert "Somebody accepted this" in text_of(page_of(as_owner, held))


# -- Without one ------------------------------------------------------------------------------------------------


def test_a_newer_held_run_that_took_its_place_is_linked(held, vendor, as_owner):
    vendor.again()
    newest = vendor.again()
    page = page_of(as_owner, held)
    assert not accepts(page.content.decode(), held)
    assert re.search(rf'A newer held run took its place:\s*<a href="{RUNS}{newest.pk}/">', page.content.decode())


def test_a_later_run_that_holds_something_else_took_nothing_over(vendor, as_owner):
    make_group(vendor.app, "Sales")
    vendor.groups["Sales"] = success(story(*people(40)))
    vendor.sync(story(*people(100)))
    held = vendor.sync(story(*people(70)))
    vendor.groups["Sales"] = success(story(*people(10)))
    other = vendor.sync(story(*people(100)))
    assert (held.missing, held.missing_members, other.missing, other.missing_members) == (30, 0, 0, 30)
    assert "Nothing of it is missing any more: there is nothing to accept." in text_of(page_of(as_owner, held))
    later = vendor.sync(story(*people(60)))
    assert (later.status, later.missing) == (SyncRun.Status.HELD, 40)
    assert "Nothing of it is missing any more: there is nothing to accept." in text_of(page_of(as_owner, held))


def test_what_a_held_run_says_stays_true_when_it_is_accepted(held, as_owner, cast):
    accept(held, cast.owner, timezone.now())
    held.refresh_from_db()
    withdraw_accepted(held, timezone.now)
    told = text_of(page_of(as_owner, held))
    assert "lacks 30 certificates that were there before: nothing of it is withdrawn without an owner" in told
    assert "did not come back for their groups: nobody leaves one without an owner who accepts it." in told


def test_when_all_came_back_there_is_nothing_to_accept_and_no_later_hold_is_meant(held, vendor, as_owner):
    vendor.groups["Sales"] = success(story(*people(40)))
    vendor.sync(story(*people(100)))
    vendor.sync(story(*people(60)))
    page = page_of(as_owner, held)
    assert "Nothing of it is missing any more: there is nothing to accept." in text_of(page)
    assert "took its place" not in text_of(page)
    assert not accepts(page.content.decode(), held)


def test_what_came_back_in_between_is_no_longer_among_the_missing(held, as_owner):
    Certificate.objects.filter(pk__in=list(held.missing_certificates.values_list("pk", flat=True)[:12])).update(
        missing_in=None
    )
    page = page_of(as_owner, held)
    assert "Still missing: 18 certificates and 30 group members" in text_of(page)
    assert len(page.context["held"].rows) == 18
    facts = {one.label: one.url for one in page.context["facts"]}
    assert facts["Missing"] == ""  # the count is of the run, and would lead to fewer rows


def test_other_runs_speak_of_no_decision(as_owner, cast):
    for status in SyncRun.Status.values:
        if status != "held":
            page = page_of(as_owner, make_run(cast.demo, status))
            assert page.context["held"] is None
            cast.demo.runs.all().delete()
