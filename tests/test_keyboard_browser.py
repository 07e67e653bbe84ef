"""The whole way by keyboard alone, with JavaScript and without: log in, filter, sort, page, take the file along."""

import csv

import pytest

from tests import world
from tests.support.browser import go_as
from tests.support.rings import unseen_stops
from tests.test_browser import make_seventy
from tests.world import make_certificate, make_group, make_story

LONGEST_WALK = 300  # stops between two that are wanted


@pytest.fixture
def shown(live_server, transactional_db):
    cast = world.make_cast()
    make_seventy(cast.demo)
    cast.url = live_server.url
    return cast


SEEN = """() => {
    const one = document.activeElement, style = getComputedStyle(one), box = one.getBoundingClientRect();
    const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    return ring && box.bottom > 0 && box.top < innerHeight ? "" : one.outerHTML.slice(0, 200);
}"""


def walk_to(page, wanted, key="Tab"):
    """Presses the key until the wanted element has the focus; every stop on the way must show that it has it."""
    goal = wanted.element_handle()
    for _ in range(LONGEST_WALK):
        page.keyboard.press(key)
        assert page.evaluate(SEEN) == "", "the focus is not to be seen"
        if goal.evaluate("one => one === document.activeElement"):
            return
    pytest.fail(f"{wanted} is not reached")


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without"])
def test_from_the_log_in_to_the_file_without_a_mouse(script, open_page, shown, expect):
    page = open_page(java_script_enabled=script)
    page.goto(f"{shown.url}/certificates/")
    page.keyboard.type("viewer")  # the field has the focus
    walk_to(page, page.get_by_label("Password"))
    page.keyboard.type(world.PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#count")).to_have_text("70 of 70")

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    walk_to(page, page.get_by_label("Delivered", exact=False).first)
    page.keyboard.press("Space")
    if not script:
        walk_to(page, page.get_by_role("button", name="Apply filters"))
        page.keyboard.press("Enter")
    expect(page.locator("#count")).to_have_text("56 of 70")
    expect(page.locator(".htmx-request, .htmx-settling")).to_have_count(0)

    walk_to(page, page.get_by_role("link", name="Person", exact=True))
    page.keyboard.press("Enter")
    expect(page.locator("th[aria-sort=ascending]")).to_contain_text("Person")
    expect(page.locator(".htmx-request, .htmx-settling")).to_have_count(0)

    walk_to(page, page.get_by_role("link", name="Page 2"))
    page.keyboard.press("Enter")
    expect(page.locator("tbody tr")).to_have_count(6)
    expect(page.locator(".htmx-request, .htmx-settling")).to_have_count(0)

    walk_to(page, page.locator("#download summary"), "Shift+Tab")
    page.keyboard.press("Enter")
    walk_to(page, page.get_by_role("link", name="CSV"))
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    with download.value.path().open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    names = [row["firstname"] for row in rows]
    assert (len(rows), {row["state"] for row in rows}, names) == (56, {"delivered"}, sorted(names))


def test_who_sorts_or_turns_the_page_goes_on_from_there(open_page, shown, expect):
    page = open_page()
    go_as(page, shown.url, "/certificates/", "viewer")
    for name in ("Person", "Page 2"):
        link = page.get_by_role("link", name=name, exact=True)
        link.focus()
        with page.expect_response("**/certificates/?*"):
            page.keyboard.press("Enter")
        expect(page.locator(".htmx-request, .htmx-settling")).to_have_count(0)
        expect(link).to_be_focused()


@pytest.mark.parametrize("width", [1440, 360])
def test_who_removes_filters_goes_on_among_those_that_are_left(width, open_page, shown, expect):
    page = open_page(viewport={"width": width, "height": 740})
    go_as(page, shown.url, "/certificates/?app=demo&state=delivered&type=story", "viewer")
    chips = page.locator(".chip a")
    chips.nth(1).focus()
    for left in (2, 1):
        page.keyboard.press("Enter")
        expect(chips).to_have_count(left)
        expect(chips.last).to_be_focused()
        assert page.evaluate(SEEN) == "", "the focus is not to be seen"
    page.keyboard.press("Enter")
    expect(chips).to_have_count(0)
    expect(page.locator(".chips" if width > 720 else ".filters summary")).to_be_focused()
    assert page.evaluate(SEEN) == "", "the focus is not to be seen"


def test_in_a_matrix_that_scrolls_no_stop_lies_under_what_stays(open_page, shown):
    learners = shown.demo.learners.all()
    for number in range(14):
        make_group(shown.demo, f"Group number {number:02}", *learners[number::3])
    for number in range(14):
        make_certificate(make_story(shown.demo, f"Story {number}", f"ID-{number}"), learners[number])
    page = open_page(viewport={"width": 1000, "height": 500})
    go_as(page, shown.url, "/matrix/", "viewer")
    assert unseen_stops(page) == []
