"""How many wrong passwords are looked at, of an account and of an address, for how long, and from all sides at once."""

import itertools
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import requests
import time_machine
from django.db import connections
from django.test import Client

from certdash.attempts import OF_ACCOUNT, OF_ADDRESS, WINDOW, Count, TooManyAttempts, give_back, take
from certdash.models import AuditEntry, LoginAttempts
from tests import world
from tests.attempts.trying import LOGIN, attempt, is_open, statuses
from tests.support.stored import query

# -- Against a server, from all sides ---------------------------------------------------------------------------


def guess(url, token, number):
    """One of 200 requests that look as if each came from somebody else."""
    headers = {
        "X-Forwarded-For": f"203.0.{number}.{number % 250}",
        "X-Real-IP": f"198.51.100.{number % 250}",
        "Forwarded": f"for=192.0.2.{number % 250}",
        "User-Agent": f"Browser/{number}",
        "Referer": f"{url}/?{number}",
        "Cookie": f"csrftoken={token}; sessionid={number:032}; device-{number:016x}=a:b:{number}; sso-tried={number}",
    }
    name = ("victim", "victim@example.com", "VICTIM", " victim ", "Victim@Example.com")[number % 5]
    form = {"login": name, "password": f"guess-{number}", "csrfmiddlewaretoken": token}
    return requests.post(f"{url}{LOGIN}", form, headers=headers, timeout=120, allow_redirects=False).status_code


def test_of_200_wrong_passwords_from_all_sides_at_most_10_are_looked_at(installation):
    installation.manage("migrate")
    installation.manage("add_user", "victim", "--email", "victim@example.com", stdin=world.PASSWORD)
    # Two servers of three processes each, as on several machines.
    urls = [installation.serve("--workers", "3", "--threads", "4") for _ in range(2)]
    token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', requests.get(urls[0] + LOGIN, timeout=60).text)[1]
    with ThreadPoolExecutor(20) as threads:
        answers = Counter(threads.map(guess, itertools.cycle(urls), [token] * 200, range(200)))
    assert set(answers) == {200, 429}
    details = query(installation, "SELECT details FROM certdash_auditentry WHERE kind = 'login_failed'")
    reasons = Counter(re.search(r"(wrong password|too many|unknown)", str(row))[1] for row in details)
    assert reasons["wrong password"] == OF_ACCOUNT
    assert reasons["unknown"] == 0
    assert reasons["too many"] <= 4  # once for each count that was used up, not for each of 180 attempts


@pytest.mark.django_db(transaction=True)
def test_of_20_at_once_10_are_counted():
    def one(_):
        try:
            take(Count.of("account", 7), Count.of("address", "192.0.2.1", OF_ADDRESS))
        except TooManyAttempts:
            return False
        else:
            return True
        finally:
            connections.close_all()

    with ThreadPoolExecutor(20) as threads:
        assert sum(threads.map(one, range(20))) == OF_ACCOUNT


# -- How many -------------------------------------------------------------------------------------------------


def test_after_ten_wrong_passwords_the_right_one_is_refused_too_and_one_is_told_until_when(cast):
    assert statuses("viewer", 11) == [200] * 10 + [429]
    response = Client().post(LOGIN, {"login": "viewer", "password": world.PASSWORD})
    assert response.status_code == 429
    assert 0 < int(response["Retry-After"]) <= WINDOW
    assert "Try again in 15 minutes" in response.content.decode()


def test_when_the_time_is_over_the_account_opens(cast):
    with time_machine.travel(world.NOW, tick=False) as clock:
        statuses("viewer", 10)
        clock.shift(timedelta(seconds=WINDOW - 1))
        assert not is_open("viewer")
        clock.shift(timedelta(seconds=2))
        assert is_open("viewer")


def test_refused_attempts_do_not_prolong_the_wait(cast):
    with time_machine.travel(world.NOW, tick=False) as clock:
        statuses("viewer", 10)
        clock.shift(timedelta(seconds=WINDOW - 1))
        statuses("viewer", 30)
        clock.shift(timedelta(seconds=2))
        assert is_open("viewer")


