"""Whose saved views are: who sees, changes and deletes them."""

import re

import pytest

from certdash.models import Grant, Role, SavedView
from tests import world
from tests.saved_views.saving import client_of, save, text_of
from tests.world import make_view


def actions(slug):
    return [("get", f"/views/{slug}/"), ("get", f"/views/{slug}/edit/"), ("post", f"/views/{slug}/edit/"),
            ("get", f"/views/{slug}/delete/"), ("post", f"/views/{slug}/delete/"), ("post", f"/views/{slug}/pin/"),
            ("post", f"/views/{slug}/home/")]  # fmt: skip


@pytest.mark.parametrize("who", ["viewer", "owner", "superuser"])
def test_a_private_view_of_somebody_else_is_like_one_that_does_not_exist(who, cast):
    private, client = make_view(cast.manager, "Private thoughts"), client_of(cast[who])
    for (verb, address), (_, nobodys) in zip(actions(private.slug), actions("nothing"), strict=True):
        asked, other = getattr(client, verb)(address), getattr(client, verb)(nobodys)
        assert (asked.status_code, bare(asked)) == (404, bare(other)), address
    assert "Private thoughts" not in client.get("/views/").content.decode()
    assert SavedView.objects.filter(pk=private.pk).exists()


def bare(response):
    return re.sub(r'(CSRFToken": "|value=")\w{64}|<code>\w+</code>', "", response.content.decode())


def test_a_shared_view_is_for_everybody_who_may_see_its_app_and_nobody_else(cast):
    shared = make_view(cast.owner, "Everybody's", app=cast.demo)
    got = {who: client_of(cast[who]).get(f"/views/{shared.slug}/").status_code
           for who in ("viewer", "manager", "superuser", "stranger")}  # fmt: skip
    assert got == {"viewer": 302, "manager": 302, "superuser": 302, "stranger": 404}


def test_who_lost_the_app_sees_its_views_no_more_and_gets_the_pins_back_with_it(viewer, cast):
    shared = make_view(cast.owner, "Shared by the owner", app=cast.demo)
    for verb in ("pin", "home"):
        viewer.post(f"/views/{shared.slug}/{verb}/", {"wanted": "1"})
    assert "Shared by the owner" in viewer.get("/people/").content.decode()
    Grant.objects.filter(user=cast.viewer).delete()
    for address in ("/people/", "/views/", "/views/?_export=jsonl"):
        assert "Shared by the owner" not in text_of(viewer.get(address)), address
    assert viewer.get(f"/views/{shared.slug}/").status_code == 404
    assert viewer.get("/home/")["Location"] == "/"
    cast.viewer.grants.create(app=cast.demo, role=Role.VIEWER)
    assert "Shared by the owner" in viewer.get("/people/").content.decode()


def test_ones_own_view_stays_when_its_app_is_lost_but_tells_nothing_of_the_app(viewer, cast):
    view = make_view(cast.viewer, "Mine", app=cast.demo)
    Grant.objects.filter(user=cast.viewer).delete()
    cast.demo.name = "Renamed since"
    cast.demo.save()
    assert viewer.get(f"/views/{view.slug}/").status_code == 302
    for address in ("/views/", f"/views/{view.slug}/edit/", f"/views/{view.slug}/delete/", "/views/?_export=csv"):
        assert "Renamed since" not in text_of(viewer.get(address)), address
    assert "an app you do not see any more" in viewer.get("/views/").content.decode()
    viewer.post(f"/views/{view.slug}/edit/", {"name": "Mine"})
    assert SavedView.objects.get().app is None


def test_nobody_shares_with_an_app_that_they_may_not_see(viewer, cast):
    answer = save(viewer, app=cast.other.pk)
    assert (answer.status_code, SavedView.objects.count()) == (422, 0)
    assert world.FOREIGN not in answer.content.decode().lower()


def test_only_its_owner_changes_a_shared_view(cast):
    shared = make_view(cast.viewer, "Shared", app=cast.demo)
    got = {who: client_of(cast[who]).post(f"/views/{shared.slug}/edit/", {"name": "Taken"}).status_code
           for who in ("manager", "owner", "superuser")}  # fmt: skip
    assert got == {"manager": 403, "owner": 403, "superuser": 403}
    assert SavedView.objects.get().name == "Shared"


@pytest.mark.parametrize(("who", "may"), [("viewer", True), ("manager", False), ("owner", True), ("superuser", True)])
def test_its_owner_and_the_owners_of_its_app_delete_a_view_and_are_asked_before(who, may, cast):
    shared = make_view(cast.viewer, "Shared", app=cast.demo)
    client, address = client_of(cast[who]), f"/views/{shared.slug}/delete/"
    asked = client.get(address)
    assert (asked.status_code, SavedView.objects.count()) == (200 if may else 403, 1)
    listed = client.get("/views/").content.decode()
    assert (f"/views/{shared.slug}/edit/" in listed) == (who == "viewer")
    assert (address in listed) == (may and who != "viewer")
    assert client.post(address).status_code == (302 if may else 403)
    assert SavedView.objects.exists() != may


def test_an_owner_of_another_app_does_not_delete_by_seeing_this_one(cast):
    Grant.objects.create(app=cast.demo, user=cast.stranger, role=Role.VIEWER)
    shared = make_view(cast.viewer, "Shared", app=cast.demo)
    assert client_of(cast.stranger).post(f"/views/{shared.slug}/delete/").status_code == 403


def test_a_view_gives_nobody_what_its_page_would_not(cast):
    """The name of what is foreign is shown as ignored: here to somebody who may not see the other app."""
    world.make_foreign(cast.other)
    shared = make_view(cast.owner, "All of both", query="app=demo&app=retail&story=RETA-IL00-0001", app=cast.demo)
    opened = client_of(cast.viewer).get(f"/views/{shared.slug}/", follow=True)
    assert set(opened.context["ignored"]) == {"app=retail", "story=RETA-IL00-0001"}
    lost = make_view(cast.owner, "A foreign story", "/stories/retail/RETA-IL00-0001/", app=cast.demo)
    assert client_of(cast.viewer).get(f"/views/{lost.slug}/", follow=True).status_code == 404
