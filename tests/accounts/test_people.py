"""The people with accounts: their list, changing one, shutting one out, and two who do so at once."""

import pytest
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from certdash.devices import known_device
from certdash.forms import PersonForm
from certdash.invitations import password_link
from certdash.models import Grant, Role, Team, User
from certdash.views import accounts
from tests import world
from tests.accounts.steps import INVITATION, NEW, invite, logs_in, noted
from tests.reading import text_of

pytestmark = pytest.mark.django_db


def fields_of(person, **fields):
    given = {name: getattr(person, name) for name in ("username", "email", "first_name", "last_name")}
    if person.is_superuser:
        given["is_superuser"] = "on"
    return given | fields


def test_the_list_tells_of_everybody(admin, cast):
    team = Team.objects.create(name="Trainers")
    team.members.add(cast.viewer)
    User.objects.filter(pk=cast.manager.pk).update(is_active=False)
    invite(admin)
    lines = b"".join(admin.get("/accounts/people/?_export=csv")).decode("utf-8-sig").splitlines()
    assert lines[0] == "username,name,email,teams,last_login,state,superuser"
    assert "viewer,,viewer@example.com,Trainers,,active,no" in lines
    assert "manager,,manager@example.com,,,deactivated,no" in lines
    assert "newcomer,New Comer,newcomer@example.com,,,invited,no" in lines
    assert len(lines) == 1 + User.objects.count()
    shown = text_of(admin.get("/accounts/people/"))
    assert "Person E-mail address Teams Last log-in State" in shown
    assert "viewer viewer viewer@example.com Trainers never Active" in shown


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("q=VIEW", ["viewer"]),
        ("q=comér new", ["newcomer"]),
        ("q=manager@example", ["manager"]),
        ("q=nobody", []),
    ],
)
def test_the_list_is_searched(query, names, admin, cast):
    invite(admin)
    page = admin.get(f"/accounts/people/?{query}")
    assert [row.record.username for row in page.context["table"].page.object_list] == names


@pytest.mark.parametrize(
    "address",
    ["/accounts/people/", "/accounts/people/?_export=csv", "/accounts/people/{pk}/", "/accounts/teams/",
     "/accounts/teams/?_export=csv", "/accounts/teams/{team}/", "/apps/demo/people/"],
)  # fmt: skip
def test_a_page_costs_the_same_for_few_and_many(address, admin, cast):
    def cost():
        with CaptureQueriesContext(connection) as queries:
            b"".join(admin.get(address.format(pk=cast.viewer.pk, team=first.pk)))
        return len(queries)

    first = Team.objects.create(name="Trainers")
    first.members.add(cast.viewer)
    Grant.objects.create(app=cast.demo, team=first, role=Role.VIEWER)
    cost()  # the session's stamp is written
    few = cost()
    for number in range(20):
        team = Team.objects.create(name=f"Team {number}")
        team.members.add(cast.viewer, world.make_user(f"p{number}", cast.demo))
        first.members.add(User.objects.get(username=f"p{number}"))
        for app in (cast.demo, cast.other):
            Grant.objects.create(app=app, team=team, role=Role.VIEWER)
    assert cost() == few


def test_an_account_is_changed(admin, cast):
    team = Team.objects.create(name="Trainers")
    changed = fields_of(cast.viewer, username="looker", last_name="Long", teams=[team.pk], is_superuser="on")
    assert admin.post(f"/accounts/people/{cast.viewer.pk}/", changed).status_code == 302
    cast.viewer.refresh_from_db()
    assert (cast.viewer.username, cast.viewer.last_name, cast.viewer.is_superuser) == ("looker", "Long", True)
    assert list(cast.viewer.teams.all()) == [team]
    assert cast.viewer.check_password(world.PASSWORD)
    assert noted(change="made a superuser", account="looker")
    assert noted(change="changed", account="looker", before="viewer")
    assert noted(change="joined", account="looker", team="Trainers")


def test_a_team_that_the_provider_fills_is_not_touched_by_the_form(admin, cast):
    filled = Team.objects.create(name="Auditors", claim="audit")
    chosen = Team.objects.create(name="Trainers")
    cast.viewer.teams.add(filled, chosen)
    assert admin.post(f"/accounts/people/{cast.viewer.pk}/", fields_of(cast.viewer)).status_code == 302
    assert list(cast.viewer.teams.all()) == [filled]
    assert noted(change="left", account="viewer", team="Trainers")


def test_a_page_that_is_saved_late_leaves_the_password_alone(admin, cast, monkeypatch):
    before = PersonForm.store

    def meanwhile(form):
        other = User.objects.get(pk=cast.viewer.pk)
        other.set_password(NEW)
        other.save()
        return before(form)

    monkeypatch.setattr(PersonForm, "store", meanwhile)
    admin.post(f"/accounts/people/{cast.viewer.pk}/", fields_of(cast.viewer, first_name="Vi"))
    cast.viewer.refresh_from_db()
    assert (cast.viewer.first_name, cast.viewer.check_password(NEW)) == ("Vi", True)


def test_a_name_turns_no_words_of_ours_around(admin, cast):
    User.objects.filter(pk=cast.viewer.pk).update(first_name="\u202eeV")
    for switch in ("deactivate", "reactivate"):
        page = admin.post(f"/accounts/people/{cast.viewer.pk}/{switch}/", follow=True).content.decode()
        assert "\u2068\u202eeV\u2069 " in page


