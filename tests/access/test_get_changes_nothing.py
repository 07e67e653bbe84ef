"""A GET reads: only the session's and the last visit's stamps move, and what is written down of it is added."""

from collections.abc import Collection
from typing import Any

import pytest
from django.apps import apps
from django.test import Client

from certdash.invitations import password_link
from certdash.models import User
from tests.access.asking import logged_in
from tests.access.expected import GET, WHO
from tests.single_sign_on.browsing import Browser

# Stamps of visits, and rows that are only added to.
_MAY_MOVE = {"django_session", "certdash_auditentry"}
_STAMPS = {"last_login", "visited_at", "visited_before"}

# What forms send, in an address: only a POST may do something by it.
_FORM = "?wanted=1&name=x&path=/certificates/&query=q%3Da&time_zone=Europe/Berlin&table=certificates&per_page=25"
_FILE = "?_export=xlsx&_selected=1&id=1"


def signature(but: Collection[str] = _MAY_MOVE) -> dict[str, list[Any]]:
    """Every row of every table but those, without the stamps of visits."""
    return {
        table: sorted(
            tuple((name, repr(value)) for name, value in row.items() if name not in _STAMPS)
            for row in model._base_manager.values()
        )
        for model in apps.get_models(include_auto_created=True)
        if (table := model._meta.db_table) not in but
    }


def ask(client: Client, address: str, method: str = "get") -> None:
    response = getattr(client, method)(address)
    if response.streaming:
        for _ in response:
            pass


@pytest.mark.parametrize("who", WHO)
def test_get_changes_no_row(who: str, cast: Any, addresses: dict[str, str]) -> None:
    client = logged_in(cast, who)
    before = signature()
    for name in GET:
        for query in ("", "?_export=csv", "?page=2&sort=-person", "?_part=filters", _FILE, _FORM):
            ask(client, addresses[name] + query)
        assert signature() == before, name


@pytest.mark.parametrize("method", ["head", "options", "trace"])
@pytest.mark.parametrize("who", ["anonymous", "owner", "superuser"])
def test_neither_does_what_else_only_looks(who: str, method: str, cast: Any, addresses: dict[str, str]) -> None:
    client = logged_in(cast, who)
    before = signature()
    for name in GET:
        ask(client, addresses[name] + _FORM, method)
        assert signature() == before, name


# -- With all that can be switched on ---------------------------------------------------------------------------

# What may change something although it is a GET.
_EXCEPTIONS = {
    "openid_connect_callback": "a provider leads back by GET alone; it makes the account of who is here first, and "
    "without the state of this browser and the provider's word it makes nothing",
}


@pytest.fixture
def mail(settings: Any) -> None:
    settings.SENDS_MAIL = True  # into a box of the tests


@pytest.mark.parametrize("method", ["get", "head"])
@pytest.mark.parametrize("who", ["anonymous", "viewer", "superuser"])
@pytest.mark.usefixtures("mail", "company")
def test_nor_with_mail_and_single_sign_on(
    who: str, method: str, cast: Any, addresses: dict[str, str], mailoutbox: list[Any]
) -> None:
    client = logged_in(cast, who)
    link = password_link(User.objects.get(username="somebody")).removeprefix("http://127.0.0.1:8000")
    forged = f"{addresses['openid_connect_callback']}?state=x&code=y"
    led_back = [f"{addresses['account_login']}?next=/certificates/", f"{addresses['single_sign_on']}?next=/stories/"]
    before = signature()
    for address in [*addresses.values(), link, f"{link}?new_password1=a-new-horse-9", forged, *led_back]:
        ask(client, address, method)
        assert signature() == before, address
    assert mailoutbox == []


def test_the_pages_of_mail_and_single_sign_on_are_there(cast: Any, company: Any, mail: None) -> None:
    """Else the walk above would have looked at nothing."""
    client = Client()
    assert client.get("/accounts/password/forgotten/").status_code == 200
    link = password_link(cast.viewer).removeprefix("http://127.0.0.1:8000")
    assert client.get(link, follow=True).context["validlink"]
    assert client.get("/accounts/sso/")["Location"].startswith(company.url)


def test_what_may_change_something_does(cast: Any, company: Any) -> None:
    """An exception that is none any more is no longer needed."""
    before = signature()
    browser = Browser()
    browser.sign_on("ana-1")
    assert any("/accounts/sso/callback/" in address for address in browser.went)
    assert signature() != before
    assert set(_EXCEPTIONS) <= set(GET)
