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
