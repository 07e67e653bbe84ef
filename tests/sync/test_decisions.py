"""What only an owner decides stays undecided until then, whatever runs come in between."""

from typing import Any

import pytest
from django.utils import timezone
from werkzeug import Response

from certdash.models import App, Certificate, Change, Group, Membership, Rejection, Story, SyncRun
from certdash.models.group import track_groups
from certdash.sync import answer as answer_module
from certdash.sync import bulk
from certdash.sync import groups as groups_module
from certdash.sync.asking import Scope
from certdash.sync.lease import LEASE
from certdash.sync.run import release_dead_runs
from certdash.sync.withdrawals import accept, withdraw_accepted
from certdash.sync.work import Work
from tests.falkor.vendors import row, success
from tests.sync.vendor import Vendor, gone, live, people, story

Status = SyncRun.Status


def accepted(run: SyncRun) -> SyncRun:
    """Accepted by an owner; the worker has not come to it."""
    assert accept(run, None, timezone.now())
    run.refresh_from_db()
    return run


def members(group: str = "North") -> int:
    return Membership.objects.filter(group__name=group, until=None).count()


@pytest.fixture
def north(vendor: Vendor) -> Vendor:
    track_groups(vendor.app, ["North"])
    vendor.groups["North"] = success(story(*people(100)))
    vendor.sync(story(*people(100), *people(60, first=201)))
    return vendor


# -- Held stays held --------------------------------------------------------------------------------------------


def test_news_that_came_with_a_held_run_does_not_make_the_lack_look_small(vendor):
    vendor.sync(story(*people(100)))
    for _ in range(3):
        run = vendor.sync(story(*people(70), *people(60, first=201)))
        assert (run.status, run.missing, gone(vendor.app)) == (Status.HELD, 30, set())
    withdraw_accepted(accepted(run), timezone.now)
    assert vendor.sync(story(*people(60), *people(60, first=201))).withdrawn == 10


def test_people_who_joined_with_a_held_run_do_not_make_the_lack_look_small(north):
    north.groups["North"] = success(story(*people(70), *people(60, first=201)))
    for _ in range(3):
        run = north.again()
        assert (run.status, run.missing_members, members()) == (Status.HELD, 30, 160)


def test_a_narrow_run_decides_nothing_about_held_rows(vendor):
    stories = [story(*people(10, first=10 * n), name=f"Story {n}", vendor_id=f"ID-{n}") for n in range(10)]
    vendor.sync(*stories)
    halves = [story(*people(5, first=10 * n), name=f"Story {n}", vendor_id=f"ID-{n}") for n in range(10)]
    assert vendor.sync(*halves).missing == 50
    run = vendor.sync(halves[0], scope=Scope(story="ID-0"))
    assert (run.status, run.withdrawn, gone(vendor.app)) == (Status.UNCHANGED, 0, set())


def test_rows_that_leave_the_scope_do_not_make_the_lack_look_small(vendor):
    rest = story(*people(300, first=101), name="Story B", vendor_id="ID-B")
    vendor.sync(story(*people(30)), rest)
    App.objects.update(breadth="stories", listed_stories=["ID-A"])
    vendor.app.refresh_from_db()
    run = vendor.sync(story(*people(1)))
    assert (run.status, run.missing, run.withdrawn, run.out_of_scope) == (Status.HELD, 29, 0, 300)


# -- Accepted stays accepted ------------------------------------------------------------------------------------


def test_a_sync_before_the_worker_comes_to_it_does_not_take_an_acceptance_back(north):
    north.groups["North"] = success(story(*people(50)))
    held = accepted(north.sync(story(*people(50), *people(60, first=201))))
    assert (held.missing, held.missing_members) == (50, 50)
    between = north.again()
    assert (between.status, between.missing, between.missing_members) == (Status.UNCHANGED, 0, 0)
    withdraw_accepted(held, timezone.now)
    held.refresh_from_db()
    assert (held.withdrawn, held.left, members()) == (50, 50, 50)


def test_who_is_found_again_while_an_acceptance_ends_the_membership_is_still_in_the_group(north, monkeypatch):
    everyone = north.groups["North"]
    north.groups["North"] = success(story(*people(50)))
    held = accepted(north.again())
    real = groups_module._join

    def after_the_acceptance(*args: Any) -> None:
        withdraw_accepted(held, timezone.now)
        real(*args)

    monkeypatch.setattr(groups_module, "_join", after_the_acceptance)
    north.groups["North"] = everyone
    run = north.again()
    assert (run.joined, members()) == (50, 100)


# -- Renamed, or another one ------------------------------------------------------------------------------------


def names() -> dict[str, int]:
    return {each.name: each.certificates.live().count() for each in Story.objects.filter(withdrawn_at=None)}


