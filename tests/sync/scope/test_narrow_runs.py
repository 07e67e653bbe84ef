"""Narrow runs of apps that synchronise only a part."""

import pytest

from certdash.models import SyncRun
from certdash.sync.asking import Scope
from tests.sync.account import outside
from tests.sync.vendor import gone, live

Status = SyncRun.Status


@pytest.mark.parametrize(("listed", "asked"), [("ID-A", "A"), ("A", "ID-A"), ("ID-A", "id-a"), (" A", "A ")])
def test_a_listed_story_is_asked_for_as_it_is_listed(listed, asked, account):
    account.only("stories", "B", listed)
    run = account.again(scope=Scope(story=asked))
    assert (run.status, account.asked) == (Status.UNCHANGED, [{"story": listed}])


def test_a_story_that_is_not_listed_is_not_asked_for(account):
    account.only("stories", "A")
    run = account.again(scope=Scope(story="C"))
    assert (run.status, account.asked) == (Status.FAILED, [])
    assert "this is none of them" in run.message
    assert live(account.app) == {"ann", "ben", "cleo"}


def test_somebody_is_asked_for_in_each_listed_story(account):
    account.only("stories", "A", "B")
    run = account.again(scope=Scope(users=("ben@mail.example",)))
    assert run.status == Status.UNCHANGED
    assert account.asked == [
        {"story": "A", "users": ["ben@mail.example"]},
        {"story": "B", "users": ["ben@mail.example"]},
    ]


def test_a_story_is_asked_for_in_each_tracked_group(groups):
    groups.holders["A"].add("cleo")
    run = groups.again(scope=Scope(story="A"))
    assert (run.status, run.created) == (Status.SUCCESS, 1)
    assert groups.asked == [{"story": "A", "groups": ["Sales"]}, {"story": "A", "groups": ["Stock"]}]


@pytest.mark.parametrize("scope", [Scope(story="A"), Scope(users=("ann@mail.example", "ben@mail.example"))])
def test_whoever_left_a_group_is_not_withdrawn_by_a_narrow_run(scope, groups):
    """It does not ask who is in the groups, so it cannot tell who left from what was withdrawn."""
    groups.members["Sales"].remove("ann")
    run = groups.again(scope=scope)
    assert (run.status, gone(groups.app)) == (Status.UNCHANGED, set())
    groups.again()
    assert (gone(groups.app), outside(groups.app)) == (set(), {"ann"})


def test_a_narrow_run_that_fails_for_one_group_withdraws_nothing(groups):
    groups.refused = {"Stock"}
    groups.holders["A"].remove("ben")
    run = groups.again(scope=Scope(story="A"))
    assert (run.status, gone(groups.app)) == (Status.PARTIAL, set())
