"""When a session begins, goes on and ends."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from tests import world

pytestmark = pytest.mark.django_db
IDLE = timedelta(hours=8)
BACKGROUND = {"HX-Request": "true", "X-Background": "1"}


def log_in(name="viewer"):
    """A browser in which somebody has logged in by the form."""
    client = Client()
    response = client.post("/accounts/login/", {"login": name, "password": world.PASSWORD})
    assert response.status_code == 302
    return client


def is_in(client, **options):
    return client.get("/certificates/", **options).status_code == 200


@pytest.fixture
def clock():
    with time_machine.travel(timezone.now(), tick=False) as clock:
        yield clock


def test_a_session_ends_after_eight_idle_hours(cast, clock):
    client = log_in()
    assert is_in(client)
    clock.shift(IDLE - timedelta(seconds=1))
    assert is_in(client)
    clock.shift(IDLE)
    assert not is_in(client)


def test_a_session_in_use_goes_on_for_longer(cast, clock):
    client = log_in()
    for _ in range(5):
        clock.shift(timedelta(hours=7))
        assert is_in(client)


def test_the_cookie_lives_as_long_as_the_session(cast, clock):
    client = log_in()
    assert client.cookies[settings.SESSION_COOKIE_NAME]["max-age"] == IDLE.total_seconds()
    clock.shift(timedelta(hours=1))
    assert client.get("/").cookies[settings.SESSION_COOKIE_NAME]["max-age"] == IDLE.total_seconds()


def test_what_a_page_asks_for_by_itself_keeps_nobody_in(cast, clock):
    client = log_in()
    assert is_in(client)
    for _ in range(8):
        clock.shift(timedelta(hours=1) - timedelta(seconds=1))
        assert is_in(client, headers=BACKGROUND)
    clock.shift(timedelta(seconds=8))
    assert not is_in(client, headers=BACKGROUND)


def test_the_stamp_holds_also_where_the_stored_row_lives_on(cast, clock):
    client = log_in()
    assert is_in(client)
    Session.objects.update(expire_date=timezone.now() + timedelta(days=9))
    clock.shift(IDLE)
    assert not is_in(client)
    assert not Session.objects.exists()


def test_filtering_a_page_is_use(cast, clock):
    client = log_in()
    for _ in range(3):
        clock.shift(timedelta(hours=5))
        assert is_in(client, headers={"HX-Request": "true"})


def test_a_run_that_is_followed_asks_in_the_background(client, cast):
    run = world.make_run(cast.demo, "running")
    client.force_login(cast.viewer)
    page = client.get(f"/apps/demo/runs/{run.pk}/").content.decode()
    followed = page[page.index("data-followed") :]
    assert "X-Background" in followed[: followed.index(">")]


def test_not_every_page_writes_the_stamp(cast, clock):
    client = log_in()
    assert is_in(client)
    before = Session.objects.get().session_data
    clock.shift(timedelta(minutes=4))
    assert is_in(client)
    assert Session.objects.get().session_data == before
    clock.shift(timedelta(minutes=4))
    assert is_in(client)
    assert Session.objects.get().session_data != before


def test_a_log_in_gets_an_id_that_nobody_knew_before(cast):
    attacker = Client()
    session = attacker.session
    session["known"] = "before"
    session.save()
    victim = Client()
    victim.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
    victim.post("/accounts/login/", {"login": "viewer", "password": world.PASSWORD})
    assert is_in(victim)
    assert victim.cookies[settings.SESSION_COOKIE_NAME].value != session.session_key
    attacker.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
    assert not is_in(attacker)


def test_a_new_password_ends_the_sessions_everywhere_else(cast):
    here, elsewhere = log_in(), log_in()
    assert is_in(elsewhere)
    new = "another-horse-8"
    form = {"oldpassword": world.PASSWORD, "password1": new, "password2": new}
    assert here.post("/accounts/password/change/", form).status_code == 302
    assert is_in(here)
    assert not is_in(elsewhere)


def test_a_closed_account_is_out_with_the_next_request_and_for_good(cast):
    client = log_in()
    cast.viewer.is_active = False
    cast.viewer.save()
    assert not is_in(client)
    cast.viewer.is_active = True
    cast.viewer.save()
    assert not is_in(client)


def test_an_ended_session_shows_nothing_on_pages_for_everybody_either(cast, clock):
    client = log_in()
    assert "Demo Academy" in client.get("/nothing-here/").content.decode()
    clock.shift(IDLE)
    assert "Demo Academy" not in client.get("/nothing-here/").content.decode()


def test_what_is_said_of_people_is_said_once_and_kept_in_no_cookie(cast):
    client = log_in()
    fields = {"path": "/people/", "query": "q=a", "name": "Erika Mustermann"}
    sent = client.post("/views/add/", fields)
    names = {re.sub("device-.*", "device", name) for name in (*client.cookies, *sent.cookies)}
    assert names == {settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME, "device", "sso-tried"}
    assert ["Erika Mustermann" in client.get("/stories/").content.decode() for _ in range(2)] == [True, False]
