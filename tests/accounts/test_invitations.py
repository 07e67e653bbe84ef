"""Invitations: the link to a first password, for how long it serves, and what it gives away."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from certdash.models import AuditEntry, Team, User
from tests import world
from tests.accounts.steps import INVITATION, NEW, invite, link_in, logs_in, noted, open_link, path_of, use
from tests.reading import text_of

pytestmark = pytest.mark.django_db


def test_somebody_invited_sets_a_password_and_logs_in(admin, cast):
    response = use(invite(admin))
    assert (response.status_code, response["Location"]) == (302, "/accounts/login/")
    assert logs_in("newcomer", NEW)
    assert [entry.person for entry in noted(change="invited", account="newcomer")] == [cast.superuser]
    assert noted(change="password set by a link", account="newcomer")


def test_an_account_that_was_invited_has_no_password(admin):
    invite(admin)
    newcomer = User.objects.get(username="newcomer")
    assert (newcomer.has_usable_password(), newcomer.state, str(newcomer)) == (False, "invited", "New Comer")
    assert not logs_in("newcomer", "")


def test_the_link_serves_once(admin):
    link = invite(admin)
    use(link)
    _client, page = open_link(link)
    assert page.status_code == 410
    assert "This link has ended" in text_of(page)
    assert "ask whoever runs certdash at your company" in text_of(page)


def test_two_who_opened_the_link_do_not_both_set_a_password(admin):
    link = invite(admin)
    second, page = open_link(link)
    use(link)
    form = {"new_password1": "third-horse-9", "new_password2": "third-horse-9"}
    assert second.post(page.redirect_chain[0][0], form).status_code == 410
    assert logs_in("newcomer", NEW)


def test_the_link_ends_after_three_days(admin):
    link, now = invite(admin), timezone.now()
    with time_machine.travel(now + timedelta(days=3, seconds=2), tick=False):
        assert open_link(link)[1].status_code == 410
    with time_machine.travel(now + timedelta(days=3, seconds=-2), tick=False):
        assert open_link(link)[1].status_code == 200


def test_the_link_ends_with_a_log_in(admin, cast):
    link = link_in(admin.post(f"/accounts/people/{cast.viewer.pk}/link/"))
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        assert logs_in("viewer", world.PASSWORD)
    assert open_link(link)[1].status_code == 410


def test_a_new_link_ends_the_invitation_before(admin):
    first = invite(admin)
    person = User.objects.get(username="newcomer")
    second = link_in(admin.post(f"/accounts/people/{person.pk}/link/"))
    assert open_link(first)[1].status_code == 410
    assert use(second).status_code == 302


def test_the_token_stays_neither_in_the_address_nor_in_a_cache(admin):
    link = invite(admin)
    client = Client()
    first = client.get(path_of(link))
    token = link.rstrip("/").rpartition("/")[2]
    assert (first.status_code, token in first["Location"]) == (302, False)
    page = client.get(first["Location"])
    for response in (first, page):
        assert "no-store" in response["Cache-Control"]
    assert token not in page.content.decode()


def test_the_page_with_the_link_is_kept_nowhere_and_shows_it_once(admin, caplog):
    caplog.set_level("DEBUG")
    response = admin.post("/accounts/people/add/", INVITATION)
    token = link_in(response).rstrip("/").rpartition("/")[2]
    assert "no-store" in response["Cache-Control"]
    person = User.objects.get(username="newcomer")
    for address in ("/accounts/people/", f"/accounts/people/{person.pk}/", "/audit/"):
        assert token not in admin.get(address).content.decode()
    assert not any(token in str(entry.details) for entry in AuditEntry.objects.all())
    assert not any(token in str(value) for value in admin.session.values())
    assert token not in caplog.text


@pytest.mark.parametrize("password", ["short", "12345678901", "newcomer1", ""])
def test_a_weak_password_is_explained_and_the_link_lives_on(password, admin):
    link = invite(admin)
    response = use(link, password)
    assert response.status_code == 422
    assert 'class="error"' in response.content.decode()
    assert use(link).status_code == 302


def test_the_link_of_a_deactivated_account_opens_nothing(admin):
    link = invite(admin)
    User.objects.filter(username="newcomer").update(is_active=False)
    assert open_link(link)[1].status_code == 410


@pytest.mark.parametrize("what", ["uid", "token", "other"])
def test_a_link_that_was_tampered_with_opens_nothing(what, admin, cast):
    link = path_of(invite(admin))
    _, uid, token, _ = link.rsplit("/", 3)
    uid = {"uid": "!!", "token": uid, "other": "MQ"}[what]
    token = token[:-1] + ("0" if token[-1] != "0" else "1") if what == "token" else token
    assert Client().get(f"/accounts/set-password/{uid}/{token}/", follow=True).status_code == 410


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"username": "viewer"}, "already exists"),
        ({"email": "VIEWER@example.com"}, "Somebody else has this e-mail address."),
        ({"email": ""}, "required"),
        ({"email": "nobody"}, "valid email"),
        ({"username": "a b"}, "valid username"),
        ({"username": "a\0b"}, "Null characters"),
    ],
)
def test_an_invitation_that_makes_no_sense_is_explained(fields, told, admin):
    before = User.objects.count()
    response = admin.post("/accounts/people/add/", INVITATION | fields)
    assert response.status_code == 422
    assert told in text_of(response)
    assert User.objects.count() == before


def test_an_invitation_can_be_to_teams_and_for_a_superuser(admin, cast):
    team, filled = Team.objects.create(name="Trainers"), Team.objects.create(name="Auditors", claim="x")
    invite(admin, is_superuser="on", teams=[team.pk])
    newcomer = User.objects.get(username="newcomer")
    assert (newcomer.is_superuser, list(newcomer.teams.all())) == (True, [team])
    assert noted(change="joined", team="Trainers", account="newcomer")
    assert noted(change="invited as a superuser", account="newcomer")
    response = admin.post("/accounts/people/add/", {"username": "x", "email": "x@example.com", "teams": [filled.pk]})
    assert list(response.context["form"].errors) == ["teams"]


def test_where_everybody_comes_by_single_sign_on_no_link_is_made(admin, cast, settings):
    link = invite(admin)
    settings.OIDC_ONLY = True
    assert admin.get("/accounts/people/add/").status_code == 404
    assert admin.post(f"/accounts/people/{cast.viewer.pk}/link/").status_code == 404
    assert open_link(link)[1].status_code == 404
    assert "Make a link" not in text_of(admin.get(f"/accounts/people/{cast.viewer.pk}/"))
