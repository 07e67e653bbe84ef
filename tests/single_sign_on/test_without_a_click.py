"""Who comes in without a click, and a certdash into which single sign-on is the only way."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.cache import cache
from django.test import Client

from certdash import single_sign_on
from tests import world
from tests.single_sign_on.browsing import CALLBACK, LOGIN, SSO, WANTED, Browser, where
from tests.support.provider import configure
from tests.test_login import ELSEWHERE, read_by_a_browser

# -- Without a click --------------------------------------------------------------------------------------------


def test_whom_the_provider_knows_comes_to_the_page_without_a_click(company):
    browser = Browser()
    browser.provider.cookies.set("provider", "ana-1")
    response = browser.follow(browser.get(WANTED))
    assert (response.status_code, where(response)) == (200, WANTED)
    assert browser.person.username == "ana"
    asked = [parse_qs(urlsplit(address).query) for address in browser.went if company.url in address]
    assert [each["prompt"] for each in asked] == [["none"]]


def test_whom_it_would_have_to_ask_sees_the_form_and_still_comes_to_the_page(company):
    browser = Browser()
    page = browser.follow(browser.get(WANTED))
    assert (page.status_code, page.request["PATH_INFO"]) == (200, LOGIN)
    html = page.content.decode()
    assert "Sign in with single sign-on" in html
    assert 'name="password"' in html
    (button,) = [part for part in html.split('"') if part.startswith(SSO)]
    assert where(browser.follow(browser.get(button), sub="ana-1")) == WANTED


def test_the_provider_is_asked_once_while_a_browser_is_open(company):
    browser = Browser()
    browser.follow(browser.get(WANTED))
    browser.went.clear()
    assert browser.follow(browser.get("/stories/")).status_code == 200
    assert browser.went == ["/accounts/login/?next=/stories/"]


def test_after_a_log_out_nobody_is_logged_in_again_unasked(company):
    browser = Browser()
    browser.sign_on("ana-1")
    browser.follow(browser.post("/accounts/logout/"))
    browser.went.clear()
    browser.follow(browser.get(WANTED))
    assert not any(company.url in address for address in browser.went)
    assert browser.person is None


def test_who_logs_in_may_be_recognised_again_later(company):
    browser = Browser()
    browser.follow(browser.get(WANTED))
    browser.sign_on("ana-1")
    browser.session.flush()
    assert where(browser.follow(browser.get(WANTED))) == WANTED


@pytest.mark.parametrize(
    ("address", "headers"),
    [
        (LOGIN, {}),
        (f"{LOGIN}?next=https://evil.example/", {}),
        (f"{LOGIN}?next=/stories/", {"HTTP_HX_REQUEST": "true"}),
        (f"{LOGIN}?next=/stories/", {"HTTP_SEC_FETCH_MODE": "cors"}),
        (f"{LOGIN}?next=/stories/", {"HTTP_SEC_FETCH_MODE": "no-cors"}),
    ],
)
def test_only_an_opened_page_goes_to_the_provider_unasked(address, headers, company):
    assert Browser().get(address, **headers).status_code == 200


def test_a_page_waits_for_no_provider_that_is_down(company, settings):
    configure(settings, "http://127.0.0.1:9")
    browser = Browser()
    page = browser.follow(browser.get(WANTED))
    assert page.status_code == 200
    assert 'name="password"' in page.content.decode()


def test_a_provider_that_did_not_answer_is_left_alone_for_a_moment(company, monkeypatch):
    company.fail("/.well-known/openid-configuration")
    assert Browser().get(SSO).status_code == 401
    company.fail()
    assert Browser().get(SSO).status_code == 401
    cache.clear()  # as after half a minute
    assert Browser().get(SSO).status_code == 302


def test_who_comes_while_the_provider_is_asked_for_its_addresses_is_not_turned_away(company, monkeypatch):
    ask, others = single_sign_on._discovered, []

    def slowly():
        monkeypatch.setattr(single_sign_on, "_discovered", ask)
        others.append(Browser().get(SSO).status_code)
        return ask()

    monkeypatch.setattr(single_sign_on, "_discovered", slowly)
    assert (Browser().get(SSO).status_code, others) == (302, [302])


@pytest.mark.parametrize("elsewhere", ELSEWHERE)
def test_nobody_is_led_elsewhere_by_way_of_the_provider(elsewhere, company):
    wanted = elsewhere.format(host="testserver")
    browser = Browser()
    browser.sign_on("ana-1", wanted)
    later = Client()
    later.cookies = browser.cookies
    browser.went.append(later.get(SSO, {"next": wanted})["Location"])
    assert browser.person.username == "ana"
    ours = [
        address for address in browser.went if not address.startswith((company.url, "http://testserver" + CALLBACK))
    ]
    assert [address for address in ours if not re.match(r"/(?!/)", read_by_a_browser(address))] == []


# -- Only single sign-on ----------------------------------------------------------------------------------------


@pytest.fixture
def only(company, settings):
    settings.OIDC_ONLY = True
    return company


def test_a_portals_link_leads_to_the_providers_own_form(only):
    browser = Browser()
    assert where(browser.follow(browser.get(WANTED), sub="ana-1")) == WANTED
    assert not any("prompt=" in address for address in browser.went)


def test_there_is_no_form_and_no_password_opens(only, cast):
    html = Client().get(LOGIN).content.decode()
    assert "password" not in html
    assert "Sign in with single sign-on" in html
    client = Client()
    response = client.post(LOGIN, {"login": "viewer", "password": world.PASSWORD})
    assert response.status_code == 403
    assert client.get("/certificates/").status_code == 302


@pytest.mark.parametrize("method", ["get", "post"])
def test_there_is_no_page_for_passwords(method, only, cast, client):
    client.force_login(cast.viewer)
    assert getattr(client, method)("/accounts/password/change/").status_code == 404
