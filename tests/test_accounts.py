"""People with accounts, teams, and links to passwords: what superusers do, and what the others do with it."""

import re
import smtplib
from datetime import timedelta
from threading import Thread

import pytest
import time_machine
from allauth.socialaccount.models import SocialAccount
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from certdash.devices import known_device
from certdash.forms import PersonForm
from certdash.invitations import password_link
from certdash.models import AuditEntry, Grant, Role, Team, User
from certdash.views import accounts
from tests import world
from tests.test_pages import words_of

pytestmark = pytest.mark.django_db
NEW = "another-horse-8"
INVITATION = {"username": "newcomer", "email": "newcomer@example.com", "first_name": "New", "last_name": "Comer"}


@pytest.fixture
def admin(client, cast):
    client.force_login(cast.superuser)
    return client


@pytest.fixture
def mails(settings):
    """The mails that went out, of a certdash with a mail server."""
    settings.SENDS_MAIL = True
    return mail.outbox


def invite(admin, **fields):
    """The link of an invitation that is shown."""
    return link_in(admin.post("/accounts/people/add/", INVITATION | fields))


def link_in(response):
    return re.search(r'value="(http[^"]+)"', response.content.decode())[1]


def path_of(link):
    return link.removeprefix("http://127.0.0.1:8000")


def open_link(link):
    """Who opened it, and the page that it leads to."""
    client = Client()
    return client, client.get(path_of(link), follow=True)


def use(link, password=NEW):
    client, page = open_link(link)
    assert page.status_code == 200, "the link has ended"
    return client.post(page.redirect_chain[0][0], {"new_password1": password, "new_password2": password})


def logs_in(name, password):
    return Client().post("/accounts/login/", {"login": name, "password": password}).status_code == 302


def noted(**details):
    """What was written down with these details, newest first."""
    return [entry for entry in AuditEntry.objects.all() if details.items() <= entry.details.items()]


# -- Invitations ------------------------------------------------------------------------------------------------


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
    assert "This link has ended" in words_of(page)
    assert "ask whoever runs certdash at your company" in words_of(page)


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
    assert told in words_of(response)
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
    assert "Make a link" not in words_of(admin.get(f"/accounts/people/{cast.viewer.pk}/"))


# -- Mail -------------------------------------------------------------------------------------------------------


def link_of(message):
    return re.search(r"^http\S+$", message.body, re.MULTILINE)[0]


def test_with_a_mail_server_the_link_goes_by_mail_alone(admin, mails):
    response = admin.post("/accounts/people/add/", INVITATION, follow=True)
    (message,) = mails
    assert (message.to, message.subject) == (["newcomer@example.com"], "Your account in certdash")
    assert "on its way to newcomer@example.com" in words_of(response)
    assert "set-password" not in response.content.decode()
    assert use(link_of(message)).status_code == 302
    assert logs_in("newcomer", NEW)


class Refusing(BaseEmailBackend):
    def send_messages(self, _messages):
        raise smtplib.SMTPRecipientsRefused({"newcomer@example.com": (550, b"no such box")})


def test_a_mail_that_is_not_taken_leaves_a_link_to_hand_over(admin, settings, caplog):
    settings.SENDS_MAIL, settings.EMAIL_BACKEND = True, f"{__name__}.Refusing"
    response = admin.post("/accounts/people/add/", INVITATION)
    assert "The mail server did not take the mail" in words_of(response)
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
    assert "Password forgotten?" in words_of(Client().get("/accounts/login/"))
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
    page = words_of(Client().get("/accounts/login/"))
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


# -- People -----------------------------------------------------------------------------------------------------


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
    shown = words_of(admin.get("/accounts/people/"))
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
    assert "reactivate the account first" in words_of(response)
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
    page = words_of(admin.get(f"/accounts/people/{cast.viewer.pk}/"))
    assert "Demo Academy Viewer" in page
    assert "Retail Academy by Trainers Manager" in page


