"""The list of saved views, what views cost, and what the database holds of them."""

import re
from urllib.parse import urlsplit

import pytest
from django.core.cache import cache
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils.html import escape

from certdash.models import SavedView, User
from certdash.saved_views import told
from tests.reading import text_of as read
from tests.saved_views.saving import client_of, save, text_of
from tests.world import make_certificate, make_foreign, make_group, make_story, make_view

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
    make_view(cast.viewer, "Of an app not seen any more", app=cast.other)
    _, line, of_another = text_of(viewer.get("/views/?_export=csv")).lstrip("\ufeff").splitlines()
    name, _, address, owner, app, _ = line.split(",")
    assert (name, owner, app) == ("'=cmd", "viewer", "demo")
    assert of_another.split(",")[4] == ""
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


def test_a_key_is_of_its_own_app(cast):
    for app, name, group in ((cast.demo, "Fire safety", "night shift"), (cast.other, "Baking", "Night Shift")):
        make_story(app, name, "1")
        make_group(app, group)
    paths = [f"/{what}/{app.slug}/{key}/" for app in (cast.demo, cast.other) for what, key in (
        ("stories", "1"), ("groups", "night-shift"),
    )]  # fmt: skip
    for number, path in enumerate(paths):
        make_view(cast.superuser, f"View {number}", path)
    seen = [kept.about for kept in told(list(SavedView.objects.order_by("pk")), [cast.demo, cast.other])]
    assert seen == ["Fire safety", "night shift", "Baking", "Night Shift"]
    seen = [kept.about for kept in told(list(SavedView.objects.order_by("pk")), [cast.other])]
    assert seen == ["a story (not in your apps)", "a group (not tracked in your apps)", "Baking", "Night Shift"]


def test_a_view_of_the_group_that_is_none_breaks_no_list(viewer, cast):
    answer = viewer.get("/views/add/", {"path": "/groups/demo/~none/"})
    assert "A group: a group (not tracked in your apps)" in read(answer)
    save(client_of(cast.owner), path="/groups/demo/~none/", query="", app=cast.demo.pk)
    make_view(cast.owner, "Nobody", "/groups/demo/~none/", app=cast.demo)
    assert listed(viewer) == ["Nobody"]


def test_a_filter_by_person_that_there_is_not_names_nobody(cast):
    pk = make_certificate(make_story(cast.demo), firstname="Ana").learner.pk
    make_view(cast.viewer, "Ana", query=f"person={pk}")
    assert [kept.words for kept in told(list(SavedView.objects.all()), [cast.demo])] == [[f"person: {pk}"]]


def test_a_view_of_one_group_story_or_person_says_which_to_who_may_see_it(viewer, cast):
    certificate = make_certificate(make_story(cast.demo, "Fire <safety>"), firstname="Ana", lastname="Souza")
    group = make_group(cast.demo, "Night shift", certificate.learner)
    foreign = make_foreign(cast.other)
    for number, path in enumerate([
        f"/groups/demo/{group.key}/",
        f"/stories/demo/{certificate.story.key}/",
        f"/people/{certificate.learner.pk}/",
        f"/people/{foreign.learner.pk}/",
        f"/stories/{cast.other.slug}/{foreign.story.key}/",
        "/no/more/",
    ]):  # fmt: skip
        make_view(cast.viewer, f"View {number}", path, "state=pending")
    page = viewer.get("/views/?whose=mine")
    assert [row.record.kept.about for row in page.context["table"].page.object_list] == [
        "Night shift", "Fire <safety>", "Ana Souza", "a person (not in your apps)", "a story (not in your apps)", ""
    ]  # fmt: skip
    html = page.content.decode()
    assert "Fire &lt;safety&gt;" in html
    assert "Rosa" not in html
    assert "Retail till" not in html
    assert "A group: Night shift" in read(
        viewer.get("/views/add/", {"path": f"/groups/demo/{group.key}/", "query": "q=a"})
    )


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
