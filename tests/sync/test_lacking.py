"""How a lack is measured: by what was there at any time since everything was decided, so that no news hides it."""

from collections import Counter
from typing import Any

import pytest
from django.utils import timezone
from werkzeug import Response

from certdash.models import Change, SyncRun
from certdash.models.group import track_groups
from certdash.sync import answer as answer_module
from certdash.sync import bulk
from certdash.sync.lacking import too_many
from certdash.sync.lease import Stopped
from certdash.sync.withdrawals import accept, withdraw_accepted
from tests.falkor.vendors import success
from tests.sync.vendor import Vendor, gone, live, people, story

Status = SyncRun.Status
B = {"name": "Story B", "vendor_id": "ID-B"}
OLD = people(100)
LACKING = people(70)  # 30 of the old ones are missing
RETURNING = people(400, first=1001)
ODD_ELEMENT = {"story": {"name": 7}, "certificates": []}


def accepted(run: SyncRun) -> None:
    assert accept(run, None, timezone.now())
    run.refresh_from_db()
    withdraw_accepted(run, timezone.now)


@pytest.mark.parametrize(
    ("before", "missing", "too_much"),
    [
        ({1: 100}, {1: 21}, True),
        ({1: 105}, {1: 21}, False),
        ({1: 100, 2: 300}, {1: 21}, True),  # hidden by the news of the second
        ({1: 100, 2: 300}, {2: 81}, True),  # all the news of the second
        ({1: 100, 2: 300, 3: 600}, {2: 81}, True),  # hidden by the news of the third
        ({1: 100, 2: 300, 3: 600}, {1: 20, 2: 60, 3: 120}, False),
    ],
)
def test_a_lack_is_too_large_by_what_was_there_at_any_time(before, missing, too_much):
    assert too_many(Counter(before), Counter(missing)) is too_much


# -- Rows that return -------------------------------------------------------------------------------------------


@pytest.fixture
def withdrawn(vendor: Vendor) -> Vendor:
    """A hundred live certificates, and four hundred that were withdrawn."""
    vendor.sync(story(*OLD, *RETURNING))
    accepted(vendor.sync(story(*OLD)))
    assert vendor.again().status == Status.UNCHANGED
    return vendor


def test_a_lack_beside_many_that_return_is_held_again_by_the_same_answer(withdrawn):
    run = withdrawn.sync(story(*LACKING, *RETURNING))
    assert (run.status, run.missing, run.returned) == (Status.HELD, 30, 400)
    for _ in range(2):
        run = withdrawn.again()
        assert (run.status, run.missing, run.withdrawn) == (Status.HELD, 30, 0)
    assert len(live(withdrawn.app)) == 500


def test_a_lack_beside_many_that_returned_in_a_run_that_was_stopped_is_held(withdrawn, monkeypatch):
    def stopped(*_: object) -> None:
        raise Stopped

    with monkeypatch.context() as patch:
        patch.setattr("certdash.sync.work.Work._withdraw", stopped)
        run = withdrawn.sync(story(*LACKING, *RETURNING))
    assert (run.status, run.returned) == (Status.INTERRUPTED, 400)
    run = withdrawn.again()
    assert (run.status, run.missing, run.withdrawn) == (Status.HELD, 30, 0)


def test_a_lack_in_an_app_that_was_never_settled_is_measured_by_what_its_first_run_saw(vendor, monkeypatch):
    real = answer_module.plan_certificates

    def second_stops(*args: Any) -> Any:
        if args[1][0].lastname == "201":
            raise Stopped
        return real(*args)

    with monkeypatch.context() as patch:
        patch.setattr(answer_module, "plan_certificates", second_stops)
        patch.setattr(bulk, "ROWS", 1)
        assert vendor.sync(story(*OLD), story(*people(300, first=201), **B)).status == Status.INTERRUPTED
    assert len(live(vendor.app)) == 100
    for _ in range(2):
        run = vendor.sync(story(*LACKING), story(*people(300, first=201), **B))
        assert (run.status, run.missing, run.withdrawn) == (Status.HELD, 30, 0)