@pytest.fixture
def two_at_once(monkeypatch):
    """As when another one takes the name between the form's look at the database and the row."""
    for model in (User, Team):
        monkeypatch.setattr(model, "validate_constraints", lambda *_, **__: None)
        monkeypatch.setattr(model, "validate_unique", lambda *_, **__: None)


@pytest.mark.parametrize("fields", [{"username": "viewer"}, {"email": "Viewer@example.com"}])
def test_of_two_equal_invitations_one_is_made(fields, admin, cast, two_at_once):
    before = User.objects.count()
    response = admin.post("/accounts/people/add/", INVITATION | fields, follow=True)
    assert "was made just now" in words_of(response)
    assert (User.objects.count(), noted(change="invited")) == (before, [])


def test_of_two_who_take_one_name_one_gets_it(admin, cast, two_at_once):
    fields = fields_of(cast.viewer, username="manager")
    response = admin.post(f"/accounts/people/{cast.viewer.pk}/", fields, follow=True)
    assert "Nothing was saved" in words_of(response)
    assert noted(change="changed") == []


def test_of_two_teams_of_one_name_one_is_made(admin, cast, two_at_once):
    Team.objects.create(name="Trainers")
    response = admin.post("/accounts/teams/add/", {"name": "TRAINERS", "members": "viewer"})
    assert response.status_code == 422
    assert "Another team has this name." in words_of(response)
    assert (Team.objects.count(), noted(change="made")) == (1, [])


# -- Teams ------------------------------------------------------------------------------------------------------


def test_a_team_is_made_with_its_members(admin, cast):
    response = admin.post("/accounts/teams/add/", {"name": " Trainers ", "members": "viewer\nMANAGER@example.com\n"})
    team = Team.objects.get()
    assert response["Location"] == f"/accounts/teams/{team.pk}/"
    assert (team.name, set(team.members.all())) == ("Trainers", {cast.viewer, cast.manager})
    assert noted(team="Trainers", change="made")
    assert {entry.details["account"] for entry in noted(team="Trainers", change="joined")} == {"viewer", "manager"}


def test_members_come_and_go(admin, cast):
    team = Team.objects.create(name="Trainers")
    team.members.add(cast.viewer, cast.owner)
    admin.post(f"/accounts/teams/{team.pk}/", {"name": "Coaches", "members": "owner\nmanager"})
    team.refresh_from_db()
    assert (team.name, set(team.members.all())) == ("Coaches", {cast.owner, cast.manager})
    assert noted(team="Coaches", change="changed", before="Trainers")
    assert noted(team="Coaches", change="left", account="viewer")
    assert noted(team="Coaches", change="joined", account="manager")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"name": ""}, "required"),
        ({"name": "TRAINERS"}, "Another team has this name."),
        ({"name": "x" * 101}, "at most 100"),
        ({"name": "New", "members": "viewer\nnobody\nx\ny\nz"}, "No account here is called nobody, x, y and 1 more."),
        ({"name": "New", "members": "a\0b"}, "Null characters"),
    ],
)
def test_a_team_that_makes_no_sense_is_explained(fields, told, admin, cast):
    Team.objects.create(name="Trainers")
    response = admin.post("/accounts/teams/add/", fields)
    assert response.status_code == 422
    assert told in words_of(response)
    assert Team.objects.count() == 1


def test_who_is_in_a_team_of_the_provider_is_not_chosen_here(admin, cast):
    team = Team.objects.create(name="Auditors", claim="audit")
    team.members.add(cast.viewer)
    assert 'name="members"' not in admin.get(f"/accounts/teams/{team.pk}/").content.decode()
    admin.post(f"/accounts/teams/{team.pk}/", {"name": "Auditors", "claim": "audit", "members": "manager"})
    assert list(team.members.all()) == [cast.viewer]


