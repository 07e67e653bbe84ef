"""When single sign-on does not work: a page that says so, and nothing personal in the log."""

import logging

import pytest
from django.test import Client

from certdash.models import User
from tests.single_sign_on.browsing import CALLBACK, LOGIN, SSO, WANTED, Browser

FAILURES = [
    (["/.well-known/openid-configuration"], None),
    (["/.well-known/openid-configuration"], {"issuer": "https://evil.example"}),
    (["/.well-known/openid-configuration"], ["no", "object"]),
    (["/oauth2/token"], None),
    (["/oauth2/token"], "no json"),
    (["/oauth2/token"], {"access_token": "x", "id_token": "no.token.at-all"}),
    (["/oauth2/token"], {"access_token": "x", "expires_in": "soon"}),
    (["/userinfo"], None),
    (["/userinfo"], "no json"),
    (["/userinfo"], ["no", "object"]),
    (["/userinfo"], {"sub": "somebody-else", "email": "ana@corp.example"}),
    (["/userinfo"], {"email": "ana@corp.example"}),
    (["/userinfo"], {"sub": "x" * 500}),
]


@pytest.mark.parametrize(("paths", "answer"), FAILURES)
def test_a_provider_that_fails_gives_a_kind_page_and_nothing_personal_in_the_log(paths, answer, company, caplog):
    company.fail(*paths, answer=answer)
    browser = Browser()
    with caplog.at_level(logging.DEBUG):
        response = browser.sign_on("ana-1", WANTED)
    assert (response.status_code, browser.person, User.objects.count()) == (401, None, 0)
    html = response.content.decode()
    assert "Single sign-on did not work" in html
    assert "Try again" in html
    assert "example.com" not in html
    certdash = [
        record.getMessage() for record in caplog.records if not record.name.startswith(("urllib3", "django.db"))
    ]
    assert not any("@" in line or "ana" in line or "somebody" in line for line in certdash), certdash


def test_who_cancels_is_told_so(company):
    browser = Browser()
    response = browser.follow(browser.get(SSO, {"next": WANTED}), action="deny")
    assert response.status_code == 401
    assert "The sign-in was cancelled" in response.content.decode()


@pytest.mark.parametrize("query_string", ["", "?error=<script>", "?code=a&state=b", "?error=login_required&state=x"])
def test_an_answer_that_nobody_asked_for_is_no_log_in(query_string, company):
    response = Client().get(CALLBACK + query_string)
    assert response.status_code == 401
    assert "<script>" not in response.content.decode()


def test_without_a_provider_there_is_no_single_sign_on(db):
    assert [Client().get(address).status_code for address in (SSO, CALLBACK)] == [404, 404]
    assert "single sign-on" not in Client().get(LOGIN).content.decode()