# -- News that came with a held answer --------------------------------------------------------------------------

NEWS = people(300, first=201)


@pytest.fixture
def held(vendor: Vendor) -> Vendor:
    """A hundred settled certificates, of which a held run lacks 30 and brings three hundred others."""
    vendor.sync(story(*OLD))
    assert vendor.sync(story(*LACKING, *NEWS)).status == Status.HELD
    return vendor


def test_what_came_with_a_held_answer_is_not_withdrawn_unseen_either(held):
    run = held.sync(story(*OLD, *NEWS[:20]))
    assert (run.status, run.missing, run.withdrawn) == (Status.HELD, 280, 0)
    accepted(run)
    assert len(live(held.app)) == 120


def test_what_is_held_of_such_news_stays_so_however_many_more_come(held):
    for _ in range(2):
        run = held.sync(story(*OLD, *NEWS[:215], *people(400, first=2001)))
        assert (run.status, run.missing, run.withdrawn) == (Status.HELD, 85, 0)


def test_a_lack_stays_held_across_a_run_that_could_decide_nothing(held):
    run = held.sync(story(*LACKING, *NEWS), ODD_ELEMENT)
    assert (run.status, run.missing) == (Status.PARTIAL, 0)
    run = held.sync(story(*LACKING, *NEWS))
    assert (run.status, run.missing, run.withdrawn) == (Status.HELD, 30, 0)


def test_once_what_was_held_is_back_a_later_lack_is_measured_anew(held):
    assert held.sync(story(*OLD, *NEWS), ODD_ELEMENT).status == Status.PARTIAL
    run = held.sync(story(*people(79), *NEWS))  # 21 of 400
    assert (run.status, run.withdrawn) == (Status.SUCCESS, 21)


def test_what_an_owner_accepted_is_the_new_measure(held):
    accepted(held.app.runs.first())
    run = held.sync(story(*people(49), *NEWS))  # 21 of 370
    assert (run.status, run.withdrawn) == (Status.SUCCESS, 21)
    assert held.app.changes.filter(kind=Change.Kind.WITHDRAWN).count() == len(gone(held.app)) == 51


# -- Members ----------------------------------------------------------------------------------------------------


@pytest.fixture
def group(vendor: Vendor) -> Vendor:
    """A group of a hundred, of whom a held run lacks 30 and finds three hundred others."""
    track_groups(vendor.app, ["Sales"])
    vendor.groups["Sales"] = success(story(*OLD))
    vendor.sync(story(*OLD, *NEWS, *people(400, first=2001)))
    vendor.groups["Sales"] = success(story(*LACKING, *NEWS))
    run = vendor.again()
    assert (run.status, run.missing_members, run.joined) == (Status.HELD, 30, 300)
    return vendor


def test_members_who_came_with_a_held_answer_are_not_taken_out_unseen_either(group):
    group.groups["Sales"] = success(story(*OLD, *NEWS[:20]))
    run = group.again()
    assert (run.status, run.missing_members, run.left) == (Status.HELD, 280, 0)


def test_members_who_are_missing_beside_many_others_stay_held(group):
    group.groups["Sales"] = success(story(*OLD, *NEWS[:215], *people(400, first=2001)))
    for _ in range(2):
        run = group.again()
        assert (run.status, run.missing_members, run.left) == (Status.HELD, 85, 0)


def test_members_stay_held_across_a_run_in_which_the_group_failed(group):
    held, group.groups["Sales"] = group.groups["Sales"], Response("{}", 400)
    assert group.again().status == Status.PARTIAL
    group.groups["Sales"] = held
    run = group.again()
    assert (run.status, run.missing_members, run.left) == (Status.HELD, 30, 0)
