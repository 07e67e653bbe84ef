import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client

from certdash.models import AuditEntry, User
from tests import world

pytestmark = pytest.mark.django_db
NEW = "another-horse-8"


def log_in(client, password):
    return client.post("/accounts/login/", {"login": "superuser", "password": password})


def test_whoever_keeps_guessing_cannot_keep_the_only_superuser_out(run, cast):
    for _ in range(10):
        log_in(Client(), "wrong")
    browser = Client()
    assert log_in(browser, world.PASSWORD).status_code == 429
    link = run("password_link", "superuser").strip()
    form = browser.get(link.removeprefix(settings.PUBLIC_URL), follow=True)
    browser.post(form.request["PATH_INFO"], {"new_password1": NEW, "new_password2": NEW})
    assert log_in(browser, NEW).status_code == 302
    assert browser.get("/accounts/people/").status_code == 200
    assert Client().get(link.removeprefix(settings.PUBLIC_URL), follow=True).status_code == 410
    assert AuditEntry.objects.filter(details__change="link to a new password made", details__by="command").exists()


def test_it_is_the_link_alone_that_is_printed(cast, capsys):
    call_command("password_link", "VIEWER")
    assert capsys.readouterr().out.count("\n") == 1


def test_there_is_no_link_for_nobody_and_none_for_a_closed_account(refused, cast):
    assert "nobody has the user name stranger2" in refused("password_link", "stranger2")
    User.objects.filter(username="viewer").update(is_active=False)
    assert "viewer is deactivated" in refused("password_link", "viewer")


def test_without_single_sign_on_there_is_no_link_that_connects_it(refused, cast):
    assert "CERTDASH_OIDC_ISSUER" in refused("password_link", "viewer", "--single-sign-on")


def test_where_nobody_has_a_password_it_says_what_to_ask_for(refused, cast, settings):
    settings.OIDC_ONLY = True
    assert "--single-sign-on" in refused("password_link", "viewer")
