"""What is old and what is news: old is what comes with the first answer to a question, be others answered or not."""

import pytest
from pytest_httpserver import HTTPServer

from certdash.models import App, Certificate, SyncRun
from certdash.models.group import track_groups
from certdash.sync.asking import Scope
from certdash.sync.lease import Stopped
from tests.sync.account import Account
from tests.sync.vendor import new_app, people, story

Status = SyncRun.Status


@pytest.fixture
def account(db: None, httpserver: HTTPServer) -> Account:
    """Two stories and two groups of the same names, a holder in each."""
    account = Account(httpserver, new_app(httpserver.url_for("")))
    account.holders = {"A": {"ann"}, "B": {"ben"}}
    account.members = {"A": {"ann"}, "B": {"ben"}}
    return account


@pytest.fixture(params=["groups", "stories"])
def part(request: pytest.FixtureRequest, account: Account) -> Account:
    """The account, of which only A is synchronised, and a question that is always refused."""
    ask_for(account, request.param, "A", "Tpyo")
    account.refused = {"Tpyo"}
    return account


def ask_for(account: Account, breadth: str, *names: str) -> None:
    if breadth == "groups":
        track_groups(account.app, list(names))
    account.only(breadth, *(names if breadth == "stories" else ()))


def award(account: Account, name: str, last: str) -> None:
    account.holders[name] = {*account.holders.get(name, ()), last}
    account.members[name] = {*account.members.get(name, ()), last}


def news() -> set[str]:
    return set(Certificate.objects.filter(initial=False).values_list("lastname", flat=True))


def test_a_question_that_always_fails_makes_nothing_old_but_its_own_answer(part):
    assert part.again().initial
    award(part, "A", "new")
    run = part.again()
    assert (run.status, run.initial, run.created, news()) == (Status.PARTIAL, False, 1, {"new"})
    part.refused = set()
    award(part, "Tpyo", "old")
    award(part, "A", "newer")
    run = part.again()
    assert (run.status, run.initial, run.created, news()) == (Status.SUCCESS, False, 2, {"new", "newer"})
    award(part, "Tpyo", "newest")
    part.again()
    assert news() == {"new", "newer", "newest"}


def test_what_is_asked_for_in_addition_is_old_and_the_rest_is_news(part):
    part.again()
    ask_for(part, part.app.breadth, "A", "B")
    award(part, "A", "new")
    run = part.again()
    assert (run.status, run.created, run.initial, news()) == (Status.SUCCESS, 2, False, {"new"})
    assert part.again().status == Status.UNCHANGED


def test_somebody_new_in_an_old_and_in_a_new_group_is_news(account):
    ask_for(account, "groups", "A")
    account.again()
    award(account, "A", "both")
    account.holders["A"] |= {"b's"}
    account.members["B"] = {"both", "b's"}
    ask_for(account, "groups", "A", "B")
    account.holders["B"] = set()
    run = account.again()
    assert (run.status, run.created, news()) == (Status.SUCCESS, 2, {"both"})
    assert account.again().status == Status.UNCHANGED


def test_what_changed_beside_rows_that_are_only_old_is_written_too(account):
    ask_for(account, "groups", "A")
    account.holders["A"] = {"ann", "gone"}
    account.members["A"] = {"ann", "gone"}
    account.again()
    account.holders["A"] = {"ann"}
    account.again()
    account.holders["A"] = {"ann", "gone", "b's"}
    account.members["B"] = {"b's"}
    ask_for(account, "groups", "A", "B")
    run = account.again()
    assert (run.created, run.returned, news()) == (1, 1, set())
    assert account.again().status == Status.UNCHANGED


def test_a_new_question_whose_first_run_was_cut_off_is_still_new(part, monkeypatch):
    def stopped(*_: object) -> None:
        raise Stopped

    part.again()
    ask_for(part, part.app.breadth, "A", "B")
    with monkeypatch.context() as patch:
        patch.setattr("certdash.sync.work.Work._withdraw", stopped)
        assert part.again().status == Status.INTERRUPTED
    award(part, "B", "bea")
    assert part.again().created == 1
    assert news() == set()


def test_less_than_everything_was_asked_for_already(account):
    account.again()
    award(account, "A", "new")
    account.members["A"] = {"ann", "new"}
    ask_for(account, "groups", "A")
    run = account.again()
    assert (run.created, run.initial, news()) == (1, False, {"new"})


def test_a_story_that_is_listed_in_other_letters_is_no_new_question(vendor):
    for listed, rows in (("id-a", people(2)), (" ID-A ", people(3))):
        App.objects.update(breadth="stories", listed_stories=[listed])
        vendor.app.refresh_from_db()
        vendor.sync(story(*rows))
    assert news() == {"003"}


def test_another_app_of_the_vendor_is_another_question(account):
    account.again()
    App.objects.update(app_id="io.other")
    account.app.refresh_from_db()
    award(account, "A", "new")
    assert account.again().initial


def test_a_narrow_run_is_news_where_its_full_question_was_answered(part):
    part.again()
    award(part, "A", "new")
    assert not part.again(scope=Scope(users=("new@mail.example",))).initial
    assert news() == {"new"}


def test_a_page_that_was_open_for_a_while_does_not_make_all_of_it_old_again(account):
    before = App.objects.get()
    account.again()
    before.name = "Renamed"
    before.save()
    award(account, "A", "new")
    assert not account.again().initial
