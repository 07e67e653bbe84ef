"""The same answer and the same work, whoever's name is tried."""

import re

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.test import Client

from certdash.models import User
from tests import world
from tests.attempts.trying import LOGIN, attempt, statuses

CASES = [
    ("viewer", "guess"),
    ("viewer@example.com", "guess"),
    ("viewer", world.PASSWORD),
    ("viewer@example.com", world.PASSWORD),
    ("nobody", "guess"),
    ("nobody@example.com", "guess"),
    ("closed", "guess"),
    ("closed", world.PASSWORD),
    ("sso", "guess"),
    ("ghost@example.com", "guess"),
    ("ghost", world.PASSWORD),
]


@pytest.mark.parametrize(("login", "password"), CASES)
def test_one_password_is_hashed_for_each_attempt(login, password, people, hashed):
    hashed.clear()
    attempt(login, password)
    assert hashed["times"] == 1


def test_nothing_is_hashed_for_who_is_refused(people, hashed):
    statuses("viewer", 10)
    hashed.clear()
    assert statuses("viewer", 3) == [429] * 3
    assert hashed["times"] == 0


def answer(login, password="guess"):
    page = Client().post(LOGIN, {"login": login, "password": password})
    told = re.sub(r'value="[^"]*"|CSRFToken": "\w+"|Reference: <code>\w+', "", page.content.decode())
    # The form shows what was typed, whose length is no news to who typed it; every request has another number.
    headers = {name: page.headers[name] for name in set(page.headers) - {"Content-Length", "X-Request-ID"}}
    return page.status_code, told, headers, sorted(page.cookies)


@pytest.mark.parametrize(("login", "password"), [("viewer", "guess"), ("closed", world.PASSWORD), ("sso", "guess")])
def test_nobody_learns_from_any_answer_whether_a_name_is_known(login, password, people):
    with time_machine.travel(world.NOW, tick=False):
        known = [answer(login, password) for _ in range(12)]
        assert known == [answer("nobody", password) for _ in range(12)]
        assert known == [answer("nobody@example.com", password) for _ in range(12)]


def test_nobody_learns_that_two_names_are_of_one_account(people, hashed):
    with time_machine.travel(world.NOW, tick=False):
        statuses("viewer", 10)
        statuses("nobody", 10)
        hashed.clear()
        assert answer("viewer@example.com", world.PASSWORD) == answer("nobody@example.com", world.PASSWORD)
    assert hashed["times"] == 2


def test_a_user_name_opens_its_own_account_even_when_it_is_anothers_e_mail(people):
    assert attempt("ghost@example.com", "what-the-other-has") == 302
    assert attempt("ghost@example.com", world.PASSWORD) == 200


def test_user_names_are_without_case_and_nobody_has_anothers_in_a_different_one(cast):
    for typed in ("viewer", "VIEWER"):
        assert attempt(typed, world.PASSWORD) == 302
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user("Viewer", "", "another-horse-9")
