"""The filters in a real Chromium: values are found, nothing moves, days are typed, a phone's sheet holds the focus."""

import re

import pytest
from django.conf import settings
from django.test import Client

from tests import world
from tests.test_browser import DESK, PHONE
from tests.world import make_certificate, make_group, make_story


@pytest.fixture
def shown(live_server, transactional_db):
    """A served certdash with certificates of 70 cities, 60 countries and ten stories, and one of São Tomé."""
    cast = world.make_cast()
    stories = [make_story(cast.demo, f"Story {number}", f"ID-{number}") for number in range(10)]
    world.make_many(cast.demo, 240, stories, [make_group(cast.demo, "Managers")])
    make_certificate(stories[0], city="São Tomé", country="Sweden")
    cast.url = live_server.url
    return cast


@pytest.fixture
def visit(open_page, shown):
    """Opens a page as the viewer, who is logged in already; with scripts once the filters are counted."""

    def visit(path, **options):
        client = Client()
        client.force_login(shown.viewer)
        page = open_page(**options)
        cookies = {settings.SESSION_COOKIE_NAME: client.cookies[settings.SESSION_COOKIE_NAME].value}
        if options.get("java_script_enabled", True):
            cookies["scripts"] = "1"
        page.context.add_cookies([{"name": name, "value": it, "url": shown.url} for name, it in cookies.items()])
        page.goto(shown.url + path)
        return page

    return visit


def facet(page, name):
    return page.locator(f"#facet-{name}")


def values(page, name):
    return facet(page, name).locator("input[type=checkbox]")


def pending(page):
    return page.locator("[id='state=pending']")


def place_of(page, selector):
    return page.locator(selector).first.bounding_box()["y"] + page.evaluate("scrollY")


# -- Values are found -------------------------------------------------------------------------------------------


def test_a_value_beyond_those_listed_is_found_while_typing_and_chosen(visit, shown, expect):
    page = visit("/certificates/")
    expect(facet(page, "city").get_by_label("São Tomé")).to_have_count(0)
    find = page.get_by_label("Find in city")
    find.press_sequentially("sao TOM", delay=30)
    expect(values(page, "city")).to_have_count(1)
    expect(facet(page, "city").get_by_text("1 of 71 found.")).to_be_visible()
    expect(page.locator("#announce")).to_have_text("1 of 71 found.")
    expect(find).to_be_focused()
    expect(page).to_have_url(f"{shown.url}/certificates/")
    facet(page, "city").get_by_label("São Tomé").check()
    expect(page.locator("#count")).to_have_text("1 of 241")
    expect(page).to_have_url(f"{shown.url}/certificates/?city=S%C3%A3o%20Tom%C3%A9")
    assert "_find" not in page.content().replace('name="_find', "").replace("not _find", "").replace(",_find", "")


def test_what_is_looked_for_outlives_a_recount(visit, expect):
    page = visit("/certificates/")
    page.get_by_label("Find in city").press_sequentially("city 6", delay=30)
    expect(values(page, "city")).to_have_count(16)
    pending(page).check()
    with page.expect_response(lambda response: "_part=filters" in response.url):
        expect(page.locator(".chip")).to_have_count(1)
    expect(values(page, "city")).to_have_count(11)
    expect(page.get_by_label("Find in city")).to_have_value("city 6")
    page.get_by_label("Find in city").fill("")
    expect(facet(page, "city").get_by_text(re.compile("Show all|Show 50"))).to_be_visible()


def test_nothing_found_is_said_and_what_is_chosen_stays(visit, expect):
    page = visit("/certificates/?city=City+3")
    expect(facet(page, "city").get_by_text("Show 50 of 71")).to_be_visible()
    page.get_by_label("Find in city").press_sequentially("xyz", delay=30)
    expect(page.locator("#announce")).to_have_text("None of 71 is called “xyz”.")
    expect(facet(page, "city").get_by_label("City 3")).to_be_checked()
    pending(page).check()
    expect(page.locator(".chip")).to_have_count(2)


def test_what_is_typed_while_counts_are_under_way_is_not_lost(visit, expect):
    page, held = visit("/certificates/"), []
    expect(values(page, "city")).not_to_have_count(0)
    page.route(re.compile("_part=filters"), lambda route: route.continue_() if held else held.append(route))
    pending(page).check()
    expect(page.locator(".chip")).to_have_count(1)
    page.get_by_label("Find in city").press_sequentially("tome")
    page.wait_for_timeout(400)
    for route in held:
        route.continue_()
    expect(page.get_by_label("Find in city")).to_have_value("tome")
    expect(page.get_by_label("Find in city")).to_be_focused()
    expect(facet(page, "city").get_by_text(re.compile("“tome”"))).to_be_visible()
    page.unroute_all()


def test_without_scripts_a_button_finds(visit, expect):
    page = visit("/certificates/", java_script_enabled=False)
    pending(page).check()
    page.get_by_label("Find in city").fill("tomé")
    facet(page, "city").get_by_role("button", name="Find").click()
    expect(facet(page, "city").get_by_text("None of")).to_be_visible()
    page.locator("[id='state=delivered']").check()
    page.get_by_role("button", name="Apply filters").click()
    facet(page, "city").get_by_label("São Tomé").check()
    page.get_by_role("button", name="Apply filters").click()
    expect(page.locator("#count")).to_have_text("1 of 241")
    expect(page.get_by_text("means nothing here")).to_have_count(0)
    assert all("_find" not in (link.get_attribute("href") or "") for link in page.get_by_role("link").all())


# -- Nothing moves ----------------------------------------------------------------------------------------------


