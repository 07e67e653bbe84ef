"""The pages in a real Chromium, with and without JavaScript, by mouse, by keyboard and on a phone."""

import csv
import re
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.test import Client
from werkzeug.wrappers import Response

from certdash.sandbox import running_server
from tests import world
from tests.world import NOW, make_certificate, make_group, make_run, make_story, make_view

PHONE = {"width": 360, "height": 740}
DESK = {"width": 1440, "height": 900}


def make_seventy(app):
    """70 certificates of 35 people and two stories, a fifth of them pending, and a group of five."""
    fire, first_aid = make_story(app), make_story(app, "Première secours", "AAAA-1111", "assessment")
    people = [world.make_learner(app, f"Person{n:02}", "Ek", f"p{n:02}@example.com") for n in range(35)]
    for number in range(70):
        make_certificate(
            (fire, first_aid)[number % 2], people[number // 2], firstname=people[number // 2].name.split()[0],
            lastname="Ek", email=people[number // 2].email, state="pending" if number % 5 == 0 else "delivered",
            country=("Brazil", "Sweden", "")[number % 3], at=NOW - timedelta(days=number * 2),
        )  # fmt: skip
    make_group(app, "Managers", *people[:5])
    make_run(app)


@pytest.fixture
def shown(live_server, transactional_db):
    """A served certdash with 70 certificates of the app `demo`."""
    cast = world.make_cast()
    make_seventy(cast.demo)
    world.make_foreign(cast.other)
    cast.url = live_server.url
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


def log_in(page, url, name):
    page.goto(f"{url}/certificates/?state=pending")
    page.get_by_label("User name or e-mail").fill(name)
    page.get_by_label("Password").fill(world.PASSWORD)
    page.get_by_role("button", name="Log in").click()


def count_of(page):
    return page.locator("#count")


def first_person(page):
    return page.locator("tbody tr").first.locator(".person a").inner_text()


# -- The main way -----------------------------------------------------------------------------------------------


def test_a_viewer_logs_in_filters_and_takes_the_file_along(page, shown, expect):
    log_in(page, shown.url, "viewer@example.com")
    expect(page).to_have_url(f"{shown.url}/certificates/?state=pending")
    expect(count_of(page)).to_have_text("14 of 70")
    page.get_by_label("Sweden").check()
    expect(count_of(page)).to_have_text("4 of 70")
    expect(page).to_have_url(f"{shown.url}/certificates/?state=pending&country=Sweden")
    page.get_by_text("Download 4 rows").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    with download.value.path().open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4
    assert {(row["state"], row["country"]) for row in rows} == {("pending", "Sweden")}


def test_a_stranger_sees_nothing_of_it(page, shown, expect, page_problems):
    log_in(page, shown.url, "stranger")
    expect(count_of(page)).to_have_text("0 of 1")
    page.goto(f"{shown.url}/apps/demo/")
    expect(page.get_by_role("heading", level=1)).to_have_text("There is nothing at this address")
    assert [problem for problem in page_problems if "404" not in problem] == []
    page_problems.clear()


def test_a_filter_changes_the_page_without_loading_it_again(visit, shown, expect):
    page = visit("/certificates/")
    page.evaluate("window.notReloaded = true")
    page.get_by_label("Pending", exact=False).first.check()
    expect(count_of(page)).to_have_text("14 of 70")
    expect(page).to_have_url(f"{shown.url}/certificates/?state=pending")
    expect(page.locator(".chip")).to_have_count(1)
    expect(page.locator("tbody tr")).to_have_count(14)
    expect(page.get_by_text("Download 14 rows")).to_be_visible()
    expect(page.locator("fieldset", has_text="Country").locator("li", has_text="Brazil").locator(".many")).to_have_text(
        "5"
    )
    assert page.evaluate("document.activeElement.name") == "state"
    assert page.evaluate("window.notReloaded") is True
    page.go_back()
    expect(count_of(page)).to_have_text("70 of 70")
    expect(page.get_by_label("Pending", exact=False).first).not_to_be_checked()


def test_the_counts_of_the_filters_follow_and_what_was_opened_stays_open(visit, shown, expect):
    world.make_many(shown.demo, 40, [make_story(shown.demo, "Another")])
    page = visit("/certificates/")
    country = page.locator("fieldset", has=page.locator("legend", has_text="Country"))
    expect(country.locator(".many").first).not_to_be_empty()
    country.locator("summary").click()
    with page.expect_response(lambda response: "_part=filters" in response.url) as counted:
        page.get_by_label("90d", exact=False).or_(page.get_by_text("last 90 days")).first.check()
    assert "awarded=90d" in counted.value.url
    expect(page).to_have_url(f"{shown.url}/certificates/?awarded=90d")
    expect(country.locator("details")).to_have_attribute("open", "")
    page.get_by_text("any", exact=True).first.click()
    expect(page).to_have_url(f"{shown.url}/certificates/")


def test_counts_that_come_late_undo_no_click(visit, shown, expect):
    page, held = visit("/"), []
    page.route(re.compile(r"/certificates/\?"), lambda route: held.append(route))
    page.goto(f"{shown.url}/certificates/")
    page.locator("[id='awarded=90d']").check()
    page.wait_for_timeout(300)
    assert len(held) == 2  # the counts of the whole page, and the rows of that time
    held[0].continue_()
    page.wait_for_timeout(300)
    page.locator("[id='pending_days=7']").check()
    page.wait_for_timeout(300)
    held[-1].continue_()
    expect(page).to_have_url(re.compile(r"\?awarded=90d&pending_days=7$"))
    expect(page.locator(".chip")).to_have_count(2)
    page.unroute_all()


def test_words_are_looked_for_while_they_are_typed(visit, shown, expect):
    page = visit("/certificates/")
    page.get_by_label("Name or e-mail").press_sequentially("PERSON07", delay=20)
    expect(count_of(page)).to_have_text("2 of 70")
    assert page.evaluate("document.activeElement.id") == "filter-q"
    expect(page).to_have_url(f"{shown.url}/certificates/?q=PERSON07")
    expect(page.locator("#announce")).to_have_text("2 of 70")


def test_a_filter_starts_again_at_the_first_page_and_keeps_the_order(visit, shown, expect):
    page = visit("/certificates/")
    page.get_by_role("link", name="Person", exact=True).click()
    expect(page.locator("th[aria-sort=ascending]")).to_contain_text("Person")
    page.get_by_role("link", name="Page 2").click()
    expect(page.locator("tbody tr")).to_have_count(20)
    assert first_person(page) == "Person25 Ek"
    page.get_by_label("Delivered", exact=False).first.check()
    expect(count_of(page)).to_have_text("56 of 70")
    assert first_person(page) == "Person00 Ek"
    assert "sort=person" in page.url
    assert "page=" not in page.url


def test_a_chip_is_taken_away(visit, shown, expect):
    page = visit("/certificates/?state=pending&country=Sweden")
    page.locator(".chip", has_text="Sweden").get_by_role("link").click()
    expect(count_of(page)).to_have_text("14 of 70")
    page.get_by_role("link", name="Clear all").click()
    expect(page).to_have_url(f"{shown.url}/certificates/")


def test_a_permalink_opens_in_a_window_of_its_own(visit, shown, expect):
    with running_server(Response("<h1>Certificate of Ana</h1>", mimetype="text/html")) as vendor:
        make_certificate(make_story(shown.demo), url=f"{vendor}/c/1", at=NOW)
        page = visit("/certificates/?q=ana")
        with page.expect_popup() as popup:
            page.get_by_role("link", name=re.compile("Open")).click()
        expect(popup.value.get_by_role("heading")).to_have_text("Certificate of Ana")
        assert popup.value.evaluate("window.opener") is None
        assert popup.value.evaluate("document.referrer") == ""
        popup.value.close()


def test_the_address_is_copied_for_a_colleague(visit, shown, expect):
    page = visit("/certificates/?state=pending", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_label("Sweden").check()
    expect(count_of(page)).to_have_text("4 of 70")
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Link copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == f"{shown.url}/certificates/?state=pending&country=Sweden"


# -- Without JavaScript -----------------------------------------------------------------------------------------


def test_everything_works_without_javascript(open_page, shown, expect):
    page = open_page(java_script_enabled=False)
    log_in(page, shown.url, "viewer")
    page.goto(f"{shown.url}/certificates/")
    page.get_by_label("Sweden").check()
    page.get_by_label("Name or e-mail").fill("ek")
    page.get_by_role("button", name="Apply filters").click()
    expect(count_of(page)).to_have_text("23 of 70")
    expect(page.get_by_label("Sweden")).to_be_checked()
    expect(page.get_by_text("means nothing here")).to_have_count(0)
    page.get_by_role("link", name="Person", exact=True).click()
    expect(page.locator("th[aria-sort=ascending]")).to_contain_text("Person")
    page.get_by_text("Download 23 rows").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="JSON lines").click()
    assert len(download.value.path().read_text().splitlines()) == 23
    page.goto(f"{shown.url}/certificates/")
    page.get_by_role("link", name="Page 2").click()
    expect(page.locator("tbody tr")).to_have_count(20)
    expect(page.get_by_role("button", name="Copy link")).to_have_count(0)
    page.goto(f"{shown.url}/people/?sort=-name")
    page.get_by_label("Search in people").fill("person0")
    page.get_by_role("button", name="Search").click()
    expect(count_of(page)).to_have_text("10")
    assert "sort=-name" in page.url


# -- By keyboard, and on a phone --------------------------------------------------------------------------------


def focused(page):
    return page.evaluate("(document.activeElement.innerText || document.activeElement.value || '').trim()")


def test_the_page_can_be_walked_by_keyboard(visit, expect):
    page = visit("/certificates/")
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    reached = []
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.append(focused(page))
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    assert any("Download" in text for text in reached)
    page.get_by_label("Pending", exact=False).first.focus()
    page.keyboard.press("Space")
    expect(count_of(page)).to_have_text("14 of 70")
    page.locator("#download summary").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="CSV")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="CSV")).to_be_hidden()
    assert "Download" in focused(page)


