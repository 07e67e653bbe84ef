"""An app's people and teams: whom an owner gives a role, and what the owner learns of them."""

import pytest
from allauth.socialaccount.models import SocialAccount
from django.test import Client

from certdash.models import AuditEntry, Grant, Role, Team, User
from tests.accounts.steps import noted
from tests.reading import text_of

pytestmark = pytest.mark.django_db


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
    assert "The team Trainers is manager of Demo Academy now." in text_of(response)
    assert "Trainers Team 1 person Manager" in text_of(response)
    stranger = Client()
    stranger.force_login(cast.stranger)
    assert stranger.get("/apps/demo/").status_code == 200
    (given,) = noted(team="Trainers", role="manager")
    assert (given.kind, given.app, given.person) == ("access_given", cast.demo, cast.owner)


def test_a_name_of_a_person_and_of_a_team_is_no_guess(owner, cast):
    team = Team.objects.create(name="Stranger")
    response = owner.post("/apps/demo/people/", {"login": "stranger", "role": "viewer"})
    assert response.status_code == 422
    assert "A person and a team have this name." in text_of(response)
    owner.post("/apps/demo/people/", {"login": "team:stranger", "role": "viewer"})
    owner.post("/apps/demo/people/", {"login": "stranger@example.com", "role": "owner"})
    given = {(grant.holder, grant.role) for grant in Grant.objects.filter(app=cast.demo)}
    assert {(team, "viewer"), (cast.stranger, "owner")} <= given


def test_giving_access_tells_an_owner_no_more_of_a_person_than_was_typed(admin, owner, cast):
    User.objects.filter(pk=cast.stranger.pk).update(first_name="Selma", last_name="Secret")
    given = owner.post("/apps/demo/people/", {"login": "stranger", "role": "viewer"}, follow=True)
    file = b"".join(owner.get("/apps/demo/people/?_export=csv")).decode()
    assert "stranger is viewer of Demo Academy now." in text_of(given)
    assert not any(told in text_of(given) + file for told in ("Secret", "stranger@example.com"))
    assert "Selma Secret stranger@example.com" in text_of(admin.get("/apps/demo/people/"))
    given = owner.post("/apps/demo/people/", {"login": "Stranger@Example.com", "role": "owner"}, follow=True)
    assert "stranger@example.com" in text_of(given)
    assert "Secret" not in text_of(given)


def test_giving_a_team_access_tells_an_owner_nobody_who_is_in_it(admin, owner, cast):
    Team.objects.create(name="Board").members.add(cast.stranger, cast.viewer)
    given = owner.post("/apps/demo/people/", {"login": "board", "role": "viewer"}, follow=True)
    file = b"".join(owner.get("/apps/demo/people/?_export=csv")).decode()
    assert "Board Team 2 people Viewer" in text_of(given)
    assert "stranger" not in text_of(given) + file
    assert "Board Team stranger , viewer Viewer" in text_of(admin.get("/apps/demo/people/"))


def test_a_user_name_that_came_with_single_sign_on_is_not_taken_for_somebody_an_owner_knows(admin, owner, cast):
    squatter = User.objects.create(username="maya", email="eve@example.com", password="!")
    SocialAccount.objects.create(user=squatter, provider="oidc", uid="1")
    by_name, by_email = {"login": "maya", "role": "owner"}, {"login": "eve@example.com", "role": "viewer"}
    refused = owner.post("/apps/demo/people/", by_name)
    assert refused.status_code == 422
    assert "Write the e-mail address of the person you mean." in text_of(refused)
    assert "eve@example.com" not in text_of(refused)
    assert owner.post("/apps/demo/people/", by_email).status_code == 302
    assert admin.post("/apps/demo/people/", by_name).status_code == 302  # who can look up whose name it is


def test_a_closed_account_and_no_account_are_told_apart_by_nobody(owner, cast):
    User.objects.filter(pk=cast.stranger.pk).update(is_active=False)
    answers = [owner.post("/apps/demo/people/", {"login": name, "role": "viewer"}) for name in ("stranger", "nobody")]
    assert answers[0].context["form"].errors == answers[1].context["form"].errors
    assert "Retail" not in text_of(owner.get("/apps/demo/people/"))


def test_an_owner_sees_no_team_but_those_with_access(owner, cast):
    Team.objects.create(name="Board members")
    assert "Board members" not in text_of(owner.get("/apps/demo/people/"))


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
    assert "Your own access stays" in text_of(response)
    assert owner.post("/apps/demo/people/", {"login": "Owners", "role": "viewer"}).status_code == 422
    assert Grant.objects.get(pk=grant.pk).role == Role.OWNER


def test_an_owner_twice_over_gives_one_of_them_away(owner, cast):
    team = Team.objects.create(name="Owners")
    team.members.add(cast.owner)
    Grant.objects.create(app=cast.demo, team=team, role=Role.OWNER)
    owner.post(f"/apps/demo/people/{Grant.objects.get(user=cast.owner).pk}/take-away/")
    assert not Grant.objects.filter(user=cast.owner).exists()
    assert owner.get("/apps/demo/people/").status_code == 200
