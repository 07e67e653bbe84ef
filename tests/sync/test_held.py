"""When much is missing, nobody is withdrawn until an owner says so; then exactly what was listed."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import timezone

from certdash.models import Certificate, Change, SyncRun, User
from certdash.sync import answer as answer_module
from certdash.sync.asking import Scope
from certdash.sync.lacking import must_hold
from certdash.sync.schedule import unfinished_acceptances
from certdash.sync.withdrawals import accept, withdraw_accepted
from tests.falkor.vendors import success
from tests.sync.vendor import Vendor, gone, live, people, story

Status = SyncRun.Status
Kind = Change.Kind


def accepted(run: SyncRun) -> SyncRun:
    """Accept a held run and withdraw what it listed."""
    assert accept(run, None, timezone.now())
    run.refresh_from_db()
    withdraw_accepted(run, timezone.now)
    run.refresh_from_db()
    return run


@pytest.mark.parametrize(
    ("missing", "before", "held"),
    [(20, 20, False), (21, 105, False), (21, 104, True), (21, 21, True), (1, 1, False), (200, 1000, False)],
)
def test_more_than_a_fifth_and_more_than_20_are_too_many(missing, before, held):
    assert must_hold(missing, before, empty=False) is held


def test_with_an_empty_answer_one_is_too_many():
    assert must_hold(1, 1, empty=True)
    assert not must_hold(0, 0, empty=True)


@pytest.mark.parametrize("elements", [[], [story()]], ids=["no stories", "a story without certificates"])
def test_an_empty_answer_is_always_held(elements, vendor):
    vendor.sync(story(*people(2)))
    run = vendor.sync(*elements)
    assert (run.status, run.missing, run.withdrawn) == (Status.HELD, 2, 0)
    assert "2 certificates" in run.message
    assert live(vendor.app) == {"001", "002"}


def test_an_answer_at_the_limit_withdraws(vendor):
    vendor.sync(story(*people(105)))
    run = vendor.sync(story(*people(84)))
    assert (run.status, run.withdrawn, run.missing) == (Status.SUCCESS, 21, 0)


@pytest.fixture
def held(vendor: Vendor) -> SyncRun:
    """A run that found 30 of 100 missing, with news beside them."""
    vendor.sync(story(*people(100)))
    return vendor.sync(story(*people(70), *people(2, first=201)))


def test_news_is_written_and_nothing_withdrawn_while_held(held, vendor):
    assert (held.status, held.missing, held.created, held.withdrawn) == (Status.HELD, 30, 2, 0)
    assert len(live(vendor.app)) == 102
    assert held.missing_certificates.count() == 30
    assert not held.changes.exists()


def test_accepting_withdraws_what_is_listed_with_its_history(held, vendor):
    owner = User.objects.create_user("owner")
    assert accept(held, owner, timezone.now())
    held.refresh_from_db()
    withdraw_accepted(held, timezone.now)
    held.refresh_from_db()
    assert (held.withdrawn, held.accepted_by, held.status) == (30, owner, Status.HELD)
    assert gone(vendor.app) == {f"{number:03d}" for number in range(71, 101)}
    assert held.changes.filter(kind=Kind.WITHDRAWN).count() == 30
    assert vendor.again().status == Status.UNCHANGED


def test_accepting_twice_does_nothing_the_second_time(held, vendor):
    accepted(held)
    assert not accept(held, None, timezone.now())
    withdraw_accepted(held, timezone.now)
    held.refresh_from_db()
    assert held.withdrawn == 30
    assert Change.objects.filter(kind=Kind.WITHDRAWN).count() == 30


def test_a_large_acceptance_is_counted_whole(vendor):
    vendor.sync(story(*people(1100)))
    assert accepted(vendor.sync()).withdrawn == len(gone(vendor.app)) == 1100


def test_nothing_is_withdrawn_without_an_acceptance(held):
    with pytest.raises(ValueError, match="accepted"):
        withdraw_accepted(held, timezone.now)


def test_what_came_back_in_between_stays(held, vendor):
    run = vendor.sync(story(*people(73), *people(2, first=201)))
    assert run.status == Status.HELD
    assert run.missing == 27
    accepted(run)
    assert gone(vendor.app) == {f"{number:03d}" for number in range(74, 101)}


def test_what_came_back_changed_stays_too(held, vendor):
    back = people(3, first=71, city="Odense")
    run = vendor.sync(story(*people(70), *people(2, first=201), *back))
    assert (run.changed, run.returned) == (3, 0)
    assert len(gone(accepted(run).app)) == 27


def test_a_newer_held_run_takes_over_and_the_older_has_nothing_to_accept(held, vendor):
    newer = vendor.again()
    assert (newer.status, newer.missing) == (Status.HELD, 30)
    assert not accept(held, None, timezone.now())
    assert accepted(newer).withdrawn == 30


def test_a_good_answer_clears_the_marks(held, vendor):
    run = vendor.sync(story(*people(100), *people(2, first=201)))
    assert (run.status, run.missing) == (Status.UNCHANGED, 0)
    assert not Certificate.objects.exclude(missing_in=None).exists()
    assert not accept(held, None, timezone.now())
    assert len(live(vendor.app)) == 102


def test_a_later_answer_that_lacks_few_withdraws_these(held, vendor):
    run = vendor.sync(story(*people(99), *people(2, first=201)))
    assert (run.status, run.withdrawn) == (Status.SUCCESS, 1)
    assert gone(vendor.app) == {"100"}


def test_an_acceptance_that_died_is_taken_up_again(held):
    assert unfinished_acceptances() == []
    accept(held, None, timezone.now())
    assert unfinished_acceptances() == [held]
    held.refresh_from_db()
    withdraw_accepted(held, timezone.now)
    assert unfinished_acceptances() == []


def test_what_a_sync_finds_while_it_is_accepted_as_withdrawn_has_returned(held, vendor, monkeypatch):
    """The sync has read what is stored, an owner accepts, and only then the sync writes."""
    real = answer_module.plan_certificates

    def in_between(*stored_and_received: Any) -> object:
        plan = real(*stored_and_received)
        accepted(held)
        return plan

    monkeypatch.setattr(answer_module, "plan_certificates", in_between)
    run = vendor.sync(story(*people(99), *people(1, first=100, city="Odense"), *people(2, first=201)))
    assert (run.status, run.returned) == (Status.SUCCESS, 30)
    assert gone(vendor.app) == set()
    for certificate in Certificate.objects.filter(lastname__in=["080", "100"]):
        kinds = set(certificate.changes.values_list("kind", flat=True))
        assert {Kind.WITHDRAWN, Kind.RETURNED} <= kinds
    monkeypatch.undo()
    assert vendor.again().status == Status.UNCHANGED


def test_stories_of_a_held_run_stay(vendor):
    vendor.sync(story(*people(2)), story(*people(30, first=11), name="Story B", vendor_id="ID-B"))
    run = vendor.sync(story(*people(2)))
    assert run.status == Status.HELD
    assert not vendor.app.stories.exclude(withdrawn_at=None).exists()
    accepted(run)
    vendor.again()
    assert vendor.app.stories.exclude(withdrawn_at=None).get().name == "Story B"


# -- Narrow runs ------------------------------------------------------------------------------------------------

A, B = people(4), people(4, first=11)


@pytest.fixture
def two_stories(vendor: Vendor) -> Vendor:
    vendor.sync(story(*A), story(*B, name="Story B", vendor_id="ID-B"))
    return vendor


def test_a_run_for_one_story_withdraws_in_that_story_only(two_stories):
    run = two_stories.sync(story(*A[:2]), scope=Scope(story="Story A"))
    assert (run.status, run.withdrawn, run.is_narrow) == (Status.SUCCESS, 2, True)
    assert gone(two_stories.app) == {"003", "004"}
    assert two_stories.asked[-1] == {"story": "Story A"}
    assert not two_stories.app.stories.exclude(withdrawn_at=None).exists()


def test_a_run_for_a_story_that_did_not_come_back_withdraws_nothing(two_stories):
    run = two_stories.sync(story(*B, name="Story B", vendor_id="ID-B"), scope=Scope(story="Story A"))
    assert (run.status, gone(two_stories.app)) == (Status.UNCHANGED, set())


def test_a_run_for_somebody_by_email_withdraws_of_that_person_only(two_stories):
    both = [A[0] | {"certificate": A[0]["certificate"] | {"url": f"u{n}"}} for n in (1, 2)]
    two_stories.sync(story(*both, *A[1:]), story(*B, name="Story B", vendor_id="ID-B"))
    run = two_stories.sync(story(both[0]), scope=Scope(users=(" ANN001@mail.example", "ann002@mail.example")))
    assert run.withdrawn == 2  # the second one of 001, and the one of 002, in the story that came back
    assert Certificate.objects.live().filter(lastname="001").count() == 1
    assert gone(two_stories.app) == {"001", "002"}


def test_a_run_for_somebody_by_name_withdraws_nothing(two_stories):
    run = two_stories.sync(story(A[0]), scope=Scope(users=("Ann 002",)))
    assert (run.status, gone(two_stories.app)) == (Status.UNCHANGED, set())


def test_who_was_asked_for_by_name_keeps_everything_beside_who_was_asked_for_by_email(two_stories):
    other = A[1] | {"certificate": A[1]["certificate"] | {"url": "other"}}
    two_stories.sync(story(*A, other), story(*B, name="Story B", vendor_id="ID-B"))
    run = two_stories.sync(story(other), scope=Scope(users=("ann001@mail.example", "Ann 002")))
    assert (run.withdrawn, gone(two_stories.app)) == (1, {"001"})


@pytest.mark.parametrize(
    "scope", [Scope(story="Story A"), Scope(users=("ann001@mail.example",)), Scope("Story A", ("ann001@mail.example",))]
)
@pytest.mark.parametrize("elements", [[], [story()]], ids=["nothing", "the story alone"])
def test_an_empty_narrow_answer_withdraws_nothing(scope, elements, two_stories):
    run = two_stories.sync(*elements, scope=scope)
    assert (run.status, gone(two_stories.app)) == (Status.UNCHANGED, set())


def test_a_narrow_run_is_held_by_its_own_measure(vendor):
    vendor.sync(story(*people(25)), story(*people(400, first=101), name="Story B", vendor_id="ID-B"))
    run = vendor.sync(story(*people(1)), scope=Scope(story="ID-A"))
    assert (run.status, run.missing) == (Status.HELD, 24)


def test_a_narrow_run_leaves_a_rename_to_the_next_full_one_and_history_follows(two_stories):
    old = two_stories.app.stories.get(name="Story A")
    certificates = set(old.certificates.values_list("pk", flat=True))
    renamed, other = story(*A, name="Story A, renamed"), story(*B, name="Story B", vendor_id="ID-B")
    run = two_stories.sync(renamed, scope=Scope(story="ID-A"))
    assert (run.status, run.created) == (Status.PARTIAL, 0)
    assert "“Story A, renamed” is left to the next full run" in run.message
    assert set(two_stories.app.stories.values_list("name", flat=True)) == {"Story A", "Story B"}
    run = two_stories.sync(renamed, other)
    assert (run.status, run.created, run.withdrawn) == (Status.SUCCESS, 0, 0)
    old.refresh_from_db()
    assert (old.name, set(old.certificates.live().values_list("pk", flat=True))) == ("Story A, renamed", certificates)
    assert list(old.changes.values_list("kind", flat=True)) == [Kind.RENAMED]


def test_a_narrow_run_before_the_first_full_one_brings_old_rows_too(vendor):
    monday, tuesday = datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC)
    assert vendor.sync(story(A[0]), scope=Scope(story="Story A"), at=monday).initial
    assert vendor.sync(story(*A[:2]), at=tuesday).initial
    assert not vendor.sync(story(*A[:3]), scope=Scope(story="Story A")).initial
    initial = dict(Certificate.objects.values_list("lastname", "initial"))
    assert initial == {"001": True, "002": True, "003": False}


def test_a_narrow_run_asks_for_no_group(two_stories):
    two_stories.app.groups.create(name="Sales", slug="sales")
    two_stories.groups["Sales"] = success(story(*A))
    run = two_stories.sync(story(*A), scope=Scope(story="Story A"))
    assert run.status == Status.UNCHANGED
    assert "groups" not in two_stories.asked[-1]