def test_a_team_that_gets_a_claim_is_emptied_for_the_provider(admin, cast):
    team = Team.objects.create(name="Auditors")
    team.members.add(cast.viewer)
    admin.post(f"/accounts/teams/{team.pk}/", {"name": "Auditors", "claim": "audit", "members": "viewer\nmanager"})
    team.refresh_from_db()
    assert (team.claim, team.members.count()) == ("audit", 0)
    assert noted(team="Auditors", change="left", account="viewer")


def test_another_claim_empties_the_team_as_well(admin, cast):
    team = Team.objects.create(name="Auditors", claim="audit")
    team.members.add(cast.viewer)
    admin.post(f"/accounts/teams/{team.pk}/", {"name": "Auditors", "claim": "revision"})
    assert team.members.count() == 0


def test_a_deleted_team_takes_its_access_along(admin, cast):
    team = Team.objects.create(name="Trainers")
    team.members.add(cast.stranger)
    Grant.objects.create(app=cast.demo, team=team, role=Role.VIEWER)
    stranger = Client()
    stranger.force_login(cast.stranger)
    assert stranger.get("/apps/demo/").status_code == 200
    admin.post(f"/accounts/teams/{team.pk}/delete/")
    assert stranger.get("/apps/demo/").status_code == 404
    (taken,) = noted(team="Trainers", role="viewer")
    assert (taken.kind, taken.app, taken.person) == ("access_taken", cast.demo, cast.superuser)
    assert noted(team="Trainers", change="deleted")
    assert User.objects.filter(pk=cast.stranger.pk).exists()


def test_the_teams_download(admin, cast):
    team = Team.objects.create(name="Trainers")
    team.members.add(cast.viewer, cast.manager)
    Grant.objects.create(app=cast.demo, team=team, role=Role.VIEWER)
    lines = b"".join(admin.get("/accounts/teams/?_export=csv")).decode("utf-8-sig").splitlines()
    assert lines == ["team,claim,members,apps", "Trainers,,manager; viewer,demo"]
    row = admin.get("/accounts/teams/").context["table"].page.object_list[0].record
    assert (row.people, row.apps) == (2, 1)


# -- An app's people --------------------------------------------------------------------------------------------


@pytest.fixture
def owner(cast):
    client = Client()
    client.force_login(cast.owner)
    return client


def test_an_owner_reads_who_came_and_went_by_a_team(admin, cast):
    team = Team.objects.create(name="Trainers")
    cast.demo.grants.create(team=team, role="viewer")
    for members in ("stranger", ""):
        admin.post(f"/accounts/teams/{team.pk}/", {"name": "Trainers", "members": members})
    told = AuditEntry.objects.filter(app=cast.demo).order_by("pk").values_list("kind", "person__username", "details")
    who = {"role": "viewer", "account": "stranger", "team": "Trainers"}
    assert list(told) == [
        ("access_given", "superuser", who | {"change": "joined"}),
        ("access_taken", "superuser", who | {"change": "left"}),
    ]


@pytest.mark.parametrize("login", ["Trainers", "trainers ", "team:trainers", "Team: Trainers"])
def test_an_owner_gives_a_team_a_role(login, owner, cast):
    team = Team.objects.create(name="Trainers")
    team.members.add(cast.stranger)
    response = owner.post("/apps/demo/people/", {"login": login, "role": "manager"}, follow=True)
    assert "The team Trainers is manager of Demo Academy now." in words_of(response)
    assert "Trainers Team 1 person Manager" in words_of(response)
    stranger = Client()
    stranger.force_login(cast.stranger)
    assert stranger.get("/apps/demo/").status_code == 200
    (given,) = noted(team="Trainers", role="manager")
    assert (given.kind, given.app, given.person) == ("access_given", cast.demo, cast.owner)


