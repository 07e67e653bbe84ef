"""An account that is synchronised whole, and ones of which only the tracked groups are."""

import pytest
from pytest_httpserver import HTTPServer

from certdash.models import SyncRun
from certdash.models.group import track_groups
from tests.sync.account import Account, many
from tests.sync.vendor import new_app

Status = SyncRun.Status


@pytest.fixture
def account(db: None, httpserver: HTTPServer) -> Account:
    """Three stories, with ann in A, ben in A and B, cleo in C; synchronised whole."""
    account = Account(httpserver, new_app(httpserver.url_for("")))
    account.holders = {"A": {"ann", "ben"}, "B": {"ben"}, "C": {"cleo"}}
    assert account.again().status == Status.SUCCESS
    account.asked.clear()
    return account


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


@pytest.fixture
def crowd(account: Account) -> Account:
    """A hundred people in Sales, each with A and B."""
    account.holders = {"A": many(100), "B": many(100)}
    account.members = {"Sales": many(100)}
    track_groups(account.app, ["Sales"])
    account.only("groups")
    assert account.again().status == Status.SUCCESS
    return account