@pytest.mark.parametrize("broken", [None, {"story": {"name": 7, "ID": "ID-B"}, "certificates": []}])
def test_a_rename_beside_an_element_that_is_always_broken_keeps_its_history(vendor, broken):
    vendor.sync(story(*people(30), name="Basics"), broken)
    run = vendor.sync(story(*people(30), name="Foundations"), broken)
    assert (run.status, run.created, names()) == (Status.PARTIAL, 0, {"Foundations": 30})
    assert Change.objects.get().kind == Change.Kind.RENAMED


def test_a_listed_story_is_renamed_also_while_another_one_cannot_be_asked_for(vendor):
    App.objects.update(breadth="stories", listed_stories=["ID-A", "ID-B"])
    vendor.app.refresh_from_db()
    refused = Response('{"status": "error", "message": "not today"}', 400)
    answers: dict[str, Any] = {"ID-A": success(story(*people(3), name="Basics")), "ID-B": refused}

    def answer() -> None:
        vendor.body = answers[vendor.asked[-1]["story"]]

    vendor.meanwhile = answer
    vendor.again()
    answers["ID-A"] = success(story(*people(3), name="Foundations"))
    run = vendor.again()
    assert (run.status, run.created, names()) == (Status.PARTIAL, 0, {"Foundations": 3})


# -- Old, or news -----------------------------------------------------------------------------------------------


def test_what_nobody_could_ask_for_before_is_old_and_no_news(vendor):
    App.objects.update(breadth="stories", listed_stories=["ID-A"])
    vendor.app.refresh_from_db()
    everything = [story(*people(3)), story(*people(3, first=11), name="Story B", vendor_id="ID-B")]
    vendor.sync(everything[0])
    App.objects.update(breadth="everything")
    vendor.app.refresh_from_db()
    vendor.sync(*everything)
    assert not Certificate.objects.filter(initial=False).exists()
    vendor.sync(*everything, story(*people(1, first=30), name="Story C", vendor_id="ID-C"))
    assert Certificate.objects.get(initial=False).lastname == "030"


def test_a_first_run_in_which_a_group_could_not_be_asked_for_is_not_the_first_complete_one(vendor):
    track_groups(vendor.app, ["North", "South"])
    App.objects.update(breadth="groups")
    vendor.app.refresh_from_db()
    vendor.groups |= {"North": success(story(*people(3))), "South": Response("{}", 400)}
    assert vendor.again().status == Status.PARTIAL
    vendor.groups["South"] = success(story(*people(3, first=11)))
    assert vendor.again().created == 3
    assert not Certificate.objects.filter(initial=False).exists()


def test_a_narrow_run_brings_news_once_everything_was_asked_for(vendor):
    vendor.sync(story(*people(3)))
    vendor.sync(story(*people(4)), scope=Scope(story="ID-A"))
    assert Certificate.objects.get(initial=False).lastname == "004"


# -- A run that was closed by others ----------------------------------------------------------------------------


def test_a_run_that_is_closed_while_the_vendor_answers_writes_nothing_more(vendor, monkeypatch):
    track_groups(vendor.app, ["North"])
    real = Work._ask

    def closed_meanwhile(*args: Any) -> Any:
        release_dead_runs(lambda: timezone.now() + 2 * LEASE)
        return real(*args)

    monkeypatch.setattr(Work, "_ask", closed_meanwhile)
    monkeypatch.setattr(Work, "_downloading", lambda *_: None)
    run = vendor.sync(story(row(certificate={"timestamp": "yesterday"})))
    assert (run.status, run.applying_since) == (Status.INTERRUPTED, None)
    assert not Rejection.objects.exists()
    assert Group.objects.get().checked_at is None


def test_a_run_that_was_killed_tells_what_it_had_written(vendor, monkeypatch):
    real, counts = answer_module.plan_certificates, []

    def plan(*args: Any) -> Any:
        counts.append(SyncRun.objects.values_list("received", "created").get())
        return real(*args)

    monkeypatch.setattr(answer_module, "plan_certificates", plan)
    monkeypatch.setattr(bulk, "ROWS", 3)
    vendor.sync(*(story(*people(3, first=10 * n), name=f"Story {n}", vendor_id=f"ID-{n}") for n in range(3)))
    assert counts[2] == (6, 3)  # at most one transaction behind
    assert live(vendor.app)


def test_an_error_about_the_whole_account_ends_the_asking_for_groups(vendor):
    track_groups(vendor.app, ["East", "North", "South"])
    vendor.groups["East"] = Response('{"status": "error", "message": "no"}', 401)
    run = vendor.sync(story(*people(2)))
    assert run.status == Status.PARTIAL
    assert "“East” is as before" in run.message
    assert "groups after it were not asked for" in run.message
    assert [asked.get("groups") for asked in vendor.asked] == [None, ["East"]]


def test_an_error_about_the_whole_account_ends_the_asking_for_listed_stories(vendor):
    App.objects.update(breadth="stories", listed_stories=["ID-A", "ID-B"])
    vendor.app.refresh_from_db()
    vendor.body = Response('{"status": "error", "message": "no"}', 401)
    assert (vendor.again().status, len(vendor.asked)) == (Status.FAILED, 1)
