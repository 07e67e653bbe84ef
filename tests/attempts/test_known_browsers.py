"""Nobody is kept out: who has logged in before in a browser gets in while others guess."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import time_machine
from django.test import Client

from certdash.attempts import OF_ADDRESS
from certdash.devices import DAYS
from certdash.invitations import password_link
from tests import world
from tests.attempts.trying import attempt, is_open, statuses


@pytest.fixture
def known(cast):
    """A browser in which `viewer` has logged in before."""
    client = Client()
    assert is_open("viewer", client=client)
    client.post("/accounts/logout/")
    return client


def cookie_of(client):
    (name,) = [name for name in client.cookies if name.startswith("device-")]
    return client.cookies[name]


def test_who_has_logged_in_here_before_gets_in_while_others_guess(known):
    statuses("viewer", 30)
    assert not is_open("viewer")
    assert is_open("viewer", client=known)


def test_not_even_those_behind_the_same_address_keep_them_out(known):
    for number in range(OF_ADDRESS):
        attempt(f"nobody-{number}")
    assert attempt("owner") == 429
    assert is_open("viewer", client=known)


def test_a_known_browser_may_try_ten_times_and_not_more(known):
    assert statuses("viewer", 11, client=known) == [200] * 10 + [429]


def test_a_browser_is_known_for_its_own_person_alone(known):
    statuses("owner", 10)
    assert not is_open("owner", client=known)


def test_a_cookie_under_another_persons_name_opens_nothing(known, cast):
    owner = Client()
    is_open("owner", client=owner)
    name, value = cookie_of(owner).key, cookie_of(known).value
    forger = Client()
    forger.cookies[name] = value
    statuses("owner", 10)
    assert not is_open("owner", client=forger)


def test_a_cookie_ends_with_the_password(known, cast):
    cast.viewer.set_password("another-horse-8")
    cast.viewer.save()
    statuses("viewer", 10)
    assert attempt("viewer", "another-horse-8", client=known) == 429


def test_a_new_password_by_a_link_opens_the_browser_it_was_set_in(client, cast):
    statuses("viewer", 10)
    page = client.get(urlsplit(password_link(cast.viewer)).path, follow=True)
    form = {"new_password1": "another-horse-8", "new_password2": "another-horse-8"}
    client.post(page.redirect_chain[-1][0], form)
    assert attempt("viewer", "another-horse-8", client=client) == 302
    assert attempt("viewer", "another-horse-8") == 429


def test_a_cookie_lasts_for_90_days(known, cast):
    with time_machine.travel(world.NOW + timedelta(days=DAYS, hours=1), tick=False):
        statuses("viewer", 10)
        assert not is_open("viewer", client=known)


def test_who_changes_the_password_keeps_their_browser(known, cast):
    new = "another-horse-8"
    is_open("viewer", client=known)
    form = {"oldpassword": world.PASSWORD, "password1": new, "password2": new}
    assert known.post("/accounts/password/change/", form).status_code == 302
    known.post("/accounts/logout/")
    statuses("viewer", 10)
    assert attempt("viewer", new, client=known) == 302


def test_scripts_cannot_read_the_cookie_and_no_other_site_sends_it(known):
    cookie = cookie_of(known)
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    assert cookie["max-age"] == DAYS * 24 * 3600


def test_under_https_the_cookie_is_bound_to_the_host(cast, settings):
    settings.SESSION_COOKIE_SECURE = True
    client = Client()
    is_open("viewer", client=client)
    (cookie,) = [value for name, value in client.cookies.items() if name.startswith("__Host-device-")]
    assert (cookie["secure"], cookie["path"], cookie["domain"]) == (True, "/", "")
