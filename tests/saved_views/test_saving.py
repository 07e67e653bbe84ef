"""Saving a view: what is kept of a page, under which name, and where it leads."""

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest

from certdash.models import SavedView, User
from certdash.saved_views import PAGES, new_slug, page_of
from tests import world
from tests.saved_views.saving import save
from tests.world import make_view


def link_of(client, address):
    """Where the page's “Save this view” leads; None without one."""
    found = re.search(r'href="(/views/add/[^"]*)"', client.get(address).content.decode())
    return found and unescape(found[1])


def test_what_is_on_the_screen_is_saved_under_a_name_and_opened_again(viewer, cast):
    world.make_certificate(world.make_story(cast.demo), state="pending", city="São Paulo")
    address = "/certificates/?state=pending&city=S%C3%A3o+Paulo&sort=person&page=1&per_page=20"
    form = viewer.get(link_of(viewer, address)).context["form"]
    told = {name: form[name].value() for name in ("path", "query")}
    answer = viewer.post("/views/add/", told | {"name": "  São   Paulo  ", "description": "For Mondays"})
    saved = SavedView.objects.get()
    assert (saved.name, saved.description, saved.owner, saved.app) == ("São Paulo", "For Mondays", cast.viewer, None)
    target = "/certificates/?city=S%C3%A3o+Paulo&state=pending&sort=person"
    assert sorted(answer["Location"].split("&")) == sorted(viewer.get(f"/views/{saved.slug}/")["Location"].split("&"))
    opened = viewer.get(f"/views/{saved.slug}/", follow=True)
    assert opened.redirect_chain[0][1] == 302
    assert parse_qs(urlsplit(opened.redirect_chain[0][0]).query) == parse_qs(urlsplit(target).query)
    assert (opened.context["rows"], opened.context["ignored"]) == (1, [])


@pytest.mark.parametrize("address", [
    "/certificates/?awarded=7d", "/stories/?q=fire", "/groups/?sort=-name", "/people/?q=ana", "/matrix/?state=pending",
    "/stories/demo/EV72-RQZY-80AH~fire-safety/?state=pending", "/groups/demo/managers/?country=Brazil",
])  # fmt: skip
def test_every_list_with_filters_can_be_saved_and_leads_back_to_itself(address, viewer, cast):
    certificate = world.make_certificate(world.make_story(cast.demo), state="pending", country="Brazil")
    world.make_group(cast.demo, "Managers", certificate.learner)
    form = viewer.get(link_of(viewer, address)).context["form"]
    answer = viewer.post("/views/add/", {name: form[name].value() for name in ("path", "query")} | {"name": "It"})
    assert answer["Location"] == address
    assert viewer.get(answer["Location"]).context["ignored"] == []


def test_a_page_about_one_is_worth_a_view_also_without_filters_and_names_it(viewer, cast):
    certificate = world.make_certificate(world.make_story(cast.demo), firstname="Ana", lastname="Souza")
    world.make_group(cast.demo, "Managers", certificate.learner)
    named = {
        "/stories/demo/EV72-RQZY-80AH~fire-safety/": "Fire safety",
        "/groups/demo/managers/?state=pending": "Managers, Pending",
        f"/people/{certificate.learner_id}/": "",  # an erasure takes along what is called after a namesake, too
    }
    for address, name in named.items():
        form = viewer.get(link_of(viewer, address)).context["form"]
        assert form["name"].value() == name
        fields = {field: form[field].value() for field in ("path", "query", "name")}
        assert viewer.post("/views/add/", fields | {"name": name or "Hers"})["Location"] == address


@pytest.mark.parametrize(
    "address", ["/certificates/", "/stories/", "/apps/?q=demo", "/views/?q=a", "/certificates/?x=1"]
)
def test_where_nothing_is_filtered_or_no_view_leads_nothing_is_offered(address, viewer):
    assert link_of(viewer, address) is None


def test_a_story_whose_id_holds_a_slash_and_a_percent_sign_is_found_again(viewer, cast):
    story = world.make_story(cast.demo, "Ünfall 100 % / Büro", "A/B%2F?#&")
    world.make_certificate(story, state="pending")
    listed = viewer.get("/stories/").content.decode()
    page = unescape(re.search(r'href="(/stories/demo/[^"]*)"', listed)[1])
    form = viewer.get(link_of(viewer, f"{page}?state=pending")).context["form"]
    answer = viewer.post("/views/add/", {name: form[name].value() for name in ("path", "query")} | {"name": "It"})
    opened = viewer.get(answer["Location"])
    assert (opened.status_code, opened.context["story"]) == (200, story)


def test_a_place_in_the_list_and_what_is_asked_of_the_page_are_not_kept(viewer):
    query = "page=7&per_page=20&_export=csv&_table=weeks&_part=filters&_any=1&q=&country=&state=pending&sort=-person"
    save(viewer, query=query)
    assert SavedView.objects.get().query == "country=&state=pending&sort=-person"


