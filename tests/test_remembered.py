"""What is counted once is not counted again until rows of its apps change, and nobody else's counts are told."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from certdash.models import App, Certificate
from certdash.remembered import remembered_count
from tests import world

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
