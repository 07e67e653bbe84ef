"""Apps that synchronise only a part: what is asked, what is withdrawn, and what is only out of scope."""

import json
from typing import Any

import pytest
from django.utils import timezone
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from certdash.models import App, Certificate, Change, Group, Membership, Story, SyncRun
from certdash.models.group import track_groups
from certdash.sync.asking import Scope
from certdash.sync.withdrawals import accept, withdraw_accepted
from tests.falkor.vendors import row, success
from tests.sync.vendor import Vendor, gone, live, new_app, story

Status, Kind = SyncRun.Status, Change.Kind
REFUSED = Response('{"status": "error", "message": "Too large."}', 400)


class Account(Vendor):
    """A vendor that knows who holds what and who is in which group, and answers just what it is asked."""

    def __init__(self, server: HTTPServer, app: App) -> None:
        super().__init__(server, app)
        self.holders: dict[str, set[str]] = {}  # last names by the name of the story
        self.members: dict[str, set[str]] = {}  # last names by the name of the group
        self.refused: set[str] = set()  # stories and groups for which a call fails
        self.broken: set[str] = set()  # last names whose rows cannot be understood

    def _answer(self, request: Request) -> Response:
        asked = json.loads(request.data)
        self.asked.append(asked)
        named = {asked.get("story"), *asked.get("groups", [])}
        if named & self.refused:
            return REFUSED
        return Response(success(*self._stories(asked)), mimetype="application/json")

    def _stories(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        found = []
        for name, holders in self.holders.items():
            if asked.get("story", name) not in (name, id_of(name)):
                continue
            rows = [self._row(name, last) for last in sorted(holders) if self._is_asked_for(last, asked)]
            if rows or not asked.keys() & {"users", "groups"}:
                found.append(story(*rows, name=name, vendor_id=id_of(name)))
        return found

    def _is_asked_for(self, last: str, asked: dict[str, Any]) -> bool:
        in_groups = set().union(*(self.members.get(name, set()) for name in asked.get("groups", [])))
        by_group = "groups" not in asked or last in in_groups
        return by_group and ("users" not in asked or bool({email_of(last), last} & set(asked["users"])))

    def _row(self, name: str, last: str) -> dict[str, Any]:
        certificate = {"url": f"https://c.example/{id_of(name)}/{last}"}
        if last in self.broken:
            certificate["timestamp"] = "yesterday"
        return row(firstname="", lastname=last, email=email_of(last), certificate=certificate)

    def only(self, breadth: str, *stories: str) -> None:
        """What an owner sets on the scope page."""
        self.app.breadth, self.app.listed_stories = breadth, list(stories)
        self.app.save()


def id_of(name: str) -> str:
    return f"ID-{name}"


def email_of(last: str) -> str:
    return f"{last}@mail.example"


def many(count: int, prefix: str = "p") -> set[str]:
    return {f"{prefix}{number:03d}" for number in range(count)}


def outside(app: App) -> set[str]:
    """Last names of who has a certificate out of scope."""
    return set(Certificate.objects.of([app]).exclude(out_of_scope_at=None).values_list("lastname", flat=True))


def history(app: App, last: str) -> list[str]:
    changes = Change.objects.filter(app=app, certificate__lastname=last).order_by("pk")
    return list(changes.values_list("kind", flat=True))


def members(group: str) -> set[str]:
    now = Membership.objects.filter(group__name=group, until=None)
    return set(now.values_list("learner__name", flat=True))


def accepted(run: SyncRun) -> SyncRun:
    assert accept(run, None, timezone.now())
    run.refresh_from_db()
    withdraw_accepted(run, timezone.now)
    run.refresh_from_db()
    return run


@pytest.fixture
def account(db: None, httpserver: HTTPServer) -> Account:
    """Three stories, with ann in A, ben in A and B, cleo in C; synchronised whole."""
    account = Account(httpserver, new_app(httpserver.url_for("")))
    account.holders = {"A": {"ann", "ben"}, "B": {"ben"}, "C": {"cleo"}}
    assert account.again().status == Status.SUCCESS
    account.asked.clear()
    return account


# -- Only listed stories ----------------------------------------------------------------------------------------


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
    monkeypatch.setattr(f"{__name__}.id_of", lambda name: "ID-A" if name == "D" else f"ID-{name}")
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


# -- Only the tracked groups ------------------------------------------------------------------------------------


@pytest.fixture
def groups(account: Account) -> Account:
    """ann and ben in Sales, ben and cleo in Stock; both tracked and synchronised, and nothing else is."""
    account.members = {"Sales": {"ann", "ben"}, "Stock": {"ben", "cleo"}}
    track_groups(account.app, ["Sales", "Stock"])
    account.only("groups")
    run = account.again()
    assert (run.status, run.joined, run.out_of_scope) == (Status.SUCCESS, 4, 0)
    account.asked.clear()
    return account


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


@pytest.fixture
def crowd(account: Account) -> Account:
    """A hundred people in Sales, each with A and B."""
    account.holders = {"A": many(100), "B": many(100)}
    account.members = {"Sales": many(100)}
    track_groups(account.app, ["Sales"])
    account.only("groups")
    assert account.again().status == Status.SUCCESS
    return account


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
    monkeypatch.setattr(f"{__name__}.id_of", lambda name: "ID-C" if name == "D" else f"ID-{name}")
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
    monkeypatch.setattr(f"{__name__}.id_of", lambda name: "ID-C" if name == "D" else f"ID-{name}")
    groups.members["Stock"].remove("cleo")
    groups.holders["D"] = {"ann"}
    run = groups.again()
    assert (run.status, run.created, run.out_of_scope) == (Status.SUCCESS, 1, 1)
    assert set(Story.objects.values_list("name", flat=True)) == {"A", "B", "C", "D"}
    assert not Change.objects.filter(kind=Kind.RENAMED).exists()


def test_a_story_that_is_renamed_keeps_its_history_where_only_groups_are_asked_for(groups, monkeypatch):
    monkeypatch.setattr(f"{__name__}.id_of", lambda name: "ID-A" if name == "A, 2nd edition" else f"ID-{name}")
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


# -- Narrow runs of such apps -----------------------------------------------------------------------------------


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
