"""The overview and a person's timeline in a real Chromium: by keyboard, without scripts, light and dark."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client

from certdash.models import Change, Membership, User
from tests import world
from tests.test_browser import DESK, PHONE
from tests.world import NOW, make_certificate, make_group, make_learner, make_run, make_story


@pytest.fixture
def shown(live_server, transactional_db):
    """A served certdash with certificates of all ages, and a viewer who was here two days ago."""
    cast = world.make_cast()
    story, run = make_story(cast.demo), make_run(cast.demo)
    for days in (0, 3, 8, 9, 20, 40, 200):
        at = NOW - timedelta(days=days, hours=1)
        make_certificate(story, state="pending", at=at, initial=days > 0, first_run=run)
    one = make_certificate(make_story(cast.demo, "Première secours", "B"), at=NOW - timedelta(days=1))
    told = {"app": cast.demo, "run": run, "story": one.story, "certificate": one, "seen_at": NOW - timedelta(hours=1)}
    Change.objects.create(kind="delivered", before={"state": "pending"}, after={"state": "delivered"}, **told)
    links = {"before": {"url": "https://old.example/1"}, "after": {"url": "javascript:alert(1)"}}
    Change.objects.create(kind="link", **links, **told)
    group = make_group(cast.demo, "Managers", make_learner(cast.demo, "Ben", "Ek", "ben@example.com"))
    Membership.objects.create(group=group, learner=one.learner, since=NOW - timedelta(days=1), until=NOW)
    User.objects.filter(pk=cast.viewer.pk).update(visited_before=NOW - timedelta(days=2), visited_at=NOW)
    cast.url, cast.person = live_server.url, f"/people/{one.learner_id}/"
    return cast


@pytest.fixture
def visit(open_page, shown):
    """Opens a page as somebody who is logged in already."""

    def visit(path, who="viewer", **options):
        client = Client()
        client.force_login(shown[who])
        page = open_page(**options)
        cookie = {"name": settings.SESSION_COOKIE_NAME, "value": client.cookies[settings.SESSION_COOKIE_NAME].value}
        page.context.add_cookies([cookie | {"url": shown.url}])
        page.goto(shown.url + path)
        return page

    return visit


def rows_shown(page):
    return page.locator("#results tbody tr")


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_a_bar_leads_to_its_rows(scripts, visit, expect):
    page = visit("/", java_script_enabled=scripts)
    page.get_by_role("link", name="Pending for 7 to 13 days: 2").click()
    expect(page.locator("#count")).to_have_text("2 of 8")
    expect(rows_shown(page)).to_have_count(2)
    expect(page.locator(".chip .what")).to_have_text(["pending for 7 days or more", "pending for less than 14 days"])


def test_bars_are_walked_by_keyboard_and_show_where_one_is(visit, expect):
    page = visit("/")
    page.locator(".ages a").first.focus()
    page.keyboard.press("Tab")
    focused = page.locator(".ages a:focus-visible")
    expect(focused).to_have_attribute("href", "/certificates/?pending_days=7&pending_under=14")
    stroke = focused.locator(".hit").evaluate("rect => getComputedStyle(rect).strokeWidth")
    assert stroke == "2px"
    page.keyboard.press("Enter")
    expect(page.locator("#count")).to_have_text("2 of 8")


def test_the_table_of_a_chart_is_one_click_away(visit, expect):
    page = visit("/", java_script_enabled=False)
    chart = page.locator("figure", has=page.get_by_role("heading", name="How long the pending ones wait"))
    expect(chart.locator("table")).to_be_hidden()
    chart.get_by_text("As a table").click()
    expect(chart.locator("td.num")).to_have_text(["2", "2", "1", "1", "1"])
    with page.expect_download() as download:
        chart.get_by_role("link", name="CSV").click()
    assert download.value.suggested_filename.startswith("certificates-ages-")


def test_what_is_new_since_the_last_visit_is_one_click_away(visit, expect):
    page = visit("/")
    card = page.locator("section", has=page.get_by_role("heading", name="Since your last visit"))
    expect(card.locator("b")).to_have_text(["1", "1", "0", "1"])
    card.get_by_role("link", name="See now delivered").click()
    expect(rows_shown(page)).to_have_count(1)
    expect(page.locator(".chip .what").first).to_have_text("change: delivered")


def test_a_way_out_of_an_empty_list_is_one_click_away(visit, expect):
    page = visit("/certificates/?state=delivered&pending_days=7", java_script_enabled=False)
    page.get_by_role("link", name="Without Delivered").click()
    expect(page.locator("#count")).to_have_text("5 of 8")


@pytest.mark.parametrize("path", ["/", "/certificates/", "/apps/demo/runs/", "/apps/demo/"])
def test_a_phone_reads_in_words_how_fresh_the_data_is(path, visit, expect):
    page = visit(path, viewport=PHONE)
    expect(page.locator(".page-head").get_by_text("hecked").filter(visible=True)).to_have_count(1)


@pytest.mark.parametrize("viewport", [PHONE, DESK])
def test_trouble_with_the_vendor_stands_above_the_last_good_data_once(viewport, visit, shown, expect):
    for _ in range(2):
        run = make_run(shown.demo, "failed", message="It did not answer.")
    page = visit("/certificates/", viewport=viewport)
    card = page.get_by_role("alert")
    expect(card).to_contain_text("Demo Academy could not be synchronised")
    expect(page.locator("main .fresh-words")).to_be_hidden()
    assert card.bounding_box()["y"] < rows_shown(page).first.bounding_box()["y"]
    card.get_by_role("link", name="See the sync run").click()
    expect(page).to_have_url(f"{shown.url}/apps/demo/runs/{run.pk}/")
    expect(page.locator("#run .tone-danger.message")).to_contain_text("It did not answer.")
