"""Views for everybody who may see an app: what they may name, what is told of them, and when that ends."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from certdash.models import Grant, Role, SavedView, Story, Team
from certdash.models.group import track_groups
from certdash.saved_views import MOST_VIEWS
from tests import world
from tests.world import make_view


def client_of(person):
    client = Client()
    client.force_login(person)
    client.get("/healthz")
    return client


@pytest.fixture
def both(cast):
    """A client of the viewer of `demo`, who is one of the other app as well; each app has one of everything."""
    world.make_foreign(cast.other)
    learner = world.make_certificate(world.make_story(cast.demo), url="https://c.example/1").learner
    world.make_group(cast.demo, "Managers", learner)
    world.make_run(cast.demo)
    Grant.objects.create(app=cast.other, user=cast.viewer, role=Role.VIEWER)
    SavedView.objects.all().delete()
    return client_of(cast.viewer)


def named(app):
    """Everything of an app that a view can name: pairs of path and query."""
    story, group = app.stories.get(), app.groups.get()
    found = {
        "app": ("/certificates/", f"app={app.slug}"),
        "story": ("/certificates/", f"state=pending&story={story.key}"),
        "story by its ID": ("/matrix/", f"story={story.vendor_id}"),
        "group": ("/certificates/", f"group={group.key}&group=~none"),
        "certificate": ("/certificates/", f"id={app.certificates.get().pk}"),
        "run": ("/certificates/", f"run={app.runs.get().pk}"),
        "story's page": (f"/stories/{app.slug}/{story.key}/", "state=pending"),
        "group's page": (f"/groups/{app.slug}/{group.key}/", ""),
        "person's page": (f"/people/{app.learners.get().pk}/", ""),
    }
    assert {*found} == {*THINGS}
    return found


THINGS = ["app", "story", "story by its ID", "group", "certificate", "run", "story's page", "group's page",
          "person's page"]  # fmt: skip


def save(client, path, query, app=None, **other):
    fields = {"name": "It", "path": path, "query": query, "app": app.pk if app else ""} | other
    return client.post("/views/add/", fields)


@pytest.mark.parametrize("thing", THINGS)
def test_a_shared_view_names_only_what_its_app_has(thing, both, cast):
    path, query = named(cast.other)[thing]
    refused = save(both, path, query, cast.demo)
    assert (refused.status_code, SavedView.objects.count()) == (422, 0)
    (error,) = refused.context["form"].errors["app"]
    assert "may only name what is of that app. It has no" in error
    assert save(both, path, query, cast.other).status_code == 302
    assert save(both, path, query, name="Private").status_code == 302
    assert save(both, *named(cast.demo)[thing], cast.demo, name="Demo's").status_code == 302


@pytest.mark.parametrize("thing", THINGS)
def test_a_private_view_that_names_another_app_is_not_shared_later(thing, both, cast):
    view = make_view(cast.viewer, "It", *named(cast.other)[thing])
    answer = both.post(f"/views/{view.slug}/edit/", {"name": "It", "app": cast.demo.pk})
    assert (answer.status_code, SavedView.objects.get().app) == (422, None)
    assert both.post(f"/views/{view.slug}/edit/", {"name": "It", "app": cast.other.pk}).status_code == 302


def test_a_shared_view_that_is_changed_is_looked_at_again(both, cast):
    view = make_view(cast.viewer, "It", query="group=managers", app=cast.demo)
    change = {"name": "Other", "app": cast.demo.pk}
    assert both.post(f"/views/{view.slug}/edit/", change).status_code == 302
    track_groups(cast.demo, [])
    answer = both.post(f"/views/{view.slug}/edit/", change | {"name": "Third"})
    assert "It has no group: \u2068managers\u2069." in answer.context["form"].errors["app"][0]
    assert both.post(f"/views/{view.slug}/edit/", change | {"app": ""}).status_code == 302
    assert (SavedView.objects.get().name, SavedView.objects.get().app) == ("Other", None)


@pytest.mark.parametrize(
    "query",
    [
        "app=demo&app=retail",
        "id=x",
        "id=999999999999999999999",
        "run=%D9%A1",
        "story=",
        "app=%00",
        "story=%00",
        "group=a%00",
    ],
)
def test_what_names_nothing_is_refused_or_left_out_and_breaks_nothing(query, both, cast):
    answer = save(both, "/certificates/", query, cast.demo)
    kept = SavedView.objects.values_list("query", flat=True)
    assert (answer.status_code, [*kept]) == ((302, [""]) if query == "story=" else (422, []))


def test_a_view_whose_page_is_no_more_is_not_shared(both, cast):
    view = make_view(cast.viewer, "It", "/apps/demo/connection/")
    answer = both.post(f"/views/{view.slug}/edit/", {"name": "It", "app": cast.demo.pk})
    assert "The page of this view is no more" in answer.context["form"].errors["app"][0]


# -- What readers are told --------------------------------------------------------------------------------------


def text_of(response):
    return (b"".join(response) if response.streaming else response.content).decode()


def test_the_list_tells_no_key_of_an_app_that_its_reader_may_not_see(cast):
    world.make_foreign(cast.other)
    world.make_certificate(world.make_story(cast.demo))
    SavedView.objects.all().delete()
    story = Story.objects.get(app=cast.other)
    query = f"app=retail&app=demo&story={story.key}&story={world.make_story(cast.demo).key}&group=retail-night-shift"
    make_view(cast.owner, "Shared", query=f"{query}&group=~none", app=cast.demo)
    mine = make_view(cast.viewer, "Mine", query=query)
    viewer = client_of(cast.viewer)
    for address in ("/views/", "/views/?_export=csv", f"/views/{mine.slug}/edit/"):
        assert world.FOREIGN not in re.sub(r'name="csrf.*?>', "", text_of(viewer.get(address))).lower(), address
    (shared,) = [row.record.kept for row in viewer.get("/views/?whose=shared").context["table"].page.object_list]
    assert shared.words == [
        "an app (not in your apps)", "Demo Academy", "a story (not in your apps)", "Fire safety",
        "a group (not tracked in your apps)", "in no tracked group",
    ]  # fmt: skip
    assert "Retail night shift" in text_of(client_of(cast.superuser).get("/views/"))


def test_whatever_views_keep_their_list_is_shown(cast):
    """Nobody breaks the list of the others by sharing."""
    many = "&".join(f"story={number}" for number in range(250))
    for number, query in enumerate(["story=%00", "group=%00&app=%00", "id=x&run=%D9%A1", "story=~&group=", many]):
        make_view(cast.owner, f"View {number}", query=query, app=cast.demo)
    assert len(client_of(cast.viewer).get("/views/").context["table"].page.object_list) == 5


def test_telling_what_views_keep_costs_the_same_for_many(cast):
    story, viewer = world.make_story(cast.demo), client_of(cast.viewer)
    group = world.make_group(cast.demo, "Managers")

    def queries():
        with CaptureQueriesContext(connection) as captured:
            viewer.get("/views/")
        return len(captured)

    make_view(cast.owner, "First", query=f"story={story.key}&group={group.key}", app=cast.demo)
    before = queries()
    for number in range(20):
        make_view(cast.owner, f"View {number}", query=f"story=X{number}&group=g{number}&app=a{number}", app=cast.demo)
    assert queries() == before <= 20


# -- When it ends -----------------------------------------------------------------------------------------------


def shut_out(cast, how):
    """Take from the manager what lets them see `demo`; gives what brings it back."""
    person = cast.manager
    grants = Grant.objects.filter(app=cast.demo, user=person)
    if how == "role":
        grants.delete()
        return lambda: person.grants.create(app=cast.demo, role=Role.VIEWER)
    if how == "account":
        person.is_active = False
        person.save()
        person.is_active = True
        return person.save
    grants.delete()
    team = Team.objects.create(name="Trainers")
    given = cast.demo.grants.create(team=team, role=Role.OWNER)
    team.members.add(person)
    if how == "team":
        team.members.remove(person)
        return lambda: team.members.add(person)
    given.delete()
    return lambda: cast.demo.grants.create(team=team, role=Role.VIEWER)


@pytest.mark.parametrize("how", ["role", "account", "team", "team's role"])
def test_sharing_ends_with_the_owners_own_access_and_returns_with_it(how, cast):
    shared, viewer = make_view(cast.manager, "Shared by Marco", app=cast.demo), client_of(cast.viewer)
    for verb in ("pin", "home"):
        viewer.post(f"/views/{shared.slug}/{verb}/", {"wanted": "1"})

    def is_shared():
        shown = [
            "Shared by Marco" in text_of(viewer.get(page)) for page in ("/views/", "/people/", "/views/?_export=csv")
        ]
        opens = viewer.get(f"/views/{shared.slug}/").status_code == 302
        leads_home = viewer.get("/home/")["Location"] == "/certificates/"
        owners = client_of(cast.owner).get(f"/views/{shared.slug}/delete/").status_code == 200
        each = {*shown, opens, leads_home, owners}
        assert len(each) == 1, (shown, opens, leads_home, owners)
        return each.pop()

    assert is_shared()
    back = shut_out(cast, how)
    assert not is_shared()
    back()
    assert is_shared()


def test_a_view_whose_sharing_has_ended_stays_its_owners(cast):
    view = make_view(cast.viewer, "Mine", app=cast.demo)
    Grant.objects.filter(user=cast.viewer).delete()
    viewer = client_of(cast.viewer)
    assert viewer.get(f"/views/{view.slug}/").status_code == 302
    assert "Only you see it." in text_of(viewer.get(f"/views/{view.slug}/delete/"))


def test_what_a_superuser_shares_is_shared_with_every_app(cast):
    shared = make_view(cast.superuser, "Everybody's", app=cast.demo)
    assert client_of(cast.viewer).get(f"/views/{shared.slug}/").status_code == 302
    cast.superuser.is_superuser = False
    cast.superuser.save()
    assert client_of(cast.viewer).get(f"/views/{shared.slug}/").status_code == 404


# -- How many ---------------------------------------------------------------------------------------------------


def test_a_person_has_at_most_so_many_views_and_is_told_so(cast):
    viewer = client_of(cast.viewer)
    made = (SavedView(owner=cast.viewer, name=f"{n}", slug=f"s{n}", path="/people/") for n in range(MOST_VIEWS - 1))
    SavedView.objects.bulk_create(made)
    assert save(viewer, "/people/", "q=a").status_code == 302
    refused = save(viewer, "/people/", "q=a", name="One more")
    assert (refused.status_code, SavedView.objects.count()) == (422, MOST_VIEWS)
    assert refused.context["form"].non_field_errors() == [
        "You have 200 views, and there is no room for more: delete one under Views, then save this one."
    ]
    assert viewer.post("/views/s1/edit/", {"name": "Renamed"}).status_code == 302
    assert save(client_of(cast.manager), "/people/", "q=a").status_code == 302
    viewer.post("/views/s2/delete/")
    assert save(viewer, "/people/", "q=a", name="One more").status_code == 302
