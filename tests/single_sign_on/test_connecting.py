"""An account that was here before: connected with single sign-on by its owner or by a link, and disconnected."""

import pytest
from allauth.socialaccount.models import SocialAccount
from django.test import Client

from certdash.invitations import password_link
from certdash.models import AuditEntry, AuditKind, Team, User
from tests import world
from tests.single_sign_on.browsing import CONNECT, DISCONNECT, Browser, connected, logged_in, where
from tests.support.provider import ANA


def changes(name):
    entries = AuditEntry.objects.filter(kind=AuditKind.PERSON, details__account=name).order_by("id")
    return [entry.details["change"] for entry in entries]


def test_who_is_logged_in_connects_single_sign_on_and_keeps_everything(company, cast):
    User.objects.filter(pk=cast.viewer.pk).update(email="ana@corp.example")
    page = connected(logged_in()).content.decode()
    assert "Single sign-on opens this account from now on." in page
    browser = Browser()
    assert browser.sign_on("ana-1", "/apps/demo/").status_code == 200
    assert browser.person == cast.viewer
    assert User.objects.filter(email="ana@corp.example").count() == 1
    assert "connected with single sign-on" in changes("viewer")
    assert [account.extra_data for account in SocialAccount.objects.all()] == [{}]


def test_it_is_the_password_that_lets_somebody_connect_and_wrong_ones_are_counted(company, cast):
    browser = logged_in()
    answers = [browser.post(CONNECT, {"password": "wrong"}).status_code for _ in range(11)]
    assert answers == [422] * 10 + [429]
    assert not SocialAccount.objects.exists()


def test_what_one_browser_asked_for_connects_nothing_in_another(company, cast):
    asking, other = logged_in(), logged_in("manager")
    address = asking.post(CONNECT, {"password": world.PASSWORD})["Location"]
    answer = asking.provider.post(address, {"sub": "ana-1"}, timeout=30, allow_redirects=False).headers["Location"]
    assert other.get(answer.removeprefix("http://testserver")).status_code == 401
    asking.force_login(cast.manager)  # somebody else by the time the answer comes
    assert asking.get(answer.removeprefix("http://testserver")).status_code == 401
    assert not SocialAccount.objects.exists()


def test_a_sign_in_that_opens_another_account_is_not_taken_from_it(company, cast):
    Browser().sign_on("ana-1")
    page = connected(logged_in()).content.decode()
    assert "your sign-in service opens another account here" in page
    assert SocialAccount.objects.get().user.username == "ana"


def test_who_has_a_password_can_disconnect_and_loses_what_the_claim_opened(company, cast):
    team = Team.objects.create(name="Trainers", claim="trainers")
    company.person("ana-1", **ANA, groups=["trainers"])
    browser = logged_in()
    connected(browser)
    assert list(cast.viewer.teams.all()) == [team]
    assert "Disconnect single sign-on" in browser.get("/accounts/profile/").content.decode()
    browser.post(DISCONNECT)
    assert (SocialAccount.objects.count(), cast.viewer.teams.count()) == (0, 0)
    assert changes("viewer")[-1] == "disconnected from single sign-on"


def test_who_has_no_password_cannot_disconnect(company):
    browser = Browser()
    browser.sign_on("ana-1")
    assert [browser.post(address).status_code for address in (CONNECT, DISCONNECT)] == [404, 404]
    assert "Disconnect" not in browser.get("/accounts/profile/").content.decode()
    assert SocialAccount.objects.exists()


@pytest.fixture
def link(company, cast, settings):
    """What a superuser hands over where nobody logs in by password."""
    settings.OIDC_ONLY = True
    admin = Client()
    admin.force_login(cast.superuser)
    page = admin.post(f"/accounts/people/{cast.viewer.pk}/connect/")
    assert "link to connect single sign-on made" in changes("viewer")
    return page.context["link"].removeprefix(settings.PUBLIC_URL)


def test_a_link_lets_the_next_sign_in_open_the_account(link, cast):
    browser = Browser()
    assert "viewer" in browser.get(link).content.decode()
    assert where(browser.follow(browser.post(link), sub="ana-1")) == "/"
    assert browser.person == cast.viewer
    again = Browser()
    again.sign_on("ana-1", "/apps/demo/")
    assert again.person == cast.viewer


def test_the_link_also_serves_who_has_signed_in_before_and_got_an_empty_account(link, cast):
    Browser().sign_on("ana-1")
    browser = Browser()
    browser.follow(browser.post(link), sub="ana-1")
    assert browser.person == cast.viewer
    assert SocialAccount.objects.get().user == cast.viewer
    assert changes("ana")[-1] == "single sign-on went to another account"


def test_a_link_that_connects_serves_once(link, company):
    browser = Browser()
    browser.follow(browser.post(link), sub="ana-1")
    company.person("eve-1", preferred_username="eve")
    eve = Browser()
    assert (eve.get(link).status_code, eve.post(link).status_code) == (410, 410)


def test_a_link_that_has_ended_while_somebody_signs_in_connects_nothing(link, cast):
    browser = Browser()
    asked = browser.post(link)
    User.objects.filter(pk=cast.viewer.pk).update(closings=1)
    assert browser.follow(asked, sub="ana-1").status_code == 401
    assert not SocialAccount.objects.exists()


def test_a_link_to_a_password_connects_nothing(company, cast, client):
    uid, token = password_link(cast.viewer).split("/")[-3:-1]
    assert client.get(f"/accounts/connect/{uid}/{token}/").status_code == 410


@pytest.mark.parametrize("link", ["AA/x", "!!/x", "MTIz/x-y", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5/x"])
def test_a_link_that_is_made_up_is_answered(link, company, client):
    assert client.get(f"/accounts/connect/{link}/").status_code == 410