def test_a_name_of_a_person_and_of_a_team_is_no_guess(owner, cast):
    team = Team.objects.create(name="Stranger")
    response = owner.post("/apps/demo/people/", {"login": "stranger", "role": "viewer"})
    assert response.status_code == 422
    assert "A person and a team have this name." in words_of(response)
    owner.post("/apps/demo/people/", {"login": "team:stranger", "role": "viewer"})
    owner.post("/apps/demo/people/", {"login": "stranger@example.com", "role": "owner"})
    given = {(grant.holder, grant.role) for grant in Grant.objects.filter(app=cast.demo)}
    assert {(team, "viewer"), (cast.stranger, "owner")} <= given


def test_giving_access_tells_an_owner_no_more_of_a_person_than_was_typed(admin, owner, cast):
    User.objects.filter(pk=cast.stranger.pk).update(first_name="Selma", last_name="Secret")
    given = owner.post("/apps/demo/people/", {"login": "stranger", "role": "viewer"}, follow=True)
    file = b"".join(owner.get("/apps/demo/people/?_export=csv")).decode()
    assert "stranger is viewer of Demo Academy now." in words_of(given)
    assert not any(told in words_of(given) + file for told in ("Secret", "stranger@example.com"))
    assert "Selma Secret stranger@example.com" in words_of(admin.get("/apps/demo/people/"))
    given = owner.post("/apps/demo/people/", {"login": "Stranger@Example.com", "role": "owner"}, follow=True)
    assert "stranger@example.com" in words_of(given)
    assert "Secret" not in words_of(given)


def test_giving_a_team_access_tells_an_owner_nobody_who_is_in_it(admin, owner, cast):
    Team.objects.create(name="Board").members.add(cast.stranger, cast.viewer)
    given = owner.post("/apps/demo/people/", {"login": "board", "role": "viewer"}, follow=True)
    file = b"".join(owner.get("/apps/demo/people/?_export=csv")).decode()
    assert "Board Team 2 people Viewer" in words_of(given)
    assert "stranger" not in words_of(given) + file
    assert "Board Team stranger , viewer Viewer" in words_of(admin.get("/apps/demo/people/"))


def test_a_user_name_that_came_with_single_sign_on_is_not_taken_for_somebody_an_owner_knows(admin, owner, cast):
    squatter = User.objects.create(username="maya", email="eve@example.com", password="!")
    SocialAccount.objects.create(user=squatter, provider="oidc", uid="1")
    by_name, by_email = {"login": "maya", "role": "owner"}, {"login": "eve@example.com", "role": "viewer"}
    refused = owner.post("/apps/demo/people/", by_name)
    assert refused.status_code == 422
    assert "Write the e-mail address of the person you mean." in words_of(refused)
    assert "eve@example.com" not in words_of(refused)
    assert owner.post("/apps/demo/people/", by_email).status_code == 302
    assert admin.post("/apps/demo/people/", by_name).status_code == 302  # who can look up whose name it is


def test_a_closed_account_and_no_account_are_told_apart_by_nobody(owner, cast):
    User.objects.filter(pk=cast.stranger.pk).update(is_active=False)
    answers = [owner.post("/apps/demo/people/", {"login": name, "role": "viewer"}) for name in ("stranger", "nobody")]
    assert answers[0].context["form"].errors == answers[1].context["form"].errors
    assert "Retail" not in words_of(owner.get("/apps/demo/people/"))


def test_an_owner_sees_no_team_but_those_with_access(owner, cast):
    Team.objects.create(name="Board members")
    assert "Board members" not in words_of(owner.get("/apps/demo/people/"))


def test_people_and_teams_are_sorted_and_filed_together(owner, cast):
    team = Team.objects.create(name="Nights")
    team.members.add(cast.viewer, cast.stranger)
    Grant.objects.create(app=cast.demo, team=team, role=Role.VIEWER)
    User.objects.filter(pk=cast.stranger.pk).update(is_active=False)
    lines = b"".join(owner.get("/apps/demo/people/?_export=csv")).decode("utf-8-sig").splitlines()
    assert lines == [
        "name,email,team,members,role",
        "manager,,,,manager",
        ",,Nights,,viewer",
        "owner,,,,owner",
        "viewer,,,,viewer",
    ]


