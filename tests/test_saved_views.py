"""Pages with their filters, kept under a name: whose they are, where they lead, and whom they are told."""

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.cache import cache
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import escape

from certdash.models import Grant, Role, SavedView, User
from certdash.saved_views import PAGES, new_slug, page_of
from tests import world
from tests.world import make_view


def client_of(person):
    client = Client()
    client.force_login(person)
    client.get("/healthz")
    return client


@pytest.fixture
def viewer(cast):
    return client_of(cast.viewer)


def fields(**other):
    return {"name": "Pending abroad", "path": "/certificates/", "query": "state=pending"} | other


def save(client, **other):
    return client.post("/views/add/", fields(**other))


def link_of(client, address):
    """Where the page's “Save this view” leads; None without one."""
    found = re.search(r'href="(/views/add/[^"]*)"', client.get(address).content.decode())
    return found and unescape(found[1])


# -- Saving -----------------------------------------------------------------------------------------------------


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


# -- Whose they are ---------------------------------------------------------------------------------------------


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


def text_of(response):
    return (b"".join(response) if response.streaming else response.content).decode()


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


# -- Pins and home ----------------------------------------------------------------------------------------------


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


# -- The list ---------------------------------------------------------------------------------------------------


def listed(client, query=""):
    return [row.record.name for row in client.get(f"/views/?{query}").context["table"].page.object_list]


def test_the_list_holds_ones_own_views_and_those_shared_and_is_searched_by_name(viewer, cast):
    make_view(cast.viewer, "Übersicht")
    make_view(cast.owner, "Brazil", app=cast.demo)
    make_view(cast.owner, "Private")
    make_view(cast.stranger, "Foreign", app=cast.other)
    assert listed(viewer) == ["Brazil", "Übersicht"]
    assert listed(viewer, "whose=mine") == ["Übersicht"]
    assert listed(viewer, "whose=shared") == ["Brazil"]
    assert listed(viewer, "q=UBER") == ["Übersicht"]
    assert listed(viewer, "sort=owner") == ["Brazil", "Übersicht"]


def test_the_file_of_the_list_holds_addresses_that_work(viewer, cast):
    make_view(cast.viewer, "=cmd", app=cast.demo)
    _, line = text_of(viewer.get("/views/?_export=csv")).lstrip("\ufeff").splitlines()
    name, _, address, owner, app, _ = line.split(",")
    assert (name, owner, app) == ("'=cmd", "viewer", "Demo Academy")
    assert viewer.get(urlsplit(address).path).status_code == 302
    assert b"".join(viewer.get("/views/?_export=xlsx")).startswith(b"PK")


def test_hostile_names_are_text_and_kept_apart(viewer, cast):
    evil = '\u202e"><script>alert(1)</script>'
    view = make_view(cast.owner, evil, app=cast.demo, query="q=%3Cscript%3Ealert(1)%3C%2Fscript%3E")
    view.description = evil
    view.save()
    view.pinned_by.add(cast.viewer)
    for address in ("/views/", f"/views/{view.slug}/delete/", "/people/"):
        page = (viewer if "delete" not in address else client_of(cast.owner)).get(address).content.decode()
        assert "<script>alert" not in page
        around = re.findall(r"<(\w+)[^<>]*>\s*" + re.escape(escape(evil)), page)
        assert set(around) - {"title"} <= {"bdi"}, address


# -- What it costs, and what the database holds -----------------------------------------------------------------


def queries_of(client, address):
    cache.clear()
    with CaptureQueriesContext(connection) as queries:
        client.get(address)
    return len(queries)


def test_queries_are_constant_in_views_and_pins_cost_one_at_most(viewer, cast):
    pages = ("/views/", "/people/", "/certificates/", "/home/")
    before = {page: queries_of(viewer, page) for page in pages}
    for number in range(30):
        view = make_view((cast.viewer, cast.owner)[number % 2], f"View {number}", "/people/", "q=a", cast.demo)
        view.pinned_by.add(cast.viewer, cast.manager)
    after = {page: queries_of(viewer, page) for page in pages}
    assert {page: after[page] - before[page] for page in pages if page != "/views/"} == dict.fromkeys(pages[1:], 0)
    make_view(cast.viewer, "One more")
    assert queries_of(viewer, "/views/") == after["/views/"] <= 20
    pins = [query for query in captured(viewer, "/people/") if "savedview" in query]
    assert len(pins) == 1


def captured(client, address):
    cache.clear()
    with CaptureQueriesContext(connection) as queries:
        client.get(address)
    return [query["sql"].lower() for query in queries]


@pytest.mark.parametrize("wrong", [
    {"path": "//evil.example/"}, {"path": "https://evil.example/"}, {"path": ""}, {"name": ""}, {"name": "FIRST"},
    {"slug": "first-slug"},
])  # fmt: skip
def test_the_database_refuses(wrong, cast):
    right = {"owner": cast.viewer, "name": "Other", "slug": "other", "path": "/people/"}
    SavedView.objects.create(owner=cast.viewer, name="First", slug="first-slug", path="/people/")
    with pytest.raises((IntegrityError, DatabaseError)), transaction.atomic():
        SavedView.objects.create(**right | wrong)
    SavedView.objects.create(**right)


def test_a_view_outlives_its_app_as_its_owners_own_and_goes_with_its_owner(cast):
    shared = make_view(cast.viewer, "Shared", app=cast.demo)
    shared.pinned_by.add(cast.manager)
    User.objects.filter(pk=cast.manager.pk).update(home=shared)
    cast.demo.delete()
    assert SavedView.objects.get().app is None
    cast.viewer.delete()
    assert not SavedView.objects.exists()
    assert User.objects.get(pk=cast.manager.pk).home is None
