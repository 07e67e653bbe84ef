"""Who is in a group: from when until when, and what happens when the vendor does not say."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from werkzeug import Response

from certdash.falkor import RejectedRow, StoryElement
from certdash.models import App, Group, Membership, SyncRun
from certdash.models.group import track_groups
from certdash.sync import bulk, groups
from certdash.sync.answer import note_rejected
from certdash.sync.apply import Applier
from certdash.sync.lease import Lease
from certdash.sync.schedule import unfinished_acceptances
from certdash.sync.withdrawals import accept, withdraw_accepted
from tests.falkor.vendors import row, success
from tests.sync.vendor import Vendor, people, story

Status = SyncRun.Status
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
TUESDAY, WEDNESDAY = MONDAY + timedelta(days=1), MONDAY + timedelta(days=2)


@pytest.fixture
def vendor(vendor: Vendor) -> Vendor:
    track_groups(vendor.app, ["Sales"])
    return vendor


def sync(vendor: Vendor, members: list[dict[str, object]], at: datetime, everybody: int = 40) -> SyncRun:
    vendor.groups["Sales"] = success(story(*members))
    return vendor.sync(story(*people(everybody)), at=at)


def members(group: str = "Sales") -> set[str]:
    now = Membership.objects.filter(group__name=group, until=None)
    return {membership.learner.name.removeprefix("Ann ") for membership in now.select_related("learner")}


def test_joining_and_leaving_are_moments(vendor):
    sync(vendor, people(3), MONDAY)
    run = sync(vendor, people(3, first=2), TUESDAY)
    assert (run.status, run.joined, run.left, run.changed) == (Status.SUCCESS, 1, 1, 0)
    assert members() == {"002", "003", "004"}
    spans = set(Membership.objects.values_list("learner__name", "since", "until"))
    assert spans == {
        ("Ann 001", MONDAY, TUESDAY),
        ("Ann 002", MONDAY, None),
        ("Ann 003", MONDAY, None),
        ("Ann 004", TUESDAY, None),
    }


def initial(group: str = "Sales") -> dict[str, list[bool]]:
    """By learner, of each time in the group, whether it is from before anybody asked."""
    found: dict[str, list[bool]] = {}
    for one in Membership.objects.filter(group__name=group).order_by("pk").select_related("learner"):
        found.setdefault(one.learner.name.removeprefix("Ann "), []).append(one.initial)
    return found


def test_who_comes_with_a_groups_first_answer_was_there_before_also_when_it_is_tracked_again(vendor):
    sync(vendor, people(2), MONDAY)
    sync(vendor, people(3), TUESDAY)
    assert initial() == {"001": [True], "002": [True], "003": [False]}
    track_groups(vendor.app, [])
    assert set(Membership.objects.values_list("unasked", flat=True)) == {True}
    track_groups(vendor.app, ["Sales"])
    sync(vendor, people(4), WEDNESDAY)
    sync(vendor, people(5), WEDNESDAY + timedelta(days=1))
    assert initial() == {
        "001": [True, True], "002": [True, True], "003": [False, True], "004": [True], "005": [False],
    }  # fmt: skip


@pytest.mark.parametrize("again", [[], ["Sales"]], ids=["for good", "and tracked again"])
def test_a_group_is_tracked_no_longer_while_its_answer_is_on_the_way(again, vendor, monkeypatch):
    sync(vendor, people(2), MONDAY)
    reads = groups._who_came

    def meanwhile(lease: Lease, group: Group, answer: Any, *, note: bool) -> Any:
        came = reads(lease, group, answer, note=note)
        track_groups(vendor.app, [])
        track_groups(vendor.app, again)
        return came

    with monkeypatch.context() as patched:
        patched.setattr(groups, "_who_came", meanwhile)
        run = sync(vendor, people(3), TUESDAY)
    if not again:
        assert (run.joined, members(), initial()) == (0, set(), {"001": [True], "002": [True]})
        track_groups(vendor.app, ["Sales"])
    sync(vendor, people(4, first=2), WEDNESDAY)
    assert members() == {"002", "003", "004", "005"}
    sync(vendor, people(6, first=2), WEDNESDAY + timedelta(days=1))
    there = {"001", "002"} | ({"003"} if again else {"003", "004", "005"})  # in the first answer since then
    assert {name for name, each in initial().items() if each[-1]} == there


def test_a_tracking_that_begins_anew_before_who_joined_is_written_has_its_own_first_answer(vendor, monkeypatch):
    sync(vendor, people(2), MONDAY)
    writes = groups._join

    def meanwhile(*told: Any) -> None:
        track_groups(vendor.app, [])
        track_groups(vendor.app, ["Sales"])
        writes(*told)

    with monkeypatch.context() as patched:
        patched.setattr(groups, "_join", meanwhile)
        sync(vendor, people(3), TUESDAY)
    sync(vendor, people(3), WEDNESDAY)
    assert members() == {"001", "002", "003"}
    assert initial() == {"001": [True, True], "002": [True, True], "003": [True]}


def test_a_first_answer_that_is_cut_off_is_still_the_first(vendor, monkeypatch):
    monkeypatch.setattr(bulk, "PART", 2)
    written = groups._open

    def break_off(*told: Any) -> int:
        if Membership.objects.exists():
            raise KeyboardInterrupt
        return written(*told)

    with monkeypatch.context() as patched:
        patched.setattr(groups, "_open", break_off)
        with pytest.raises(KeyboardInterrupt):
            sync(vendor, people(5), MONDAY)
    assert Membership.objects.count() == 2
    SyncRun.objects.update(lease_until=MONDAY)
    sync(vendor, people(5), TUESDAY)
    assert {*map(tuple, initial().values())} == {(True,)}
    assert len(initial()) == 5


def test_who_comes_back_has_a_second_membership(vendor):
    sync(vendor, people(2), MONDAY)
    sync(vendor, people(1), TUESDAY)
    sync(vendor, people(2), WEDNESDAY)
    spans = Membership.objects.filter(learner__name="Ann 002").order_by("since").values_list("since", "until")
    assert list(spans) == [(MONDAY, TUESDAY), (WEDNESDAY, None)]


def test_the_same_members_change_nothing(vendor):
    sync(vendor, people(3), MONDAY)
    run = sync(vendor, people(3), TUESDAY)
    assert run.status == Status.UNCHANGED
    assert Group.objects.get().checked_at == TUESDAY


def test_a_machine_whose_clock_was_ahead_does_not_stop_people_from_leaving(vendor):
    sync(vendor, people(3), WEDNESDAY)
    run = sync(vendor, people(2), TUESDAY)
    assert (run.status, members()) == (Status.SUCCESS, {"001", "002"})
    left = Membership.objects.exclude(until=None).get()
    assert (left.since, left.until) == (WEDNESDAY, WEDNESDAY)


def test_a_group_that_lacks_many_is_held_until_an_owner_accepts(vendor):
    sync(vendor, people(30), MONDAY)
    run = sync(vendor, people(5), TUESDAY)
    assert (run.status, run.missing_members, run.missing) == (Status.HELD, 25, 0)
    assert "25 learners" in run.message
    assert len(members()) == 30
    assert accept(run, None, WEDNESDAY)
    assert unfinished_acceptances() == [run]
    run.refresh_from_db()
    withdraw_accepted(run, lambda: WEDNESDAY)
    assert unfinished_acceptances() == []
    run.refresh_from_db()
    assert run.left == 25
    assert members() == {f"{number:03d}" for number in range(1, 6)}
    assert set(Membership.objects.exclude(until=None).values_list("until", flat=True)) == {WEDNESDAY}


def test_a_group_that_is_found_again_clears_the_marks(vendor):
    sync(vendor, people(30), MONDAY)
    held = sync(vendor, people(5), TUESDAY)
    assert sync(vendor, people(30), WEDNESDAY).status == Status.UNCHANGED
    assert not accept(held, None, timezone.now())
    assert len(members()) == 30


def test_a_group_that_nobody_comes_back_for_any_more_is_held(vendor):
    sync(vendor, people(2), MONDAY)
    run = sync(vendor, [], TUESDAY)
    assert (run.status, run.missing_members, members()) == (Status.HELD, 2, {"001", "002"})


def test_a_group_that_nobody_ever_came_back_for_is_checked_and_empty(vendor):
    run = sync(vendor, [], MONDAY)
    assert run.status == Status.SUCCESS  # the certificates
    group = Group.objects.get()
    assert (group.checked_at, group.memberships.count()) == (MONDAY, 0)


@pytest.mark.parametrize("answer", [Response("{}", 400), Response("<html>"), Response(status=302), Response("{", 200)])
def test_a_group_that_fails_makes_the_run_partial_and_the_others_go_on(answer, vendor):
    track_groups(vendor.app, ["Sales", "Logistics"])
    vendor.groups["Logistics"] = success(story(*people(2)))
    sync(vendor, people(3), MONDAY)
    vendor.groups["Logistics"] = success(story(*people(3)))
    vendor.groups["Sales"] = answer
    run = vendor.sync(story(*people(41)), at=TUESDAY)
    assert (run.status, run.created) == (Status.PARTIAL, 1)
    assert "The group “Sales” is as before" in run.message
    assert (members("Sales"), len(members("Logistics"))) == ({"001", "002", "003"}, 3)
    assert Group.objects.get(name="Sales").checked_at == MONDAY


def test_an_untracked_group_is_not_asked_for_and_nobody_is_known_to_be_in_it(vendor):
    sync(vendor, people(2), MONDAY)
    track_groups(vendor.app, [])
    vendor.asked.clear()
    assert vendor.again(at=TUESDAY).status == Status.UNCHANGED
    assert vendor.asked == [{}]
    assert members() == set()


def test_people_whom_only_the_group_knows_wait_for_the_next_run(vendor):
    run = sync(vendor, people(1, first=90), MONDAY)
    assert (run.status, members()) == (Status.SUCCESS, set())
    sync(vendor, people(1, first=90), TUESDAY, everybody=90)
    assert members() == {"090"}


def test_somebody_without_email_is_in_a_group_too(vendor):
    nameless = [each | {"email": ""} for each in people(1)] + people(2)
    vendor.groups["Sales"] = success(story(nameless[0]))
    vendor.sync(story(*nameless), at=MONDAY)
    assert Membership.objects.get().learner.email == ""


# -- Large answers ----------------------------------------------------------------------------------------------

BAD = row(certificate={"timestamp": "yesterday"})


def test_rows_of_a_group_that_are_not_understood_are_let_go_story_by_story(vendor, monkeypatch):
    """All are counted and the first 200 are kept; none waits in memory for those of the stories after it."""
    noted = []

    def note(lease: Lease, rejected: Sequence[RejectedRow], prefix: str = "") -> None:
        noted.append(len(rejected))
        note_rejected(lease, rejected, prefix)

    monkeypatch.setattr(groups, "note_rejected", note)
    stories = [story(*[BAD] * 150, *people(2), name=f"Story {n}", vendor_id=f"ID-{n}") for n in range(3)]
    vendor.groups["Sales"] = success(*stories)
    run = vendor.sync(story(*people(3)), at=MONDAY)
    assert (run.status, run.rejected, run.rejections.count(), max(noted)) == (Status.PARTIAL, 450, 200, 150)
    assert members() == {"001", "002"}
    sync(vendor, people(3), TUESDAY)
    vendor.groups["Sales"] = success(story(BAD), story(*people(1), name="Story B", vendor_id="ID-B"))
    assert (vendor.again().left, members()) == (0, {"001", "002", "003"})


def test_a_run_shows_that_it_is_alive_with_each_story_of_a_groups_answer(vendor, monkeypatch):
    signs = []
    monkeypatch.setattr(Applier, "tell", lambda applier, **progress: signs.append((applier.run.phase, progress)))
    vendor.groups["Sales"] = success(*(story(*people(2), name=f"Story {n}", vendor_id=f"ID-{n}") for n in range(7)))
    vendor.sync(story(*people(3)))
    alive_while_downloading = 1
    assert len([sign for sign in signs if not sign[1]]) >= 7 + alive_while_downloading


def test_between_two_of_many_transactions_others_can_write(vendor, monkeypatch):
    monkeypatch.setattr(bulk, "CHUNK", 2)
    pauses: list[None] = []
    monkeypatch.setattr(bulk, "let_others_write", lambda: pauses.append(None))

    def paused(run: Callable[[], object]) -> int:
        pauses.clear()
        run()
        return len(pauses)

    def accepting() -> None:
        held = SyncRun.objects.filter(status=Status.HELD).first()
        accept(held, None, WEDNESDAY)
        held.refresh_from_db()
        withdraw_accepted(held, lambda: WEDNESDAY)

    monkeypatch.setattr(bulk.chunks, "__defaults__", (2,))
    monkeypatch.setattr(bulk.parts, "__defaults__", (2,))
    sync(vendor, people(30), MONDAY)
    assert paused(lambda: sync(vendor, people(25), MONDAY)) == 2  # five leave
    assert paused(lambda: sync(vendor, people(25), MONDAY, everybody=35)) == 2  # five are withdrawn
    assert paused(lambda: sync(vendor, people(3), TUESDAY, everybody=4)) == 10 + 15  # 22 and 31 are held
    assert paused(accepting) == 11 + 15
    assert len(members()) == 3


# -- People of whom nothing else is known -----------------------------------------------------------------------


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names: list[str] = []
    real = StoryElement.rows

    def rows(element: StoryElement) -> Any:
        names.append(element.name)
        return real(element)

    monkeypatch.setattr(StoryElement, "rows", rows)
    return names


def test_equal_bytes_of_a_group_with_people_from_other_stories_are_not_decoded_again(vendor, decoded):
    App.objects.update(breadth="stories", listed_stories=["Story A"])
    vendor.app.refresh_from_db()
    sync(vendor, people(2, first=40), MONDAY)  # 041 has no certificate of a listed story
    assert members() == {"040"}
    decoded.clear()
    assert (sync(vendor, people(2, first=40), TUESDAY).status, decoded) == (Status.UNCHANGED, [])
    sync(vendor, people(2, first=40), WEDNESDAY, everybody=41)
    assert members() == {"040", "041"}
    decoded.clear()
    assert (vendor.again(at=WEDNESDAY).status, decoded) == (Status.UNCHANGED, [])
    sync(vendor, people(2, first=40), WEDNESDAY, everybody=42)
    assert decoded == ["Story A"]  # the story alone: nobody new can be in the same answer for the group
