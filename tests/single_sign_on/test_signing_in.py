"""Signing in at the provider: in, back to the page, and whose account it opens."""

from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount, SocialToken

from certdash.models import AuditEntry, AuditKind, Grant, User
from tests import world
from tests.single_sign_on.browsing import CALLBACK, SSO, WANTED, Browser, where
from tests.support.provider import ANA

# -- In ---------------------------------------------------------------------------------------------------------


def test_who_is_here_for_the_first_time_gets_an_account_without_any_right(company):
    browser = Browser()
    response = browser.sign_on("ana-1", WANTED)
    assert (response.status_code, where(response)) == (200, WANTED)
    person = browser.person
    assert (person.username, person.email, person.get_full_name()) == ("ana", "ana@corp.example", "Ana Souza")
    assert not person.has_usable_password()
    assert (person.is_superuser, person.is_staff, Grant.objects.of(person).exists()) == (False, False, False)


def test_the_second_time_it_is_the_same_account(company):
    Browser().sign_on("ana-1")
    company.person("ana-1", email="new@corp.example", name="Ana Lima", preferred_username="lima")
    browser = Browser()
    browser.sign_on("ana-1")
    assert (browser.person.username, User.objects.count(), SocialAccount.objects.count()) == ("ana", 1, 1)


def test_the_way_to_the_provider_is_guarded_by_pkce_and_a_state_of_this_browser(company):
    asked = parse_qs(urlsplit(Browser().get(SSO)["Location"]).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["code_challenge"][0]) == 43
    assert len(asked["state"][0]) >= 16
    assert set(asked["scope"][0].split()) == {"openid", "profile", "email"}


def test_the_answer_to_one_browser_lets_no_other_in(company):
    victim, attacker = Browser(), Browser()
    address = attacker.get(SSO)["Location"]
    answer = attacker.provider.post(address, {"sub": "ana-1"}, timeout=30, allow_redirects=False).headers["Location"]
    response = victim.get(answer.removeprefix("http://testserver"))
    assert (response.status_code, victim.person) == (401, None)


def test_an_answer_is_good_once(company):
    browser = Browser()
    browser.sign_on("ana-1")
    (answer,) = [address for address in browser.went if CALLBACK in address]
    browser.logout()
    assert browser.get(answer.removeprefix("http://testserver")).status_code == 401
    assert browser.person is None


def test_no_more_is_kept_of_a_person_than_is_needed(company):
    for _ in range(2):
        Browser().sign_on("ana-1")
    assert [account.extra_data for account in SocialAccount.objects.all()] == [{}]
    assert not SocialToken.objects.exists()


def test_the_log_in_is_written_down(company):
    Browser().sign_on("ana-1")
    (entry,) = AuditEntry.objects.filter(kind=AuditKind.LOGIN)
    assert (entry.person_name, entry.details) == ("ana", {"how": "single sign-on"})


def test_who_is_logged_in_needs_no_provider(company):
    browser = Browser()
    browser.sign_on("ana-1")
    assert browser.get(SSO, {"next": "/stories/"})["Location"] == "/stories/"


# -- Whose account ----------------------------------------------------------------------------------------------


def test_an_e_mail_address_opens_nobodys_account(company):
    older = User.objects.create_user("older", "Ana@Corp.Example", world.PASSWORD)
    browser = Browser()
    response = browser.sign_on("ana-1", WANTED)
    assert (response.status_code, browser.person, User.objects.count()) == (409, None, 1)
    assert "log in with its password and connect single sign-on" in response.content.decode()
    assert older.check_password(world.PASSWORD)
    assert not SocialAccount.objects.exists()


@pytest.mark.parametrize("told", [{"email_verified": False}, {"email_verified": "false"}, {}])
def test_an_address_that_the_provider_has_not_proved_is_not_taken(told, company):
    User.objects.create_user("older", "ana@corp.example", world.PASSWORD)
    company.person("ana-1", **{name: value for name, value in ANA.items() if name != "email_verified"}, **told)
    browser = Browser()
    browser.sign_on("ana-1")
    assert (browser.person.username, browser.person.email) == ("ana", "")


def test_a_user_name_that_is_taken_makes_another_one(company):
    User.objects.create_user("Ana", "", world.PASSWORD)
    browser = Browser()
    browser.sign_on("ana-1")
    assert browser.person.username != "Ana"
    assert browser.person.username.startswith("ana")


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"email": "no address"},
        {"preferred_username": "a" * 400, "name": "b" * 400},
        {"preferred_username": "ana@corp.example"},
        {"name": "Æ 山田 <b>", "preferred_username": "山田"},
        {"email": "\u202eana@corp.example", "given_name": "\u0000"[:0], "groups": {"no": "list"}},
    ],
)
def test_strange_claims_still_make_an_account(claims, company):
    company.person("odd", **claims)
    browser = Browser()
    assert browser.sign_on("odd").status_code == 200
    assert browser.person.username
    assert "@" not in browser.person.username


def test_the_same_subject_of_another_issuer_is_somebody_else(company):
    user = User.objects.create_user("before")
    SocialAccount.objects.create(user=user, provider="oidc-of-another-issuer", uid="ana-1")
    browser = Browser()
    browser.sign_on("ana-1")
    assert browser.person.username == "ana"


def test_somebody_deactivated_does_not_come_in(company):
    Browser().sign_on("ana-1")
    User.objects.update(is_active=False)
    browser = Browser()
    response = browser.sign_on("ana-1", WANTED)
    assert where(response) == "/accounts/inactive/"
    assert browser.get("/certificates/").status_code == 302
    entry = AuditEntry.objects.get(kind=AuditKind.LOGIN_FAILED)
    assert (entry.person_name, entry.details) == ("ana", {"how": "single sign-on", "reason": "deactivated"})