def test_on_a_phone_menu_and_filters_open_over_the_rows(visit, expect):
    page = visit("/certificates/", viewport=PHONE)
    expect(page.locator("nav.nav")).to_be_hidden()
    page.locator(".nav-menu summary").click()
    page.locator(".nav-menu").get_by_role("link", name="Stories").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Stories")
    page.go_back()
    page.locator(".filters > summary").click()
    page.get_by_label("Pending", exact=False).first.check()
    expect(page.locator("[data-active-count]")).to_have_text("1")
    page.get_by_role("button", name="Apply filters").click()
    expect(page.get_by_role("button", name="Apply filters")).to_be_hidden()
    expect(page.locator("tbody tr").first).to_be_in_viewport()


@pytest.mark.parametrize("path", ["/certificates/", "/certificates/?sort=place", "/stories/?sort=newest", "/people/"])
def test_on_a_phone_the_order_in_use_is_in_sight(path, visit):
    page = visit(path, viewport=PHONE)
    box, strip = page.locator("th[aria-sort] a").bounding_box(), page.locator(".table thead tr").bounding_box()
    assert strip["x"] <= box["x"]
    assert box["x"] + box["width"] <= strip["x"] + strip["width"]


# -- Look -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [360, 768, 1100, 1600])
def test_long_and_right_to_left_names_break_no_page(width, visit, shown):
    long, hebrew = "Wörterzusammensetzung" * 30, "\u202eשלום\u202c " * 40
    learner = world.make_learner(shown.demo, long, hebrew, f"{'x' * 200}@example.com")
    story = make_story(shown.demo, f"{long} {hebrew}", "LONG", long)
    make_certificate(
        story, learner, long, firstname=long, lastname=hebrew, email=learner.email, city=long, url=f"javascript:{long}"
    )
    make_group(shown.demo, long[:200], learner)
    view = make_view(shown.owner, (hebrew + long)[:100], "/people/", urlencode([("q", long)]), shown.demo)
    view.description = (long + hebrew)[:300]
    view.save()
    view.pinned_by.add(shown.owner)
    make_run(shown.demo, "failed", message=long, vendor_message=long)
    page = visit("/", "owner", viewport={"width": width, "height": 900})
    story_page, person_page = f"/stories/demo/{story.key}/", f"/people/{learner.pk}/"
    lists = ("/", "/certificates/", "/stories/", "/groups/", "/matrix/", "/delivery/", "/people/", "/apps/",
             "/apps/demo/", "/apps/demo/runs/", "/views/", f"/views/{view.slug}/edit/", f"/views/{view.slug}/delete/",
             "/accounts/profile/")  # fmt: skip
    for path in (*lists, story_page, person_page):
        page.goto(shown.url + path)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
