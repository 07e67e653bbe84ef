"""Who may do what: every address of the resolver, as everybody."""

import pytest
from django.test import Client
from django.urls import get_resolver, reverse

from certdash.models import Grant, Role
from tests.access.asking import logged_in, seen
from tests.access.expected import GET, LOGIN, POST, WHO


@pytest.mark.parametrize("matrix", [GET, POST])
def test_the_matrix_holds_every_address(matrix):
    assert sorted(matrix) == sorted(pattern.name for pattern in get_resolver().url_patterns)


@pytest.mark.parametrize("who", WHO)
def test_get_as(who, cast, addresses):
    client, column = logged_in(cast, who), WHO.index(who)
    got = {name: seen(client.get(address), address) for name, address in addresses.items()}
    assert got == {name: statuses[column] for name, statuses in GET.items()}


def test_head_is_answered_as_get(cast, addresses):
    client, column = logged_in(cast, "superuser"), WHO.index("superuser")
    got = {name: seen(client.head(address), address) for name, address in addresses.items()}
    # Back from the provider, which only ever leads: by GET.
    assert got == {name: statuses[column] for name, statuses in GET.items()} | {"openid_connect_callback": 405}


@pytest.mark.parametrize("who", WHO)
def test_post_as(who, cast, addresses):
    client, column = logged_in(cast, who), WHO.index(who)
    got = {name: seen(client.post(addresses[name]), addresses[name]) for name in POST}
    assert got == {name: statuses[column] for name, statuses in POST.items()}


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_every_address_wants_the_forms_token_for_whatever_is_no_mere_look(method, cast, addresses):
    client = logged_in(cast, "superuser", enforce_csrf_checks=True)
    for name, address in addresses.items():
        response = getattr(client, method)(address)
        assert (response.status_code, "form has expired" in response.content.decode()) == (403, True), name


def test_the_login_wants_the_forms_token(db):
    response = Client(enforce_csrf_checks=True).post(reverse("account_login"), {"login": "x", "password": "y"})
    assert response.status_code == 403
    assert "form has expired" in response.content.decode()


def test_a_role_that_was_taken_away_ends_at_once(cast, addresses):
    client = logged_in(cast, "viewer")
    assert client.get(addresses["app"]).status_code == 200
    Grant.objects.filter(user=cast.viewer).delete()
    assert client.get(addresses["app"]).status_code == 404


def test_an_account_that_was_closed_is_logged_out(cast, addresses):
    client = logged_in(cast, "owner")
    cast.owner.is_active = False
    cast.owner.save()
    assert seen(client.get(addresses["app"]), addresses["app"]) == LOGIN


def test_somebodys_best_role_is_the_one_of_that_app(cast, addresses):
    Grant.objects.create(app=cast.other, user=cast.viewer, role=Role.OWNER)
    client = logged_in(cast, "viewer")
    assert client.get("/apps/retail/connection/").status_code == 200
    assert client.get(addresses["app_connection"]).status_code == 403


@pytest.mark.parametrize("address", ["/nothing/", "/certificates/x/", "/static/certdash/nothing.css", "/apps/a b/"])
def test_an_address_that_leads_nowhere_is_404_for_whoever_is_logged_in(address, cast):
    assert logged_in(cast, "viewer").get(address).status_code == 404
