"""Apps that synchronise only the tracked groups."""

from django.utils import timezone

from certdash.models import Certificate, Change, Group, Membership, Story, SyncRun
from certdash.models.group import track_groups
from certdash.sync.withdrawals import accept
from tests.sync.account import accepted, history, many, members, outside
from tests.sync.vendor import gone, live

Status, Kind = SyncRun.Status, Change.Kind


def test_each_tracked_group_is_one_call_which_tells_its_members_too(groups):
    assert groups.again().status == Status.UNCHANGED
    assert groups.asked == [{"groups": ["Sales"]}, {"groups": ["Stock"]}]
    assert (members("Sales"), members("Stock")) == ({"ann", "ben"}, {"ben", "cleo"})
    assert not Group.objects.filter(checked_at=None).exists()


def test_whoever_is_in_no_tracked_group_goes_out_of_scope(account):
    account.members = {"Sales": {"ann"}}
    track_groups(account.app, ["Sales"])
    account.only("groups")
    run = account.again()
    assert (run.status, run.out_of_scope, run.withdrawn) == (Status.SUCCESS, 3, 0)
    assert (live(account.app), outside(account.app)) == ({"ann"}, {"ben", "cleo"})


def test_somebody_in_two_groups_stays_until_the_last_one(groups):
    groups.members["Stock"].remove("ben")
    run = groups.again()
    assert (run.status, run.left, run.out_of_scope) == (Status.SUCCESS, 1, 0)
    assert Certificate.objects.live().filter(lastname="ben").count() == 2
    groups.members["Sales"].remove("ben")
    run = groups.again()
    assert (run.status, run.left, run.out_of_scope, run.withdrawn) == (Status.SUCCESS, 1, 2, 0)
    assert (outside(groups.app), gone(groups.app)) == ({"ben"}, set())


def test_whoever_joins_again_has_the_same_certificates_again(groups):
    groups.members["Sales"].remove("ann")
    groups.again()
    assert outside(groups.app) == {"ann"}
    groups.members["Sales"].add("ann")
    run = groups.again()
    assert (run.status, run.returned, run.created, run.joined) == (Status.SUCCESS, 1, 0, 1)
    assert history(groups.app, "ann") == [Kind.OUTSIDE, Kind.RETURNED]


def test_a_certificate_that_a_member_lost_is_withdrawn(groups):
    groups.holders["B"].remove("ben")
    run = groups.again()
    assert (run.status, run.withdrawn, run.out_of_scope) == (Status.SUCCESS, 1, 0)
    assert gone(groups.app) == {"ben"}


def test_a_member_who_lost_all_certificates_looks_like_one_who_left(groups):
    """Only people with a certificate come back: the vendor does not tell the two apart."""
    groups.holders["A"].remove("ann")
    assert groups.again().out_of_scope == 1


def test_a_group_that_fails_makes_the_run_partial_and_nothing_is_missing(groups):
    groups.holders |= {"A": {"ann", "ben", "dan"}, "B": set()}
    groups.members |= {"Sales": {"ben", "dan"}}
    groups.refused = {"Stock"}
    run = groups.again()
    assert (run.status, run.created, run.withdrawn, run.out_of_scope) == (Status.PARTIAL, 1, 0, 0)
    assert "The group “Stock” is as before" in run.message
    assert live(groups.app) == {"ann", "ben", "cleo", "dan"}
    assert (members("Sales"), members("Stock")) == ({"ben", "dan"}, {"ben", "cleo"})
    groups.refused = set()
    run = groups.again()
    assert (run.status, run.withdrawn, run.out_of_scope) == (Status.SUCCESS, 1, 1)
    assert (gone(groups.app), outside(groups.app)) == ({"ben"}, {"ann"})


def test_when_every_group_fails_so_does_the_run(groups):
    groups.refused = {"Sales", "Stock"}
    run = groups.again()
    assert (run.status, run.vendor_message) == (Status.FAILED, "Too large.")
    assert live(groups.app) == {"ann", "ben", "cleo"}


def test_a_group_that_is_not_tracked_any_more_takes_its_rows_along_until_it_is_again(groups):
    track_groups(groups.app, ["Sales"])
    run = groups.again()
    assert (run.status, run.out_of_scope, outside(groups.app)) == (Status.SUCCESS, 1, {"cleo"})
    track_groups(groups.app, ["Sales", "Stock"])
    run = groups.again()
    assert (run.status, run.returned, outside(groups.app)) == (Status.SUCCESS, 1, set())


def test_everything_again_brings_all_of_it_back(groups):
    groups.members["Sales"] = groups.members["Stock"] = {"ben"}
    groups.again()
    assert outside(groups.app) == {"ann", "cleo"}
    groups.only("everything")
    run = groups.again()
    assert (run.status, run.returned, outside(groups.app)) == (Status.SUCCESS, 2, set())


