"""Runs of several calls: one that brings nothing costs itself only, and many end the asking."""

from types import SimpleNamespace
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from certdash.falkor import Answer, FalkorClient, FalkorError, RefusedRequest, TooSlow, Unreachable, WrongToken
from certdash.models import App, SyncRun
from certdash.models.group import track_groups
from certdash.sync import calling
from tests.sync.account import Account, many, members
from tests.sync.vendor import live, new_app

Status = SyncRun.Status
DROPPED = Unreachable("vendor.example closed the connection without an answer")
SILENT = TooSlow("vendor.example did not begin to answer within 120 seconds")
REFUSED = RefusedRequest("The vendor refused the request (400)")
UNKNOWN = WrongToken("The vendor did not accept the token (401)")
NAMES = tuple("ABCDEFGH")


class Calls:
    """What comes of a call for a story or group, by its name, and how long a failing one takes."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.fails: dict[str, FalkorError] = {}
        self.asked: list[str] = []
        self.seconds, self._now = 0.0, 0.0
        self._real = FalkorClient.certificates
        patch.setattr(FalkorClient, "certificates", lambda client, **ask: self._call(client, ask))
        patch.setattr(calling, "time", SimpleNamespace(monotonic=lambda: self._now))

    def _call(self, client: FalkorClient, ask: dict[str, Any]) -> Answer:
        name = ask["groups"][0] if ask.get("groups") else ask.get("story", "")
        self.asked.append(name)
        if name in self.fails:
            self._now += self.seconds
            raise self.fails[name]
        return self._real(client, **ask)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    return Calls(monkeypatch)


@pytest.fixture
def account(db: None, httpserver: HTTPServer) -> Account:
    """Eight groups with somebody in each, who holds a certificate of the story of that name."""
    account = Account(httpserver, new_app(httpserver.url_for("")))
    account.holders = {name: {name.lower()} for name in NAMES}
    account.members = {name: {name.lower()} for name in NAMES}
    return account


@pytest.fixture(params=["groups", "stories"])
def part(request: pytest.FixtureRequest, account: Account) -> Account:
    """The account, of which only these groups or only these stories are synchronised."""
    if request.param == "groups":
        track_groups(account.app, list(NAMES))
    account.only(request.param, *(NAMES if request.param == "stories" else ()))
    return account


def people(names: str) -> set[str]:
    return set(names.lower())


@pytest.mark.parametrize("fault", [DROPPED, SILENT], ids=["dropped", "silent"])
@pytest.mark.parametrize("which", ["A", "H", "AB", "ABDEGH"])
def test_a_call_that_the_vendor_drops_costs_itself_only(which, fault, part, calls):
    calls.fails = dict.fromkeys(which, fault)
    run = part.again()
    assert (run.status, run.withdrawn) == (Status.PARTIAL, 0)
    assert calls.asked == list(NAMES)
    assert live(part.app) == people("".join(set(NAMES) - set(which)))
    assert f"“{which[0]}” is as before: {fault.what}" in run.message
    calls.fails = {}
    run = part.again()
    assert (run.status, live(part.app)) == (Status.SUCCESS, people("".join(NAMES)))


def test_after_three_silent_ones_in_a_row_nothing_more_is_asked_and_the_answers_count(part, calls):
    part.holders |= {name: {*part.holders[name], "old"} for name in NAMES}
    part.members |= {name: {name.lower(), "old"} for name in NAMES}
    part.again()
    part.holders["A"] = {"a", "new"}
    part.members["A"] = {"a", "new"}
    calls.asked.clear()
    calls.fails = {"B": REFUSED, "C": SILENT, "D": DROPPED, "E": SILENT}
    run = part.again()
    assert calls.asked == list("ABCDE")
    assert (run.status, run.created, run.withdrawn, run.out_of_scope) == (Status.PARTIAL, 1, 0, 0)
    assert "“E” is as before" in run.message
    assert "after it were not asked for" in run.message


def test_three_that_are_always_silent_keep_the_others_from_nothing(part, calls):
    calls.fails = dict.fromkeys("ABC", SILENT)
    assert (part.again().status, calls.asked) == (Status.FAILED, list("ABC"))
    calls.asked.clear()
    assert (part.again().status, calls.asked) == (Status.PARTIAL, list("DEFGHABC"))
    assert live(part.app) == people("DEFGH")
    calls.fails = {"A": SILENT}
    assert part.again().status == Status.PARTIAL
    calls.asked.clear()
    part.again()
    assert (calls.asked, live(part.app)) == (list("BCDEFGHA"), people("BCDEFGH"))


def test_one_that_is_silent_once_has_its_turn_again_beside_three_that_always_are(part, calls):
    part.again()
    for fails in ("ABC", "ABCD"):
        calls.fails = dict.fromkeys(fails, SILENT)
        part.again()
    calls.fails = dict.fromkeys("ABC", SILENT)
    for story in (part.holders, part.members):
        story["D"] = {"d", "new"}
    turns = []
    for _ in range(2):
        calls.asked.clear()
        part.again()
        turns.append("".join(calls.asked))
    assert "D" in turns[0] + turns[1]
    assert "new" in live(part.app)


def test_calls_that_are_refused_are_no_silence(part, calls):
    calls.fails = dict.fromkeys("ABCDEFG", REFUSED)
    assert part.again().status == Status.PARTIAL
    assert (calls.asked, live(part.app)) == (list(NAMES), {"h"})


def test_a_vendor_that_is_silent_from_the_beginning_fails_the_run(part, calls):
    calls.fails = dict.fromkeys(NAMES, SILENT)
    run = part.again()
    assert (run.status, calls.asked) == (Status.FAILED, list("ABC"))
    assert SILENT.what in run.message


def test_calls_that_bring_nothing_may_not_take_longer_than_three_together(part, calls, settings):
    settings.UPSTREAM_DEADLINE = 600
    calls.fails, calls.seconds = dict.fromkeys("ACEG", SILENT), 449
    part.again()
    assert calls.asked == list(NAMES)
    calls.asked.clear()
    App.objects.update(unanswered=[])  # else these would be asked last
    calls.seconds = 600
    run = part.again()
    assert (run.status, calls.asked) == (Status.PARTIAL, list("ABCDE"))
    assert "after it were not asked for" in run.message


def test_an_error_about_the_whole_account_ends_the_asking_and_keeps_what_came(part, calls):
    calls.fails = {"C": UNKNOWN}
    run = part.again()
    assert (run.status, calls.asked, live(part.app)) == (Status.PARTIAL, list("ABC"), {"a", "b"})
    assert UNKNOWN.what in run.message


def test_the_last_call_that_fails_leaves_no_other_out(part, calls):
    calls.fails = dict.fromkeys("FGH", SILENT)
    run = part.again()
    assert (run.status, calls.asked) == (Status.PARTIAL, list(NAMES))
    assert "were not asked for" not in run.message


def test_many_failures_do_not_hide_that_the_asking_ended(part, calls):
    calls.fails = dict.fromkeys("BCDE", REFUSED) | dict.fromkeys("F", UNKNOWN)
    assert "after it were not asked for" in part.again().message


# -- Who is in the groups, where everything is synchronised -----------------------------------------------------


def test_silent_groups_end_the_asking_for_groups(account, calls):
    track_groups(account.app, list(NAMES))
    calls.fails = dict.fromkeys("BCD", SILENT)
    run = account.again()
    assert (run.status, calls.asked) == (Status.PARTIAL, ["", *"ABCD"])
    assert "The groups after it were not asked for." in run.message
    assert (members("A"), members("E")) == ({"a"}, set())


def test_groups_are_not_asked_for_after_stories_that_ended_the_asking(account, calls):
    track_groups(account.app, ["X"])
    account.only("stories", *NAMES)
    calls.fails = dict.fromkeys("BCD", SILENT)
    run = account.again()
    assert calls.asked == list("ABCD")
    assert "The groups were not asked for either." in run.message


# -- The disk ---------------------------------------------------------------------------------------------------


def test_answers_that_lie_on_disk_at_one_time_are_together_no_larger_than_one_may_be(part, calls, settings):
    part.holders["C"] = many(100, "c")
    part.members["C"] = many(100, "c")
    settings.UPSTREAM_MAX_BYTES = 20_000
    run = part.again()
    assert (run.status, calls.asked) == (Status.PARTIAL, list(NAMES))
    assert live(part.app) == people("".join(set(NAMES) - {"C"}))
    assert "“C” is as before: The vendor's answers are together larger than" in run.message
    assert "CERTDASH_UPSTREAM_MAX_MB" in run.message
    assert run.size <= 20_000


def test_when_there_is_no_room_left_nothing_is_sent(part, settings):
    part.again()
    first = len(part.asked)
    settings.UPSTREAM_MAX_BYTES = SyncRun.objects.get().size // len(NAMES)  # of the first answer
    run = part.again()
    assert (run.status, len(part.asked) - first) == (Status.PARTIAL, 1)