def test_what_is_given_and_taken_is_written_down(owner, cast):
    owner.post("/apps/demo/people/", {"login": "viewer", "role": "manager"})
    owner.post("/apps/demo/people/", {"login": "viewer", "role": "manager"})
    owner.post(f"/apps/demo/people/{Grant.objects.get(user=cast.viewer).pk}/take-away/")
    taken, given = noted(account="viewer")
    assert (given.kind, given.details) == ("access_given", {"role": "manager", "account": "viewer", "before": "viewer"})
    assert (taken.kind, taken.details) == ("access_taken", {"role": "manager", "account": "viewer"})


def test_what_is_refused_is_not_written_down(owner, cast):
    owner.post(f"/apps/demo/people/{Grant.objects.get(user=cast.owner).pk}/take-away/")
    owner.post("/apps/demo/people/", {"login": "owner", "role": "viewer"})
    assert noted(account="owner") == []


def test_an_owner_by_a_team_keeps_the_teams_ownership(owner, cast):
    team = Team.objects.create(name="Owners")
    team.members.add(cast.owner)
    Grant.objects.filter(user=cast.owner).delete()
    grant = Grant.objects.create(app=cast.demo, team=team, role=Role.OWNER)
    response = owner.post(f"/apps/demo/people/{grant.pk}/take-away/", follow=True)
    assert "Your own access stays" in words_of(response)
    assert owner.post("/apps/demo/people/", {"login": "Owners", "role": "viewer"}).status_code == 422
    assert Grant.objects.get(pk=grant.pk).role == Role.OWNER


def test_an_owner_twice_over_gives_one_of_them_away(owner, cast):
    team = Team.objects.create(name="Owners")
    team.members.add(cast.owner)
    Grant.objects.create(app=cast.demo, team=team, role=Role.OWNER)
    owner.post(f"/apps/demo/people/{Grant.objects.get(user=cast.owner).pk}/take-away/")
    assert not Grant.objects.filter(user=cast.owner).exists()
    assert owner.get("/apps/demo/people/").status_code == 200


# -- The whole way, in a browser --------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_from_the_invitation_to_the_log_in_without_javascript(live_server, settings, open_page, expect):
    settings.PUBLIC_URL = live_server.url
    world.make_cast()
    admin = open_page(java_script_enabled=False)
    sign_in(admin, live_server.url, "superuser", world.PASSWORD)
    admin.locator("summary", has_text="Your account").click()
    admin.get_by_role("link", name="Accounts").click()
    admin.get_by_role("link", name="Invite somebody").click()
    admin.get_by_label("User name").fill("newcomer")
    admin.get_by_label("E-mail address").fill("newcomer@example.com")
    admin.get_by_role("button", name="Invite").click()
    link = admin.get_by_label("Link", exact=True).input_value()
    newcomer = open_page(java_script_enabled=False)
    newcomer.goto(link)
    assert link.rstrip("/").rpartition("/")[2] not in newcomer.url
    newcomer.get_by_label("New password", exact=True).fill(NEW)
    newcomer.get_by_label("New password confirmation").fill(NEW)
    newcomer.get_by_role("button", name="Set password").click()
    expect(newcomer.get_by_role("status").first).to_contain_text("Your password is set.")
    sign_in(newcomer, live_server.url, "newcomer", NEW)
    expect(newcomer.get_by_role("heading", level=1)).to_have_text("Overview")


def sign_in(page, url, name, password):
    page.goto(f"{url}/accounts/login/")
    if not page.url.endswith("/accounts/login/"):
        return
    page.get_by_label("User name or e-mail").fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Log in").click()
