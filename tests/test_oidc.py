"""Single sign-on, against a provider that is a process of its own: in, back to the page, into teams, and not in."""

import logging
import re
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.core.cache import cache
from django.test import Client

from certdash import single_sign_on
from certdash.invitations import password_link
from certdash.models import AuditEntry, AuditKind, Grant, Role, Team, User
from tests import world
from tests.support.stored import query
from tests.test_login import ELSEWHERE, read_by_a_browser

LOGIN, SSO, CALLBACK = "/accounts/login/", "/accounts/sso/", "/accounts/sso/callback/"
WANTED = "/certificates/?state=pending&country=S%C3%A3o"
ANA = {"email": "ana@corp.example", "name": "Ana Souza", "preferred_username": "ana", "email_verified": True}


def configure(settings, issuer, **more):
    (app,) = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"]
    app = app | {"client_id": "certdash", "secret": "a secret", "settings": app["settings"] | {"server_url": issuer}}
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [app]}}
    settings.OIDC_ISSUER = issuer
    settings.OIDC_TEAMS_CLAIM = "groups"
    for name, value in more.items():
        setattr(settings, name, value)


@pytest.fixture
def company(provider, settings, db):
    """The provider, with which this certdash is configured and which knows Ana."""
    configure(settings, provider.url)
    provider.person("ana-1", **ANA)
    return provider


class Browser(Client):
    """Goes between certdash and the provider as a browser does, and keeps the provider's cookies."""

    def __init__(self):
        super().__init__()
        self.provider = requests.Session()
        self.provider.trust_env = False
        self.went = []

    def follow(self, response, **person):
        """To where the redirects end; at the provider's form it is `sub` that logs in there, if anybody."""
        while response.status_code == 302:
            assert len(self.went) < 30, "It goes round and round."
            address = response["Location"] if hasattr(response, "client") else response.headers["Location"]
            self.went.append(address)
            parts = urlsplit(address)
            if parts.netloc in ("", "testserver"):
                response = self.get(f"{parts.path}?{parts.query}" if parts.query else parts.path)
                continue
            response = self.provider.get(address, timeout=30, allow_redirects=False)
            if response.status_code == 200 and person:
                response = self.provider.post(address, person, timeout=30, allow_redirects=False)
        return response

    def sign_on(self, sub, wanted=None):
        return self.follow(self.get(SSO, {"next": wanted} if wanted else {}), sub=sub)

    @property
    def person(self):
        return User.objects.filter(pk=self.session.get("_auth_user_id")).first()


def where(response):
    return response.request["PATH_INFO"] + ("?" + response.request["QUERY_STRING"]).rstrip("?")


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


# -- An account that was here before ----------------------------------------------------------------------------

CONNECT, DISCONNECT = "/accounts/profile/connect/", "/accounts/profile/disconnect/"


def logged_in(name="viewer"):
    browser = Browser()
    browser.post(LOGIN, {"login": name, "password": world.PASSWORD})
    assert browser.person.username == name
    return browser


def changes(name):
    entries = AuditEntry.objects.filter(kind=AuditKind.PERSON, details__account=name).order_by("id")
    return [entry.details["change"] for entry in entries]


def connected(browser, sub="ana-1"):
    response = browser.follow(browser.post(CONNECT, {"password": world.PASSWORD}), sub=sub)
    assert where(response) == "/accounts/profile/"
    return response


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


# -- Teams ------------------------------------------------------------------------------------------------------


@pytest.fixture
def teams(company):
    return {
        name: Team.objects.create(name=name, claim=claim)
        for name, claim in [("Trainers", "trainers"), ("Leads", "leads"), ("Chosen here", "")]
    }


def teams_after(company, **claims):
    company.person("ana-1", **ANA, **claims)
    browser = Browser()
    browser.sign_on("ana-1")
    return sorted(browser.person.teams.values_list("name", flat=True))


def test_teams_follow_the_claim_at_every_sign_in(company, teams):
    assert teams_after(company, groups=["trainers", "unknown", 7]) == ["Trainers"]
    assert teams_after(company, groups=["leads", "trainers"]) == ["Leads", "Trainers"]
    assert teams_after(company, groups="leads") == ["Leads"]
    assert teams_after(company, groups=["TRAINERS", ""]) == []
    assert teams_after(company, groups=["trainers"]) == ["Trainers"]
    assert teams_after(company) == []


