"""Teams that the provider fills: they follow its claim at every sign-in."""

import pytest

from certdash.models import AuditEntry, AuditKind, Grant, Role, Team, User
from tests import world
from tests.single_sign_on.browsing import Browser, connected, logged_in
from tests.support.provider import ANA


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