def test_somebody_deactivated_is_out_and_comes_back_with_a_log_in(admin, cast):
    browser = Client()
    browser.post("/accounts/login/", {"login": "viewer", "password": world.PASSWORD})
    assert browser.get("/certificates/").status_code == 200
    admin.post(f"/accounts/people/{cast.viewer.pk}/deactivate/")
    assert browser.get("/certificates/").status_code == 302
    assert not logs_in("viewer", world.PASSWORD)
    admin.post(f"/accounts/people/{cast.viewer.pk}/reactivate/")
    assert browser.get("/certificates/").status_code == 302
    assert logs_in("viewer", world.PASSWORD)
    assert [entry.details["change"] for entry in noted(account="viewer")] == ["reactivated", "deactivated"]


def test_a_session_that_nobody_used_meanwhile_is_over_too_and_so_is_a_link(admin, cast, settings):
    settings.SENDS_MAIL = False
    browser = Client()
    browser.post("/accounts/login/", {"login": "viewer", "password": world.PASSWORD})
    link = password_link(User.objects.get(pk=cast.viewer.pk)).removeprefix(settings.PUBLIC_URL)
    (device,) = [cookie.value for name, cookie in browser.cookies.items() if name.startswith("device-")]
    for switch in ("deactivate", "reactivate"):
        admin.post(f"/accounts/people/{cast.viewer.pk}/{switch}/")
    assert browser.get("/certificates/").status_code == 302
    assert Client().get(link, follow=True).status_code == 410
    known = RequestFactory().get("/")
    known.COOKIES = {name: cookie.value for name, cookie in browser.cookies.items()}
    assert device
    assert known_device(known, User.objects.get(pk=cast.viewer.pk)) is None


def test_no_link_is_made_for_somebody_deactivated(admin, cast):
    User.objects.filter(pk=cast.viewer.pk).update(is_active=False)
    response = admin.post(f"/accounts/people/{cast.viewer.pk}/link/", follow=True)
    assert "reactivate the account first" in text_of(response)
    assert "set-password" not in response.content.decode()


def test_nobody_shuts_themselves_out(admin, cast):
    admin.post(f"/accounts/people/{cast.superuser.pk}/deactivate/")
    without = fields_of(cast.superuser)
    del without["is_superuser"]
    admin.post(f"/accounts/people/{cast.superuser.pk}/", without)
    cast.superuser.refresh_from_db()
    assert (cast.superuser.is_active, cast.superuser.is_superuser) == (True, True)


@pytest.mark.parametrize("what", ["deactivate", "save"])
def test_of_two_superusers_who_end_each_other_one_stays(what, admin, cast, monkeypatch):
    """The other one is quicker: between the first look at the rights and the change, they are gone."""
    other = User.objects.create_superuser("other", "other@example.com", world.PASSWORD)
    lock = accounts._lock_superusers

    def too_late(request):
        User.objects.filter(pk=cast.superuser.pk).update(is_active=False)
        lock(request)

    monkeypatch.setattr(accounts, "_lock_superusers", too_late)
    fields = fields_of(other)
    del fields["is_superuser"]
    address = f"/accounts/people/{other.pk}/" + ("deactivate/" if what == "deactivate" else "")
    assert admin.post(address, fields).status_code == 404
    other.refresh_from_db()
    assert (other.is_active, other.is_superuser) == (True, True)


def test_an_accounts_page_tells_what_it_may_do_and_by_which_team(admin, cast):
    team = Team.objects.create(name="Trainers")
    team.members.add(cast.viewer)
    Grant.objects.create(app=cast.other, team=team, role=Role.MANAGER)
    page = text_of(admin.get(f"/accounts/people/{cast.viewer.pk}/"))
    assert "Demo Academy Viewer" in page
    assert "Retail Academy by Trainers Manager" in page


@pytest.fixture
def two_at_once(monkeypatch):
    """As when another one takes the name between the form's look at the database and the row."""
    for model in (User, Team):
        monkeypatch.setattr(model, "validate_constraints", lambda *_, **__: None)
        monkeypatch.setattr(model, "validate_unique", lambda *_, **__: None)


def test_a_user_name_that_differs_in_its_case_alone_is_somebody_elses(admin, cast):
    refused = admin.post("/accounts/people/add/", INVITATION | {"username": "VieWer"})
    assert (refused.status_code, "Somebody else has this user name." in text_of(refused)) == (422, True)
    assert not User.objects.filter(username="VieWer").exists()


@pytest.mark.parametrize("fields", [{"username": "viewer"}, {"username": "VIEWER"}, {"email": "Viewer@example.com"}])
def test_of_two_equal_invitations_one_is_made(fields, admin, cast, two_at_once):
    before = User.objects.count()
    response = admin.post("/accounts/people/add/", INVITATION | fields, follow=True)
    assert "was made just now" in text_of(response)
    assert (User.objects.count(), noted(change="invited")) == (before, [])


def test_of_two_who_take_one_name_one_gets_it(admin, cast, two_at_once):
    fields = fields_of(cast.viewer, username="manager")
    response = admin.post(f"/accounts/people/{cast.viewer.pk}/", fields, follow=True)
    assert "Nothing was saved" in text_of(response)
    assert noted(change="changed") == []


def test_of_two_teams_of_one_name_one_is_made(admin, cast, two_at_once):
    Team.objects.create(name="Trainers")
    response = admin.post("/accounts/teams/add/", {"name": "TRAINERS", "members": "viewer"})
    assert response.status_code == 422
    assert "Another team has this name." in text_of(response)
    assert (Team.objects.count(), noted(change="made")) == (1, [])
