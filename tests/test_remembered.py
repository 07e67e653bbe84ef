"""What is counted once is not counted again until rows of its apps change, and nobody else's counts are told."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from certdash import remembered
from certdash.models import App, Certificate
from certdash.remembered import remembered_count
from tests import world
from tests.access.asking import all_of, logged_in

pytestmark = pytest.mark.django_db


def live(*apps: App) -> tuple[int, int]:
    """The count of live certificates, and the queries it took."""
    read = list(App.objects.filter(pk__in=[app.pk for app in apps]))
    with CaptureQueriesContext(connection) as queries:
        return remembered_count(read, Certificate.objects.of(read).live()), len(queries)


def test_a_count_is_remembered_until_its_app_changes(cast):
    world.make_certificate(world.make_story(cast.demo))
    assert [live(cast.demo) for _ in range(2)] == [(1, 1), (1, 0)]
    world.make_certificate(world.make_story(cast.demo))
    cast.demo.moved()
    assert [live(cast.demo) for _ in range(2)] == [(2, 1), (2, 0)]


def test_other_apps_are_another_count(cast):
    world.make_certificate(world.make_story(cast.demo))
    assert (live(cast.demo), live(cast.other), live(cast.demo, cast.other)) == ((1, 1), (0, 1), (1, 1))


def test_a_change_elsewhere_makes_nothing_forgotten(cast):
    live(cast.demo)
    cast.other.moved()
    assert live(cast.demo) == (0, 0)


def test_a_page_tells_the_new_number_right_after_a_change(client, cast):
    client.force_login(cast.viewer)
    story = world.make_story(cast.demo)
    for number in range(1, 4):
        world.make_certificate(story)
        cast.demo.moved()
        assert client.get("/certificates/").context["table"].paginator.count == number


def test_while_a_sync_writes_a_count_may_be_of_a_moment_ago_but_never_the_number_of_rows(client, cast):
    client.force_login(cast.viewer)
    story = world.make_story(cast.demo)
    world.make_certificate(story)
    run = world.make_run(cast.demo, "running", applying_since=world.NOW)
    told = []
    for _ in range(2):
        world.make_certificate(story)
        cast.demo.moved()
        told.append((client.get("/").context["tiles"][0]["number"], client.get("/certificates/").context["rows"]))
    assert told == [("2", 2), ("2", 3)]
    run.status, run.finished_at = "success", world.NOW
    run.save()
    assert client.get("/").context["tiles"][0]["number"] == "3"


def test_what_is_told_while_a_sync_writes_is_told_to_nobody_else(client, cast):
    world.make_certificate(world.make_story(cast.demo))
    for app in (cast.demo, cast.other):
        world.make_run(app, "running", applying_since=world.NOW)
    for who, number in ((cast.viewer, "1"), (cast.stranger, "0"), (cast.superuser, "1")):
        client.force_login(who)
        assert client.get("/").context["tiles"][0]["number"] == number


# -- Across people ----------------------------------------------------------------------------------------------

# What is counted, and with it what could be told to the next one who asks the same.
COUNTED = [
    "/", "/?_export=csv&_table=ages", "/certificates/", "/certificates/?_part=filters",
    "/certificates/?_part=filters&state=pending&withdrawn=all", "/certificates/?_export=xlsx",
    "/certificates/?country=Nowhere&state=delivered", "/certificates/?q=o&country=&city=", "/stories/", "/groups/",
    "/people/", "/matrix/", "/matrix/?_part=filters", "/matrix/?_export=csv", "/delivery/", "/views/", "/apps/",
]  # fmt: skip
OF_DEMO = ("demo", "fire safety", "souza", "ana@example.com", "managers", "brazil", "são paulo")
OF_OTHER = (world.FOREIGN, "rosa", "night shift")


@pytest.fixture
def two_apps(cast):
    """Each with a story, a learner, a group and a shared view of its own."""
    certificate = world.make_certificate(world.make_story(cast.demo))
    world.make_group(cast.demo, "Managers", certificate.learner)
    world.make_view(cast.owner, "Demo view", app=cast.demo)
    world.make_foreign(cast.other)
    return cast


@pytest.mark.parametrize("written", [False, True])
@pytest.mark.parametrize(
    ("who", "before", "foreign"), [("viewer", "stranger", OF_OTHER), ("stranger", "owner", OF_DEMO)]
)
def test_what_is_remembered_for_others_is_told_to_nobody_who_may_not_see_it(who, before, foreign, written, two_apps):
    if written:  # counts are then remembered without a look at what was written since
        for app in (two_apps.demo, two_apps.other):
            world.make_run(app, "running", applying_since=world.NOW)
    for somebody in ("superuser", before):
        client = logged_in(two_apps, somebody)
        told = "".join(all_of(client.get(address)) for address in COUNTED).lower()
        assert [word for word in foreign if word not in told] == []
    client = logged_in(two_apps, who)
    for address in COUNTED:
        told = all_of(client.get(address)).lower()
        assert [word for word in foreign if word in told] == [], address


def test_the_search_would_find_what_is_remembered_without_its_apps(two_apps, monkeypatch):
    """Alone the values of a query, and the stamps beside it, tell whose rows it counts."""
    monkeypatch.setattr(remembered, "_key", lambda what, _apps, sql, _values: f"{what}-{hash(sql)}")
    logged_in(two_apps, "stranger").get("/certificates/?_part=filters")
    told = all_of(logged_in(two_apps, "viewer").get("/certificates/?_part=filters")).lower()
    assert world.FOREIGN in told