def test_a_log_in_by_password_brings_none_of_the_teams_that_the_provider_fills(company, teams, cast):
    browser = logged_in()
    connected(browser)
    company.person("ana-1", **ANA, groups=["trainers"])
    Browser().sign_on("ana-1")
    teams["Chosen here"].members.add(cast.viewer)
    assert cast.viewer.teams.count() == 2
    logged_in()
    assert [team.name for team in cast.viewer.teams.all()] == ["Chosen here"]


def test_a_team_without_a_claim_is_left_alone(company, teams):
    teams_after(company)
    teams["Chosen here"].members.add(User.objects.get(username="ana"))
    assert teams_after(company, groups=["leads"]) == ["Chosen here", "Leads"]


def test_a_team_opens_its_apps_at_once(company, teams):
    app = world.make_app("demo")
    Grant.objects.create(app=app, team=teams["Trainers"], role=Role.VIEWER)
    company.person("ana-1", **ANA, groups=["trainers"])
    assert Browser().sign_on("ana-1", "/apps/demo/").status_code == 200
    company.person("ana-1", **ANA, groups=[])
    assert Browser().sign_on("ana-1", "/apps/demo/").status_code == 404


def test_every_change_of_a_team_is_written_down(company, teams):
    for groups in (["trainers"], ["trainers"], []):
        teams_after(company, groups=groups)
    entries = AuditEntry.objects.filter(kind=AuditKind.TEAM).order_by("id")
    told = [(entry.person_name, entry.details["team"], entry.details["change"]) for entry in entries]
    assert told == [("ana", "Trainers", "joined"), ("ana", "Trainers", "left")]


def test_without_the_name_of_a_claim_teams_stay_as_they_are(company, teams, settings):
    settings.OIDC_TEAMS_CLAIM = ""
    teams_after(company)
    teams["Leads"].members.add(User.objects.get(username="ana"))
    assert teams_after(company, groups=["trainers"]) == ["Leads"]


def test_no_claim_makes_an_administrator(company):
    company.person("ana-1", **ANA, is_superuser=True, is_staff=True, groups=["superuser"])
    browser = Browser()
    browser.sign_on("ana-1")
    assert not browser.person.is_superuser


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


# -- When it does not work --------------------------------------------------------------------------------------

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


# -- As it is run -----------------------------------------------------------------------------------------------


def test_a_served_certdash_signs_on_by_its_environment(provider, installation):
    provider.person(
        "ben-1", email="ben@corp.example", preferred_username="ben", email_verified=True, roles=["trainers"]
    )
    installation.environment |= {
        "CERTDASH_OIDC_ISSUER": provider.url,
        "CERTDASH_OIDC_CLIENT_ID": "certdash",
        "CERTDASH_OIDC_CLIENT_SECRET": "a secret",
        "CERTDASH_OIDC_TEAMS_CLAIM": "roles",
    }
    installation.manage("migrate")
    query(installation, "INSERT INTO certdash_team (name, claim) VALUES ('Trainers', 'trainers')")
    url = installation.serve("--workers", "2")
    session = requests.Session()
    session.headers["Connection"] = "close"  # as in test_login
    session.trust_env = False
    session.cookies.set("provider", "ben-1")
    page = session.get(f"{url}/certificates/?state=pending", timeout=60)
    assert (page.status_code, page.url) == (200, f"{url}/certificates/?state=pending")
    assert query(installation, "SELECT username, email FROM certdash_user") == [("ben", "ben@corp.example")]
    assert query(installation, "SELECT COUNT(*) FROM certdash_team_members") == [(1,)]


def test_a_browser_goes_there_and_back(company, settings, live_server, page):
    policy = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"] | {"form-action": ["'self'", company.url]}
    settings.CONTENT_SECURITY_POLICY = {"DIRECTIVES": policy}
    page.route(re.compile("^https:"), lambda route: route.fulfill(body=""))  # the provider's page wants a style sheet
    page.route("**/favicon.ico", lambda route: route.fulfill(body=""))
    page.goto(f"{live_server.url}/certificates/?state=pending")
    page.get_by_role("link", name="Sign in with single sign-on").click()
    page.get_by_placeholder("sub").fill("ana-1")
    page.get_by_role("button", name="Authorize", exact=True).click()
    page.wait_for_url(f"{live_server.url}/certificates/?state=pending")
    page.goto(f"{live_server.url}/")
    page.locator("summary", has_text="Your account").click()
    page.get_by_role("button", name="Log out").click()
    page.goto(f"{live_server.url}/stories/")
    assert page.get_by_role("link", name="Sign in with single sign-on").is_visible()
