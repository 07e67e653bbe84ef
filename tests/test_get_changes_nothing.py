"""A GET reads: only the session's and the last visit's stamps move, and what is written down of it is added."""

from typing import Any

import pytest
from django.apps import apps
from django.test import Client

from tests import test_access
from tests.test_access import GET, WHO, logged_in

# Stamps of visits, and rows that are only added to.
_MAY_MOVE = {"django_session", "certdash_auditentry"}
_STAMPS = {"last_login", "visited_at", "visited_before"}

addresses = test_access.addresses


# What forms send, in an address: only a POST may do something by it.
_FORM = "?wanted=1&name=x&path=/certificates/&query=q%3Da&time_zone=Europe/Berlin&table=certificates&per_page=25"
_FILE = "?_export=xlsx&_selected=1&id=1"


def signature() -> dict[str, list[Any]]:
    """Every row of every table but those."""
    return {
        table: sorted(
            tuple((name, repr(value)) for name, value in row.items() if name not in _STAMPS)
            for row in model._base_manager.values()
        )
        for model in apps.get_models(include_auto_created=True)
        if (table := model._meta.db_table) not in _MAY_MOVE
    }


def get(client: Client, address: str) -> None:
    response = client.get(address)
    if response.streaming:
        for _ in response:
            pass


@pytest.mark.parametrize("who", WHO)
def test_get_changes_no_row(who: str, cast: Any, addresses: dict[str, str]) -> None:
    client = logged_in(cast, who)
    before = signature()
    for name in GET:
        for query in ("", "?_export=csv", "?page=2&sort=-person", "?_part=filters", _FILE, _FORM):
            get(client, addresses[name] + query)
        assert signature() == before, name
