"""Links that go out by mail: invitations, and passwords that were forgotten."""

import re
import smtplib
from threading import Thread

import pytest
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests import world
from tests.accounts.steps import INVITATION, NEW, link_in, logs_in, use
from tests.reading import text_of

pytestmark = pytest.mark.django_db


def link_of(message):
    return re.search(r"^http\S+$", message.body, re.MULTILINE)[0]


def test_with_a_mail_server_the_link_goes_by_mail_alone(admin, mails):
    response = admin.post("/accounts/people/add/", INVITATION, follow=True)
    (message,) = mails
    assert (message.to, message.subject) == (["newcomer@example.com"], "Your account in certdash")
    assert "on its way to newcomer@example.com" in text_of(response)
    assert "set-password" not in response.content.decode()
    assert use(link_of(message)).status_code == 302
    assert logs_in("newcomer", NEW)


class Refusing(BaseEmailBackend):
    def send_messages(self, _messages):
        raise smtplib.SMTPRecipientsRefused({"newcomer@example.com": (550, b"no such box")})


def test_a_mail_that_is_not_taken_leaves_a_link_to_hand_over(admin, settings, caplog):
    settings.SENDS_MAIL, settings.EMAIL_BACKEND = True, f"{__name__}.Refusing"
    response = admin.post("/accounts/people/add/", INVITATION)
    assert "The mail server did not take the mail" in text_of(response)
    assert use(link_in(response)).status_code == 302
    assert "SMTPRecipientsRefused" in caplog.text
    assert "newcomer@example.com" not in caplog.text


def ask(email, client=None):
    return (client or Client()).post("/accounts/password/forgotten/", {"email": email}, follow=True)


@pytest.fixture
def at_once(monkeypatch):
    """Mails of threads go out before the answer."""

    class Now:
        def __init__(self, target, args):
            self.target, self.args = target, args

        def start(self):
            self.target(*self.args)

    monkeypatch.setattr("certdash.invitations.Thread", Now)


def test_a_forgotten_password_is_set_anew_by_mail(cast, mails, at_once):
    assert "Password forgotten?" in text_of(Client().get("/accounts/login/"))
    ask("Viewer@Example.com")
    (message,) = mails
    assert message.to == ["viewer@example.com"]
    assert use(link_of(message)).status_code == 302
    assert logs_in("viewer", NEW)
    assert not logs_in("viewer", world.PASSWORD)


def test_nobody_learns_who_has_an_account(cast, mails, at_once):
    def answer(email):
        return re.sub(r'CSRFToken": "\w+"|value="\w{64}"', "", ask(email).content.decode())

    assert answer("viewer@example.com") == answer("nobody@example.com")
    assert len(mails) == 1


def test_an_address_of_nobody_costs_the_same_queries(cast, mails, at_once):
    ask("other@example.com")  # what is cached and cleared now and then is done
    with CaptureQueriesContext(connection) as known:
        Client().post("/accounts/password/forgotten/", {"email": "viewer@example.com"})
    with CaptureQueriesContext(connection) as unknown:
        Client().post("/accounts/password/forgotten/", {"email": "nobody@example.com"})
    assert len(known) == len(unknown) > 0


@pytest.mark.parametrize("who", ["closed", "single sign-on"])
def test_who_may_not_have_a_password_gets_no_mail(who, cast, mails, at_once):
    cast.viewer.is_active = who != "closed"
    if who == "single sign-on":
        cast.viewer.set_unusable_password()
        cast.viewer.last_login = timezone.now()
    cast.viewer.save()
    ask("viewer@example.com")
    assert mails == []


def test_nobodys_box_is_filled(cast, mails, at_once):
    answers = {ask("viewer@example.com").status_code for _ in range(6)}
    assert (answers, len(mails)) == ({200}, 3)


def test_one_machine_does_not_ask_for_everybody(cast, mails, at_once, monkeypatch):
    monkeypatch.setattr("certdash.views.passwords.OF_ADDRESS", 2)
    assert [ask(f"p{n}@example.com").status_code for n in range(3)] == [200, 200, 429]


def test_where_everybody_comes_by_single_sign_on_no_password_is_forgotten(cast, mails, settings):
    settings.OIDC_ONLY = True
    assert Client().get("/accounts/password/forgotten/").status_code == 404
    assert ask("viewer@example.com").status_code == 404


def test_without_a_mail_server_the_log_in_says_who_helps(cast):
    page = text_of(Client().get("/accounts/login/"))
    assert "Password forgotten?" not in page
    assert "the password forgotten? Whoever runs certdash at your company can help." in page


def test_the_mails_thread_sends_it(cast, mails, monkeypatch):
    started = []

    def thread(**given):
        started.append(Thread(**given))
        return started[-1]

    monkeypatch.setattr("certdash.invitations.Thread", thread)
    ask("viewer@example.com")
    for one in started:
        one.join(10)
    assert [message.to for message in mails] == [["viewer@example.com"]]
