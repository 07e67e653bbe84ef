"""The matrix and the delivery clock in a real Chromium: filtered, scrolled, walked, on a phone and without scripts."""

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client

from tests import world
from tests.test_browser import DESK, PHONE
from tests.world import NOW, make_certificate, make_group, make_learner, make_run, make_story


@pytest.fixture
def shown(live_server, transactional_db):
    """A served certdash with three stories, and groups enough to scroll."""
    cast = world.make_cast()
    people = [make_learner(cast.demo, f"Person{n}", "Ek", f"p{n}@example.com") for n in range(6)]
    for number, name in enumerate(("Fire safety", "Première secours", "Code of conduct")):
        story = make_story(cast.demo, name, f"ID-{number}")
        for place, learner in enumerate(people):
            make_certificate(
                story, learner, state="pending" if place < number else "delivered", at=NOW - timedelta(days=20 * place),
                delivered_after=timedelta(days=3) if place == 5 else None,
            )  # fmt: skip
    for number in range(20):
        make_group(cast.demo, f"Group number {number:02}", *people[number % 3 :: 3])
    make_run(cast.demo)
    cast.url = live_server.url
    return cast


@pytest.fixture
def visit(open_page, shown):
    """Opens a page as somebody who is logged in already."""

    def visit(path, **options):
        client = Client()
        client.force_login(shown.viewer)
        page = open_page(**options)
        cookie = {"name": settings.SESSION_COOKIE_NAME, "value": client.cookies[settings.SESSION_COOKIE_NAME].value}
        page.context.add_cookies([cookie | {"url": shown.url}])
        page.goto(shown.url + path)
        return page

    return visit


def cells(page):
    return page.locator(".matrix td a")


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_a_filter_changes_the_cells_and_a_cell_leads_to_its_rows(scripts, visit, shown, expect):
    page = visit("/matrix/", java_script_enabled=scripts)
    expect(page.locator("#count")).to_have_text("18 certificates in 3 stories and 20 groups")
    page.get_by_label("Pending").first.check()
    if not scripts:
        page.get_by_role("button", name="Apply filters").click()
    expect(page.locator("#count")).to_have_text("3 certificates in 2 stories and 14 groups")
    expect(page).to_have_url(re.compile(r"/matrix/\?(.*&)?state=pending"))
    page.get_by_role("link", name="most pending").click()
    expect(page.locator("tbody th").first).to_contain_text("Code of conduct")
    expect(page.get_by_text("Download 38 rows")).to_be_visible()
    last = page.locator("tbody tr").first.locator("td").last.get_by_role("link")
    expect(last).to_have_text("0 delivered / 2 pending")
    last.click()
    expect(page.locator("#count")).to_contain_text("2 of 18")


def test_story_and_sums_stay_while_the_groups_scroll_in_a_region_of_their_own(visit, expect):
    page = visit("/matrix/", viewport=DESK)
    region = page.get_by_role("region", name=re.compile("by story and group"))
    region.focus()
    before = page.locator("tbody th").first.bounding_box()["x"]
    last_but_one = page.locator("tbody tr").first.locator("td").nth(-2)
    expect(last_but_one).not_to_be_in_viewport()
    for _ in range(60):
        page.keyboard.press("ArrowRight")
    expect(last_but_one).to_be_in_viewport()
    assert page.locator("tbody th").first.bounding_box()["x"] == before
    expect(page.locator("tbody tr").first.locator("td").last).to_be_in_viewport()
    assert page.evaluate("scrollX") == 0
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    assert page.evaluate("document.activeElement.closest('thead') !== null")


def test_a_column_that_stays_has_a_shadow_while_something_lies_beneath_it(visit, shown):
    page = visit("/matrix/", viewport=DESK)
    shadows = """left => {
        document.querySelector(".matrix-scroll").scrollLeft = left
        return new Promise(then => requestAnimationFrame(() => requestAnimationFrame(() => then(
            [...document.querySelectorAll(".matrix tbody tr:first-child > :is(:first-child, :last-child)")]
            .map(e => !getComputedStyle(e).boxShadow.startsWith("rgba(0, 0, 0, 0)"))))))
    }"""
    seen = {left: page.evaluate(shadows, left) for left in (0, 200, 10_000)}
    assert seen == {0: [False, True], 200: [True, True], 10_000: [True, False]}


def test_on_a_phone_a_story_is_a_card_with_a_word_for_each_number(visit, expect):
    page = visit("/matrix/", viewport=PHONE)
    expect(page.locator(".matrix thead")).to_be_hidden()
    card = page.locator("tbody tr").first
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    label = "e => getComputedStyle(e, '::before').content"
    words = [one.evaluate(label) for one in card.locator("td a").all()]
    assert words[0] == '"Group number 00"'
    assert words[-1] == '"all"'
    boxes = [one.bounding_box() for one in card.locator("td a").all()]
    assert all(box["height"] >= 44 for box in boxes)
    assert min(boxes, key=lambda box: (box["y"], box["x"])) == boxes[-1]  # the sum comes first


def test_the_delivery_clock_is_reached_from_the_stories_and_sorted(visit, shown, expect):
    page = visit("/stories/")
    page.get_by_role("link", name="Delivery clock").click()
    expect(page.locator("tbody tr")).to_have_count(3)
    expect(page.locator("th[aria-sort=descending]")).to_contain_text("Median")
    page.get_by_role("link", name="Stuck", exact=True).click()
    expect(page.locator("th[aria-sort]")).to_contain_text("Stuck")
    page.get_by_role("link", name="Stuck", exact=True).click()
    expect(page.locator("tbody tr").first).to_contain_text("Code of conduct")
    expect(page.locator(".stuck").first).to_have_css("display", "inline-flex")  # its icon beside the number
    page.locator("tbody tr").first.get_by_role("link", name=re.compile("stuck")).click()
    expect(page.locator("#count")).to_contain_text("1 of 18")
    assert "pending_days=14" in page.url
