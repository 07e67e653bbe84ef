"""Apps that synchronise only listed stories."""

import pytest

from certdash.models import App, Certificate, Change, Story, SyncRun
from certdash.models.group import track_groups
from tests.sync.account import accepted, history, many, outside
from tests.sync.vendor import gone, live

Status, Kind = SyncRun.Status, Change.Kind


def test_each_listed_story_is_one_call_by_id_or_name(account):
    track_groups(account.app, ["Sales"])
    account.only("stories", "ID-A", "B")
    assert account.again().status == Status.SUCCESS
    assert account.asked == [{"story": "ID-A"}, {"story": "B"}, {"groups": ["Sales"]}]


def test_what_is_no_longer_listed_is_out_of_scope_and_not_withdrawn(account):
    account.only("stories", "ID-A", "B")
    account.holders["B"] = set()
    run = account.again()
    assert (run.status, run.out_of_scope, run.withdrawn) == (Status.SUCCESS, 1, 1)
    assert "1 out of scope" in run.message
    assert (live(account.app), outside(account.app), gone(account.app)) == ({"ann", "ben"}, {"cleo"}, {"ben"})
    assert history(account.app, "cleo") == [Kind.OUTSIDE]
    assert not Story.objects.exclude(withdrawn_at=None).exists()


def test_the_same_answers_of_listed_stories_change_nothing(account):
    account.only("stories", "A", "B")
    account.again()
    version = App.objects.get().version
    assert account.again().status == Status.UNCHANGED
    assert App.objects.get().version == version


def test_a_listed_story_that_fails_makes_the_run_partial_and_nothing_is_missing(account):
    account.only("stories", "A", "B")
    account.holders |= {"A": {"ann", "dan"}}
    account.refused = {"B"}
    run = account.again()
    assert (run.status, run.created, run.withdrawn, run.out_of_scope) == (Status.PARTIAL, 1, 0, 0)
    assert "The story “B” is as before" in run.message
    assert live(account.app) == {"ann", "ben", "cleo", "dan"}
    account.refused = set()
    run = account.again()
    assert (run.status, run.withdrawn, run.out_of_scope) == (Status.SUCCESS, 1, 1)
    assert live(account.app) == {"ann", "ben", "dan"}  # ben keeps B


@pytest.mark.parametrize("listed", [("A",), ("A", "B")])
def test_when_every_call_fails_so_does_the_run(listed, account):
    account.only("stories", *listed)
    account.refused = {"A", "B"}
    run = account.again()
    assert (run.status, run.vendor_message) == (Status.FAILED, "Too large.")
    assert live(account.app) == {"ann", "ben", "cleo"}


def test_an_empty_answer_to_a_list_holds_what_is_listed(account):
    account.only("stories", "A")
    account.holders["A"] = set()
    run = account.again()
    assert (run.status, run.missing, run.out_of_scope) == (Status.HELD, 2, 2)
    assert (live(account.app), outside(account.app)) == ({"ann", "ben"}, {"ben", "cleo"})
    assert accepted(run).withdrawn == 2


def test_much_that_is_no_longer_asked_for_is_held_by_nobody(account):
    account.holders["C"] = many(100)
    account.again()
    account.only("stories", "A")
    run = account.again()
    assert (run.status, run.out_of_scope) == (Status.SUCCESS, 101)


def test_rows_that_are_asked_for_again_are_the_same_certificates(account):
    before = set(Certificate.objects.values_list("pk", "lastname"))
    account.only("stories", "A")
    account.again()
    account.only("everything")
    run = account.again()
    assert (run.status, run.returned, run.created) == (Status.SUCCESS, 2, 0)
    assert set(Certificate.objects.live().values_list("pk", "lastname")) == before
    assert history(account.app, "cleo") == [Kind.OUTSIDE, Kind.RETURNED]


def test_what_was_withdrawn_stays_withdrawn_when_it_is_no_longer_asked_for(account):
    account.holders["C"] = set()
    account.again()
    account.only("stories", "A")
    account.again()
    assert (gone(account.app), outside(account.app)) == ({"cleo"}, {"ben"})


def test_an_app_that_lists_nothing_says_so(account):
    account.only("stories")
    run = account.again()
    assert (run.status, account.asked) == (Status.FAILED, [])
    assert "and none is listed. Nothing was changed." in run.message
    assert live(account.app) == {"ann", "ben", "cleo"}


def test_another_story_of_the_same_id_is_not_the_old_one_renamed(account, monkeypatch):
    monkeypatch.setattr("tests.sync.account.id_of", lambda name: "ID-A" if name == "D" else f"ID-{name}")
    account.holders["D"] = {"dan"}
    account.only("stories", "D")
    run = account.again()
    assert (run.status, run.created, run.out_of_scope) == (Status.SUCCESS, 1, 4)
    assert set(Story.objects.values_list("name", flat=True)) == {"A", "B", "C", "D"}
    assert not Change.objects.filter(kind=Kind.RENAMED).exists()


def test_a_row_that_is_not_understood_is_placed_in_the_answer_about_its_story(account):
    account.only("stories", "A", "C")
    account.broken = {"ann", "cleo"}
    run = account.again()
    assert {place.removesuffix("data[0].certificates[0].certificate.timestamp") for place in places(run)} == {
        "story A: ", "story C: ",
    }  # fmt: skip


def places(run: SyncRun) -> list[str]:
    return list(run.rejections.values_list("path", flat=True))
