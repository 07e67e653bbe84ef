"""When what was asked for does not arrive, and where the focus is when it does: in a real Chromium."""

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client

from tests import world
from tests.test_browser import PHONE
from tests.world import NOW, make_certificate, make_group, make_learner, make_story

ROWS = re.compile(r"/certificates/\?state=pending")
COUNTS = re.compile("_part=filters")


@pytest.fixture
def shown(live_server, transactional_db):
    """A served certdash with 60 certificates of the app `demo`, a third of them pending."""
    cast = world.make_cast()
    stories = [make_story(cast.demo, f"Story {number}", f"ID-{number}") for number in range(55)]
    people = [make_learner(cast.demo, f"Person{n:02}", "Ek", f"p{n:02}@example.com") for n in range(60)]
    for number, one in enumerate(people):
        make_certificate(
            stories[number % 55], one, firstname=one.name.split()[0], lastname="Ek", email=one.email,
            state="delivered" if number % 3 else "pending", at=NOW - timedelta(days=number),
        )  # fmt: skip
    make_group(cast.demo, "Managers", *people[:5])
    cast.url = live_server.url
    return cast


@pytest.fixture
def visit(open_page, shown):
    """Opens a page as the viewer, who is logged in already."""

    def visit(path, **options):
        client = Client()
        client.force_login(shown.viewer)
        page = open_page(**options)
        cookies = {settings.SESSION_COOKIE_NAME: client.cookies[settings.SESSION_COOKIE_NAME].value, "scripts": "1"}
        page.context.add_cookies([{"name": name, "value": it, "url": shown.url} for name, it in cookies.items()])
        page.goto(shown.url + path)
        return page

    return visit


def abort(route):
    route.abort()


def break_down(route):
    route.fulfill(status=502, body="<h1>Bad gateway</h1>", content_type="text/html")


@pytest.mark.parametrize(
    ("fails", "said"), [(abort, "The server was not reached"), (break_down, "The server could not answer")]
)
def test_rows_that_do_not_arrive_are_told_and_can_be_asked_for_again(fails, said, visit, shown, expect, page_problems):
    page = visit("/certificates/")
    expect(page.locator("#facet-story .many").first).to_be_visible()
    page.route(ROWS, fails)
    page.get_by_label("Pending").check()
    card = page.get_by_role("alert").filter(has_text=said)
    expect(card).to_contain_text("what you chose last is not applied")
    expect(page).to_have_url(f"{shown.url}/certificates/")
    page.unroute_all()
    card.get_by_role("link", name="Try again").click()
    expect(page).to_have_url(f"{shown.url}/certificates/?state=pending")
    expect(page.locator("#count")).to_have_text("20 of 60")
    expect(page.get_by_label("Pending")).to_be_checked()
    page_problems.clear()


def test_a_failure_tells_itself_once_and_goes_with_the_next_rows(visit, expect, page_problems):
    page = visit("/certificates/")
    page.route(ROWS, abort)
    page.get_by_label("Pending").check()
    card = page.get_by_role("alert").filter(has_text="The server was not reached")
    expect(card).to_have_count(1)
    page.locator("[id='awarded=year']").check()
    expect(card).to_have_count(1)
    page.unroute_all()
    page.get_by_label("Pending").uncheck()
    expect(card).to_have_count(0)
    page_problems.clear()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_tells_of_a_failure_is_accessible(scheme, visit, expect, page_problems):
    axe_module = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is in requirements-dev.txt")
    page = visit("/certificates/", color_scheme=scheme)
    expect(page.locator("#facet-story .many").first).to_be_visible()
    page.route(re.compile("certificates/[?]"), abort)
    page.get_by_label("Find in story").press_sequentially("1")
    expect(page.locator("#facets").get_by_role("alert")).to_be_visible()
    page.get_by_label("Pending").check()
    expect(page.locator("#results").get_by_role("alert")).to_be_visible()
    assert [one["id"] for one in axe_module.Axe().run(page).response["violations"]] == []
    page_problems.clear()


def test_a_failure_behind_the_sheet_of_a_phone_uncovers_itself(visit, expect, page_problems):
    page = visit("/certificates/", viewport=PHONE)
    page.route(ROWS, abort)
    page.locator(".filters > summary").click()
    page.get_by_label("Pending").check()
    expect(page.get_by_role("alert").filter(has_text="The server was not reached")).to_be_visible()
    page_problems.clear()


@pytest.mark.parametrize("fails", [abort, break_down])
def test_counts_that_do_not_arrive_are_told_and_the_whole_page_is_offered(fails, visit, shown, expect, page_problems):
    page = visit("/people/")
    page.route(COUNTS, fails)
    page.goto(f"{shown.url}/certificates/?state=pending")
    rail = page.locator("#facets")
    expect(rail.get_by_role("alert")).to_contain_text("did not arrive")
    expect(rail.get_by_text("Counting")).to_have_count(0)
    expect(page.get_by_label("Pending")).to_be_checked()
    rail.get_by_role("link", name="Load the whole page").click()
    expect(page.locator("#facet-story .many").first).to_be_visible()
    expect(page.locator("#count")).to_have_text("20 of 60")
    page_problems.clear()


# -- Focus ------------------------------------------------------------------------------------------------------


def focus(page):
    return page.evaluate("document.activeElement.id")


def test_sorting_by_keyboard_keeps_the_focus_and_is_told(visit, expect):
    page = visit("/certificates/")
    head = page.get_by_role("columnheader").get_by_role("link", name="Person")
    head.press("Enter")
    expect(page.locator("#announce")).to_have_text("60 of 60. Certificates, by Person, ascending, page 1 of 2")
    expect(head).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#announce")).to_have_text("60 of 60. Certificates, by Person, descending, page 1 of 2")
    expect(head).to_be_focused()


def test_turning_pages_by_keyboard_keeps_the_focus_and_is_told(visit, expect):
    page = visit("/certificates/?sort=person&per_page=25")
    forward = page.get_by_role("link", name="Next page")
    forward.press("Enter")
    expect(page.locator("#announce")).to_have_text("60 of 60. Certificates, by Person, ascending, page 2 of 3")
    expect(forward).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#announce")).to_have_text(re.compile("page 3 of 3$"))
    expect(forward).to_be_focused()
    expect(forward).to_be_disabled()
    page.get_by_role("link", name="Page 2").press("Enter")
    expect(page.locator("#announce")).to_have_text(re.compile("page 2 of 3$"))
    expect(page.get_by_role("link", name="Page 2")).to_be_focused()


def test_ordering_the_matrix_by_keyboard_keeps_the_focus_and_is_told(visit, expect):
    page = visit("/matrix/")
    order = page.get_by_role("link", name="most pending")
    order.press("Enter")
    expect(page.locator("#announce")).to_have_text(re.compile("stories by most pending, page 1 of 2$"))
    expect(order).to_be_focused()
    forward = page.get_by_role("link", name="Next page")
    forward.press("Enter")
    expect(page.locator("#announce")).to_have_text(re.compile("page 2 of 2$"))
    expect(forward).to_be_focused()
