"""Pages with little to show: no rows, no app, nobody in a group."""

import re

import pytest

from certdash.models import Group
from tests import world
from tests.reading import text_of
from tests.world import make_certificate, make_group, make_story

pytestmark = pytest.mark.django_db

EMPTY = {
    "/": "0 none yet",
    "/certificates/": "Nothing here yet: the next sync may bring some.",
    "/stories/": "Nothing here yet: the next sync may bring some.",
    "/groups/": "No group is tracked yet: an owner of an app lists them.",
    "/matrix/": "Nothing here yet: the next sync may bring some.",
    "/delivery/": "Nothing is pending, and no delivery was observed yet: the next syncs may bring some.",
    "/people/": "Nothing here yet: the next sync may bring some.",
    "/apps/demo/": "This app has not been synchronised yet.",
    "/apps/demo/runs/": "This app has not been synchronised yet.",
}


@pytest.mark.parametrize("address", EMPTY)
def test_a_page_without_rows_says_so(address, client, cast):
    client.force_login(cast.viewer)
    assert EMPTY[address] in text_of(client.get(address))


def test_a_page_whose_filters_leave_nothing_offers_to_clear_them(client, cast):
    client.force_login(cast.viewer)
    html = client.get("/certificates/?country=Nowhere").content.decode()
    assert "No certificate fits these filters." in html
    assert re.search(r'<a class="btn" href="/certificates/">Clear all filters</a>', html)


def test_of_no_rows_no_file_is_offered(client, cast):
    client.force_login(cast.viewer)
    make_certificate(make_story(cast.demo), country="Denmark")
    empty = client.get("/certificates/?country=Nowhere").content.decode()
    assert "No row to download" in empty
    assert "_export=" not in empty
    html = client.get("/certificates/?country=Denmark").content.decode()
    assert "Download 1 row" in html
    assert "_export=csv" in html


def test_before_there_is_an_app_a_superuser_is_led_to_adding_one_and_others_to_asking(client, db):
    client.force_login(world.User.objects.create_superuser("root", "root@example.com"))
    assert 'href="/apps/add/"' in client.get("/").content.decode()
    client.force_login(world.make_user("newcomer"))
    assert "Ask the owner of an app to give you access" in text_of(client.get("/"))


def test_a_group_that_nobody_came_back_for_may_be_misspelt(client, cast):
    make_group(cast.demo, "Manegers")
    client.force_login(cast.viewer)
    assert "Nobody came back for this group" in text_of(client.get("/groups/demo/manegers/"))
    assert "check how the name is written" in text_of(client.get("/groups/"))
    Group.objects.update(checked_at=None)
    assert "This group was not asked for yet" in text_of(client.get("/groups/demo/manegers/"))