def test_groups_of_which_nobody_comes_back_are_held_with_their_rows(groups):
    groups.members = {}
    run = groups.again()
    assert (run.status, run.missing, run.missing_members, run.out_of_scope) == (Status.HELD, 4, 4, 0)
    assert live(groups.app) == {"ann", "ben", "cleo"}
    run = accepted(run)
    assert (run.withdrawn, run.out_of_scope) == (0, 4)
    assert (gone(groups.app), outside(groups.app)) == (set(), {"ann", "ben", "cleo"})
    assert not Membership.objects.filter(until=None).exists()


def test_one_held_group_holds_its_rows_and_those_of_the_other_group_stay(groups):
    groups.members["Stock"] = set()
    run = groups.again()
    assert (run.status, run.missing, run.missing_members) == (Status.HELD, 1, 2)
    groups.members["Stock"] = {"ben", "cleo"}
    assert groups.again().status == Status.UNCHANGED
    assert not accept(run, None, timezone.now())
    assert live(groups.app) == {"ann", "ben", "cleo"}


def test_much_that_members_lost_is_held_and_withdrawn_when_accepted(crowd):
    crowd.holders["B"] = set()
    run = crowd.again()
    assert (run.status, run.missing, run.missing_members) == (Status.HELD, 100, 0)
    run = accepted(run)
    assert (run.withdrawn, run.out_of_scope) == (100, 0)
    assert crowd.again().status == Status.UNCHANGED


def test_many_who_left_are_held_and_out_of_scope_when_accepted(crowd):
    crowd.members["Sales"] = many(70)
    run = crowd.again()
    assert (run.status, run.missing, run.missing_members) == (Status.HELD, 60, 30)
    run = accepted(run)
    assert (run.withdrawn, run.out_of_scope) == (0, 60)
    assert members("Sales") == many(70)
    assert outside(crowd.app) >= many(100) - many(70)
    assert not gone(crowd.app)
    assert crowd.again().status == Status.UNCHANGED


def test_some_who_left_beside_much_that_others_lost_need_no_owner(crowd):
    crowd.members["Sales"] = many(90)
    crowd.holders["B"] = many(20)
    run = crowd.again()
    assert (run.status, run.missing, run.out_of_scope, run.left) == (Status.HELD, 70, 20, 10)
    assert accepted(run).withdrawn == 70


def test_a_story_whose_group_could_not_be_asked_for_is_not_renamed_to_its_namesake(groups, monkeypatch):
    monkeypatch.setattr("tests.sync.account.id_of", lambda name: "ID-C" if name == "D" else f"ID-{name}")
    groups.refused = {"Stock"}
    groups.holders["D"] = {"ann"}
    run = groups.again()
    assert (run.status, run.created) == (Status.PARTIAL, 1)
    groups.refused = set()
    run = groups.again()
    assert (run.status, run.created, run.withdrawn) == (Status.UNCHANGED, 0, 0)
    assert holders("C") == {"cleo"}
    assert holders("D") == {"ann"}
    assert not Change.objects.exists()


def test_a_story_whose_last_member_left_is_not_renamed_to_its_namesake(groups, monkeypatch):
    monkeypatch.setattr("tests.sync.account.id_of", lambda name: "ID-C" if name == "D" else f"ID-{name}")
    groups.members["Stock"].remove("cleo")
    groups.holders["D"] = {"ann"}
    run = groups.again()
    assert (run.status, run.created, run.out_of_scope) == (Status.SUCCESS, 1, 1)
    assert set(Story.objects.values_list("name", flat=True)) == {"A", "B", "C", "D"}
    assert not Change.objects.filter(kind=Kind.RENAMED).exists()


def test_a_story_that_is_renamed_keeps_its_history_where_only_groups_are_asked_for(groups, monkeypatch):
    monkeypatch.setattr("tests.sync.account.id_of", lambda name: "ID-A" if name == "A, 2nd edition" else f"ID-{name}")
    groups.holders["A, 2nd edition"] = groups.holders.pop("A")
    before = set(Certificate.objects.filter(story__name="A").values_list("pk", flat=True))
    run = groups.again()
    assert (run.status, run.created, run.withdrawn) == (Status.SUCCESS, 0, 0)
    assert set(Certificate.objects.filter(story__name="A, 2nd edition").values_list("pk", flat=True)) == before


def holders(name: str) -> set[str]:
    return set(Certificate.objects.live().filter(story__name=name).values_list("lastname", flat=True))


def test_an_app_that_tracks_no_group_says_so(account):
    account.only("groups")
    run = account.again()
    assert (run.status, account.asked) == (Status.FAILED, [])
    assert "there is none. Nothing was changed." in run.message


def test_whoever_left_beside_a_row_that_was_set_aside_is_not_withdrawn(groups):
    """Anybody may stand in the broken row, so nobody leaves the group; then nobody's rows are missing either."""
    groups.holders["C"].add("ben")
    groups.again()
    groups.members["Stock"].remove("cleo")
    groups.broken = {"ben"}
    groups.holders["C"].remove("ben")
    run = groups.again()
    assert (run.status, run.withdrawn, gone(groups.app)) == (Status.PARTIAL, 0, set())
    groups.broken = set()
    groups.again()
    assert "cleo" in outside(groups.app)
