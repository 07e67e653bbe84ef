"""Pins and home: views in one's own navigation, and the one that opens after the log-in."""

import re

import pytest

from certdash.models import SavedView, User
from tests import world
from tests.reading import text_of
from tests.saved_views.saving import client_of
from tests.world import make_view


def navigation(client, address="/people/"):
    page = client.get(address).content.decode()
    bar = re.search(r'<nav class="nav".*?</nav>', page, re.DOTALL)[0]
    return re.findall(r'href="/views/([^"/]*)/"', bar)


def test_a_pin_is_in_ones_own_navigation_until_it_is_taken_out(viewer, cast):
    shared = make_view(cast.owner, "Shared", app=cast.demo)
    answer = viewer.post(f"/views/{shared.slug}/pin/", {"wanted": "1", "next": "/views/?q=sh"})
    assert answer["Location"] == "/views/?q=sh"
    assert (navigation(viewer), navigation(client_of(cast.manager))) == ([shared.slug], [])
    viewer.post(f"/views/{shared.slug}/pin/", {"wanted": "1"})
    assert navigation(viewer) == [shared.slug]
    viewer.post(f"/views/{shared.slug}/pin/", {"wanted": "0", "next": "https://evil.example/"})
    assert navigation(viewer) == []


def test_pins_are_in_the_order_of_their_names_and_not_without_end(viewer, cast):
    names = [f"View {letter}" for letter in "qwertyuiopasdfghjklzx"]
    for name in names:
        make_view(cast.viewer, name).pinned_by.add(cast.viewer)
    slugs = [SavedView.objects.get(name=name).slug for name in sorted(names)]
    assert navigation(viewer) == slugs[:15]


def test_one_view_at_a_time_is_home_and_opens_after_the_log_in(client, cast):
    person = client_of(cast.viewer)
    first, second = make_view(cast.viewer, "First"), make_view(cast.viewer, "Second", "/people/", "q=ana")
    for view in (first, second):
        person.post(f"/views/{view.slug}/home/", {"wanted": "1"})
    credentials = {"login": "viewer", "password": world.PASSWORD}
    for address in ("/accounts/login/", "/accounts/login/?next=/"):
        client.logout()
        opened = client.post(address, credentials, follow=True)
        assert [url for url, _ in opened.redirect_chain] == ["/home/", "/people/?q=ana"]
    client.logout()
    asked = client.post("/accounts/login/?next=/groups/", credentials)
    assert asked["Location"] == "/groups/"
    assert client.get("/").context["tiles"]


def test_the_log_in_of_who_has_no_home_leads_to_the_overview(client, cast):
    opened = client.post("/accounts/login/", {"login": "viewer", "password": world.PASSWORD}, follow=True)
    assert [url for url, _ in opened.redirect_chain] == ["/"]


def test_a_home_that_is_taken_back_or_deleted_is_the_overview_again(viewer, cast):
    view = make_view(cast.viewer, "Mine")
    other = make_view(cast.viewer, "Other")
    viewer.post(f"/views/{view.slug}/home/", {"wanted": "1"})
    viewer.post(f"/views/{other.slug}/home/", {"wanted": "0"})
    assert viewer.get("/home/")["Location"] == "/certificates/"
    viewer.post(f"/views/{view.slug}/delete/")
    assert viewer.get("/home/")["Location"] == "/"
    assert User.objects.get(pk=cast.viewer.pk).home is None


@pytest.mark.parametrize("path", ["/groups/demo/night-shift/", "/stories/demo/{story}/", "/people/{person}/"])
def test_a_home_whose_page_is_gone_or_not_ones_own_any_more_is_told_on_the_overview(path, viewer, cast):
    one = world.make_certificate(world.make_story(cast.demo))
    group = world.make_group(cast.demo, "Night shift", one.learner)
    path = path.format(story=one.story.key, person=one.learner_id)
    view = make_view(cast.viewer, "Mine", path, "state=pending")
    viewer.post(f"/views/{view.slug}/home/", {"wanted": "1"})
    assert viewer.get("/home/")["Location"] == f"{path}?state=pending"
    if "groups" in path:
        group.tracked = False
        group.save()
    else:
        cast.viewer.grants.all().delete()
    opened = viewer.get("/home/", follow=True)
    assert [url for url, _ in opened.redirect_chain] == ["/"]
    assert "The view that is your home leads nowhere" in text_of(opened)
    assert User.objects.get(pk=cast.viewer.pk).home == view


def test_a_home_that_is_not_shared_any_more_is_told_too(viewer, cast):
    view = make_view(cast.owner, "Shared", "/people/", app=cast.demo)
    viewer.post(f"/views/{view.slug}/home/", {"wanted": "1"})
    assert viewer.get("/home/")["Location"] == "/people/"
    SavedView.objects.update(app=None)
    assert "The view that is your home leads nowhere" in text_of(viewer.get("/home/", follow=True))


def test_a_home_of_a_story_that_has_another_name_by_now_opens_the_choice_of_its_id(viewer, cast):
    for name in ("One", "Another"):
        world.make_story(cast.demo, name, "A")
    view = make_view(cast.viewer, "Mine", "/stories/demo/A~before/")
    viewer.post(f"/views/{view.slug}/home/", {"wanted": "1"})
    opened = viewer.get("/home/", follow=True)
    assert [url for url, _ in opened.redirect_chain] == ["/stories/demo/A~before/"]
    assert "Another" in text_of(opened)
