"""Teams: who is in them, by hand or by the provider's claim, and what goes with a team that is deleted."""

import pytest
from django.db import connection
from django.test import Client

from certdash.models import Grant, Role, Team, User
from tests import world
from tests.accounts.steps import noted
from tests.reading import text_of

pytestmark = pytest.mark.django_db


def test_a_team_is_made_with_its_members(admin, cast):
    response = admin.post("/accounts/teams/add/", {"name": " Trainers ", "members": "viewer\nMANAGER@example.com\n"})
    team = Team.objects.get()
    assert response["Location"] == f"/accounts/teams/{team.pk}/"
    assert (team.name, set(team.members.all())) == ("Trainers", {cast.viewer, cast.manager})
    assert noted(team="Trainers", change="made")
    assert {entry.details["account"] for entry in noted(team="Trainers", change="joined")} == {"viewer", "manager"}


def test_a_name_is_whose_it_is_exactly_and_else_without_case(admin, cast):
    first = world.make_user("Ärger")
    if connection.vendor == "sqlite":  # which knows the case of ASCII alone
        world.make_user("ärger")
    team = Team.objects.create(name="Trainers")
    for typed in ("Ärger\nVIEWER", "Ärger\nviewer"):
        admin.post(f"/accounts/teams/{team.pk}/", {"name": "Trainers", "members": typed})
        assert set(team.members.all()) == {first, cast.viewer}


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
    assert told in text_of(response)
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