@pytest.mark.parametrize(("query", "kept"), [
    ("&".join(f"id={number}" for number in range(200)), True),
    ("&".join(f"id={number}" for number in range(201)), False),
    ("&".join(f"q={number}" for number in range(700)), False),
    ("q=" + "x" * 2990, True),
    ("q=" + "x" * 3100, False),
    ("q=" + "%F0%9F%8C%8D" * 245, True),  # 12 characters each
    ("q=" + "🌍" * 300, False),
    ("q=a\0b", False),
])  # fmt: skip
def test_what_a_view_keeps_is_bounded_and_nothing_of_it_is_dropped_silently(query, kept, viewer):
    answer = save(viewer, query=query)
    assert (answer.status_code, SavedView.objects.count()) == ((302, 1) if kept else (422, 0))
    if not kept:
        assert answer.context["form"].non_field_errors()


@pytest.mark.parametrize("path", [
    "https://evil.example/", "//evil.example/certificates/", "/\\evil.example", "javascript:alert(1)", "/apps/demo/",
    "/accounts/logout/", "/certificates", "certificates/", "", "/views/add/", "/people/1/erase/", "/certificates/\0",
    "/apps/demo/connection/", "/stories/demo/EV72/refresh/", "/certificates/?next=//evil.example", "/static/x", "/",
    "/stories/demo/../", "/stories/demo/./", "/groups/demo/../", "/certificates/../apps/", "/./certificates/",
])  # fmt: skip
def test_a_view_leads_to_no_page_but_lists_of_ours(path, viewer):
    answer = save(viewer, path=path)
    assert (answer.status_code, SavedView.objects.count()) == (422, 0)
    assert viewer.get("/views/add/", {"path": path}).status_code == 404


def test_a_page_that_became_none_of_a_views_leads_nowhere(viewer, cast):
    """Stored by hand, or by a version that knew another page."""
    view = make_view(cast.viewer, "Old", "/apps/demo/connection/")
    assert viewer.get(f"/views/{view.slug}/").status_code == 404
    User.objects.filter(pk=cast.viewer.pk).update(home=view)
    assert viewer.get("/home/")["Location"] == "/"
    listed = viewer.get("/views/").content.decode()
    assert "A page that is no more" in listed


def test_every_page_of_a_view_is_an_address(cast):
    story, learner = world.make_story(cast.demo), world.make_learner(cast.demo)
    named = {page_of(path) for path in (
        "/certificates/", "/stories/", "/groups/", "/matrix/", "/delivery/", "/people/", f"/stories/demo/{story.key}/",
        "/groups/demo/x/", f"/people/{learner.pk}/",
    )}  # fmt: skip
    assert named == set(PAGES.values())


@pytest.mark.parametrize("name", ["", "   ", "\u200b\u2060", "\u202e\u202c", "x" * 101])
def test_a_name_can_be_read_and_is_bounded(name, viewer):
    answer = save(viewer, name=name)
    assert (answer.status_code, SavedView.objects.count()) == (422, 0)
    assert answer.context["form"].errors["name"]


def test_a_name_is_ones_own_only_once_and_somebody_elses_is_no_hindrance(viewer, cast):
    make_view(cast.manager, "pending abroad")
    assert save(viewer).status_code == 302
    again = save(viewer, name="PENDING abroad")
    assert again.context["form"].errors["name"] == ["You have a view of this name already: give this one another."]
    assert SavedView.objects.filter(owner=cast.viewer).count() == 1


def test_two_who_send_one_name_at_once_are_told_so(viewer, cast, monkeypatch):
    make_view(cast.viewer, "Pending abroad")
    monkeypatch.setattr("certdash.forms.saved_views.SavedViewForm.clean_name", lambda self: self.cleaned_data["name"])
    answer = save(viewer)
    assert (answer.status_code, SavedView.objects.count()) == (422, 1)
    assert answer.context["form"].errors["name"]


def test_a_slug_is_of_the_name_and_tells_nothing_of_other_views():
    slugs = {new_slug("Pending abroad") for _ in range(50)}
    assert len(slugs) == 50
    assert all(re.fullmatch(r"pending-abroad-[a-z2-9]{8}", slug) for slug in slugs)
    assert re.fullmatch(r"view-[a-z2-9]{8}", new_slug("研修"))
    assert len(new_slug("x" * 100)) <= 80


def test_a_view_that_is_renamed_keeps_its_address(viewer, cast):
    save(viewer)
    slug = SavedView.objects.get().slug
    viewer.post(f"/views/{slug}/edit/", {"name": "Abroad", "path": "/people/", "query": "q=x"})
    view = SavedView.objects.get()
    assert (view.name, view.slug, view.path, view.query) == ("Abroad", slug, "/certificates/", "state=pending")
