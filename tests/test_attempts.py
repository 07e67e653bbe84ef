"""Trying passwords: how many are looked at, who is told what, and that nobody is kept out of their own account."""

import itertools
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import requests
import time_machine
from django.contrib.auth.hashers import MD5PasswordHasher
from django.db import connections
from django.test import Client

from certdash.attempts import OF_ACCOUNT, OF_ADDRESS, WINDOW, Count, TooManyAttempts, give_back, take
from certdash.devices import DAYS
from certdash.invitations import password_link
from certdash.models import AuditEntry, AuditKind, LoginAttempts, User
from tests import world
from tests.support.stored import query

LOGIN = "/accounts/login/"


def attempt(login, password="guess", client=None, **headers):
    """The status of one attempt: 302 in, 200 wrong, 429 refused."""
    form = {"login": login, "password": password}
    return (client or Client()).post(LOGIN, form, **headers).status_code


def statuses(login, times, **options):
    return [attempt(login, **options) for _ in range(times)]


def is_open(login, **options):
    return attempt(login, world.PASSWORD, **options) == 302


@pytest.fixture
def hashed(cast, monkeypatch):
    """Counts the passwords that were hashed."""
    count = Counter()
    encode = MD5PasswordHasher.encode

    def counted(self, password, salt):
        count["times"] += 1
        return encode(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    return count


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


# -- The same answer and the same work --------------------------------------------------------------------------


@pytest.fixture
def people(cast):
    """Accounts of all sorts; `ghost@example.com` is the name of one and the e-mail of another."""
    User.objects.create_user("ghost", "ghost@example.com", world.PASSWORD)
    User.objects.create_user("ghost@example.com", "", "what-the-other-has")
    world.make_user("closed")
    User.objects.filter(username="closed").update(is_active=False)
    sso = world.make_user("sso")
    sso.set_unusable_password()
    sso.save()


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


def test_user_names_that_differ_in_case_are_told_apart(cast):
    User.objects.create_user("Viewer", "", "another-horse-9")
    assert attempt("viewer", world.PASSWORD) == 302
    assert attempt("Viewer", "another-horse-9") == 302
    assert attempt("VIEWER", world.PASSWORD) == 200


# -- Nobody is kept out -----------------------------------------------------------------------------------------


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


# -- What is written down ---------------------------------------------------------------------------------------


def written():
    return [
        (entry.kind, entry.person_name, entry.details.get("how"), entry.details.get("reason"))
        for entry in AuditEntry.objects.order_by("id")
    ]


def test_what_is_written_down(people):
    for login, password in [("viewer", "guess"), ("who?", "guess"), ("closed", world.PASSWORD)]:
        attempt(login, password)
    is_open("viewer@example.com")
    assert written() == [
        (AuditKind.LOGIN_FAILED, "viewer", "password", "wrong password"),
        (AuditKind.LOGIN_FAILED, "", "password", "unknown name"),
        (AuditKind.LOGIN_FAILED, "closed", "password", "deactivated"),
        (AuditKind.LOGIN, "viewer", "password", None),
    ]


def test_nothing_that_was_typed_is_written_down(cast):
    attempt("my-secret-typed-as-name", "my-secret")
    assert "secret" not in str(list(AuditEntry.objects.values()))


@pytest.mark.parametrize("login", ["viewer", "nobody"])
def test_a_flood_is_written_down_once(login, cast):
    statuses(login, 60)
    reasons = Counter(reason for *_, reason in written())
    assert (reasons["too many attempts"], sum(reasons.values())) == (1, 11)


def test_the_old_password_is_counted_like_any_other(cast, client, settings):
    settings.ACCOUNT_RATE_LIMITS = False  # allauth's own, which lets five through a minute
    client.force_login(cast.viewer)
    form = {"oldpassword": "guess", "password1": "another-horse-8", "password2": "another-horse-8"}
    answers = [client.post("/accounts/password/change/", form).status_code for _ in range(11)]
    assert answers == [200] * 10 + [429]