def test_both_names_of_an_account_share_its_attempts(cast, hashed):
    statuses("viewer", 6)
    statuses("viewer@example.com", 6)
    assert not is_open("viewer")
    assert not is_open("viewer@example.com")
    wrong = [entry for entry in AuditEntry.objects.all() if entry.details["reason"] == "wrong password"]
    assert len(wrong) == OF_ACCOUNT


def test_right_passwords_use_nothing_up(cast):
    assert [is_open("viewer") for _ in range(25)] == [True] * 25
    moments = LoginAttempts.objects.exclude(moments=[])
    assert not moments.exists()


def test_a_right_password_does_not_forgive_the_wrong_ones(cast):
    statuses("viewer", 9)
    assert is_open("viewer")
    assert statuses("viewer", 2) == [200, 429]


def test_an_attempt_that_is_given_back_is_not_missing_elsewhere(db):
    one, other = Count.of("account", 1), Count.of("account", 2)
    first, second = take(one, other), take(one)
    give_back(first, one)
    assert LoginAttempts.objects.get(key=one.key).moments == [second]
    assert LoginAttempts.objects.get(key=other.key).moments == [first]


def test_a_refusal_counts_nowhere(db):
    full, free = Count.of("account", 1, most=1), Count.of("address", "192.0.2.1")
    take(full)
    with pytest.raises(TooManyAttempts):
        take(full, free)
    assert not LoginAttempts.objects.filter(key=free.key).exists()


def test_what_counts_no_more_is_cleared_away(cast):
    with time_machine.travel(world.NOW, tick=False) as clock:
        for number in range(5):
            attempt(f"nobody-{number}")
        clock.shift(timedelta(seconds=WINDOW + 1))
        attempt("somebody-else")
        assert set(LoginAttempts.objects.values_list("latest", flat=True)) == {world.NOW.timestamp() + WINDOW + 1}


def test_the_table_tells_nobodys_name_or_address(cast):
    attempt("viewer@example.com")
    text = str(list(LoginAttempts.objects.values()))
    assert "viewer" not in text
    assert "127.0.0.1" not in text
    assert all(re.fullmatch("[0-9a-f]{64}", key) for key in LoginAttempts.objects.values_list("key", flat=True))


# -- Addresses --------------------------------------------------------------------------------------------------


def test_one_address_may_fail_a_hundred_times(cast):
    for number in range(OF_ADDRESS):
        attempt(f"nobody-{number}")
    assert attempt("viewer") == 429
    assert is_open("viewer", REMOTE_ADDR="192.0.2.7")


def test_a_forged_header_is_no_other_address(cast):
    for number in range(OF_ADDRESS):
        attempt(f"nobody-{number}", HTTP_X_FORWARDED_FOR=f"203.0.113.{number}")
    assert attempt("viewer", HTTP_X_FORWARDED_FOR="198.51.100.1") == 429


def test_behind_a_proxy_the_address_is_what_the_proxy_tells_and_not_what_its_client_says(cast, settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    for number in range(OF_ADDRESS):
        attempt(f"nobody-{number}", HTTP_X_FORWARDED_FOR=f"203.0.113.{number}, 192.0.2.7")
    assert attempt("viewer", HTTP_X_FORWARDED_FOR="198.51.100.1, 192.0.2.7") == 429
    assert is_open("viewer", HTTP_X_FORWARDED_FOR="192.0.2.7, 192.0.2.8")


@pytest.mark.parametrize("told", ["192.0.2.7", "nonsense, more", "", "::1, 192.0.2.7:80"])
def test_a_header_that_no_proxy_of_ours_wrote_breaks_nothing(told, cast, settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 2
    assert is_open("viewer", HTTP_X_FORWARDED_FOR=told)


def test_the_addresses_of_one_network_of_six_are_one(cast):
    for number in range(OF_ADDRESS):
        attempt(f"nobody-{number}", REMOTE_ADDR=f"2001:db8:0:1::{number:x}")
    assert attempt("viewer", REMOTE_ADDR="2001:db8:0:1:ffff::1") == 429