def test_counts_that_arrive_move_no_filter(visit, expect):
    page, held = visit("/"), []
    page.route(re.compile("_part=filters"), lambda route: held.append(route))
    page.goto(page.url.partition("/?")[0].rstrip("/") + "/certificates/")
    expect(page.get_by_label("last 90 days")).to_be_visible()
    there = ["[id='state=pending']", "#find-story", "#facet-group", "[id='awarded=90d']", "[id='pending_days=7']"]
    there += ["#filter-changed", "[id='change=new']", "#filter-withdrawn"]
    before = {selector: place_of(page, selector) for selector in there}
    page.wait_for_timeout(100)
    for route in held:
        route.continue_()
    expect(page.locator("label", has_text="last 90 days").locator(".many")).to_have_text(re.compile("[0-9]"))
    assert {selector: place_of(page, selector) for selector in there} == before
    page.unroute_all()


SHIFTS = """() => {
  window.shifts = [];
  const note = (list) => list.getEntries().forEach((entry) => window.shifts.push(...entry.sources.map(
    ({ node }) => node && (node.id || node.className || node.nodeName))));
  new PerformanceObserver(note).observe({ type: "layout-shift", buffered: false });
}"""


@pytest.mark.parametrize("path", ["/certificates/", "/matrix/", "/people/", "/stories/"])
def test_the_table_stays_where_it_is_when_it_is_filtered_for_the_first_time(path, visit, expect):
    page = visit(path, viewport=DESK)
    if path in ("/people/", "/stories/"):
        expect(page.locator("#filter-q")).to_be_visible()
    else:
        expect(page.locator("label", has_text="last 90 days").locator(".many")).to_have_text(re.compile("[0-9]"))
    before = place_of(page, "#results table")
    page.evaluate(SHIFTS)
    if path in ("/people/", "/stories/"):
        page.locator("#filter-q").press_sequentially("1")
        expect(page.get_by_role("link", name="Save this view")).to_be_visible()
    else:
        pending(page).check()
        expect(page.locator(".chip")).to_have_count(1)
        with page.expect_response(lambda response: "_part=filters" in response.url):
            page.get_by_label("last 90 days").check()
        expect(page.locator(".chip")).to_have_count(2)
    assert place_of(page, "#results table") == before
    assert page.evaluate("window.shifts") == []


# -- Days -------------------------------------------------------------------------------------------------------


def test_a_day_is_asked_for_once_its_year_is_whole(visit, expect):
    page, asked = visit("/certificates/"), []
    expect(values(page, "city")).not_to_have_count(0)
    page.on("request", lambda request: asked.append(request.url) if "awarded_from" in request.url else None)
    page.locator("#filter-from").focus()
    page.keyboard.type("01022024", delay=60)
    expect(page.locator(".chip")).to_have_text(re.compile("from 2 Jan 2024"))
    expect(page.locator("#filter-from")).to_be_focused()
    assert [url for url in asked if "awarded_from=2024-01-02" not in url] == []


def test_a_day_of_long_ago_is_asked_for_when_its_field_is_left(visit, expect):
    page = visit("/certificates/")
    page.locator("#filter-from").focus()
    page.keyboard.type("01020002", delay=60)
    page.wait_for_timeout(300)
    expect(page.locator(".chip")).to_have_count(0)
    page.locator("#filter-q").focus()
    expect(page.locator(".chip")).to_have_count(1)


# -- The sheet on a phone ---------------------------------------------------------------------------------------


def test_the_sheet_of_a_phone_holds_the_focus_until_it_is_closed(visit, expect):
    page = visit("/certificates/", viewport=PHONE)
    button = page.locator(".filters > summary")
    button.press("Enter")
    expect(pending(page)).to_be_visible()
    reached = set()
    for _ in range(90):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.closest('.filters, main, body').className"))
    assert reached == {"filters", ""}  # the sheet, and the browser's own round
    pending(page).check()
    expect(page.locator("[data-active-count]")).to_have_text("1")
    assert page.evaluate("document.getElementById('results').inert") is True
    page.keyboard.press("Escape")
    expect(pending(page)).to_be_hidden()
    expect(button).to_be_focused()
    assert page.evaluate("document.querySelectorAll('[inert]').length") == 0


def test_applying_closes_the_sheet_and_gives_the_page_back(visit, expect):
    page = visit("/certificates/", viewport=PHONE)
    page.locator(".filters > summary").click()
    page.get_by_role("button", name="Apply filters").click()
    expect(page.locator(".filters > summary")).to_be_focused()
    page.locator("tbody a").first.click()
    expect(page).to_have_url(re.compile("/people/"))


def test_what_is_focused_is_not_covered_by_the_head_of_the_table(visit, expect):
    page = visit("/certificates/", viewport=DESK)
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    link = page.locator("tbody tr").nth(5).locator("a").first
    link.focus()
    expect(link).to_be_in_viewport()
    assert link.bounding_box()["y"] >= page.locator("thead").bounding_box()["y"] + 40


@pytest.mark.parametrize(("viewport", "scheme"), [(PHONE, "dark"), (DESK, "light")], ids=["phone, dark", "desk, light"])
def test_the_filters_are_accessible_while_a_value_is_looked_for(viewport, scheme, visit, expect):
    axe_module = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is in requirements-dev.txt")
    page = visit("/certificates/?state=pending", viewport=viewport, color_scheme=scheme)
    if viewport is PHONE:
        page.locator(".filters > summary").click()
    page.get_by_label("Find in city").press_sequentially("city 6")
    page.get_by_label("Find in story").press_sequentially("xyz")
    expect(page.get_by_text("None of 10 is called “xyz”.").first).to_be_visible()
    told = axe_module.Axe().run(page).response["violations"]
    assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in told] == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
