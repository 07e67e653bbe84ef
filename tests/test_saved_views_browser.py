"""Saving, pinning, opening and deleting a view in a real browser, with and without JavaScript."""

import pytest
from django.conf import settings
from django.test import Client

from certdash.models import SavedView
from tests import world

PHONE = {"width": 360, "height": 740}


@pytest.fixture
def shown(live_server, transactional_db):
    cast = world.make_cast()
    story = world.make_story(cast.demo)
    for number in range(6):
        learner = world.make_learner(cast.demo, f"Person{number}", "Ek", f"p{number}@example.com")
        world.make_certificate(
            story, learner, state=("pending", "delivered")[number % 2], country=("Brazil", "Sweden", "")[number % 3]
        )
    cast.url = live_server.url
    return cast


@pytest.fixture
def visit(open_page, shown):
    """Opens a page as somebody who is logged in already."""

    def visit(path, who="viewer", **options):
        client = Client()
        client.force_login(shown[who])
        page = open_page(**options)
        value = client.cookies[settings.SESSION_COOKIE_NAME].value
        page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": shown.url}])
        page.goto(shown.url + path)
        return page

    return visit


def log_in(page, shown):
    page.goto(f"{shown.url}/accounts/login/")
    page.get_by_label("User name or e-mail").fill("viewer")
    page.get_by_label("Password").fill(world.PASSWORD)
    page.get_by_role("button", name="Log in").click()


def test_a_view_is_saved_pinned_and_opened_from_the_navigation(visit, shown, expect):
    page = visit("/certificates/")
    expect(page.get_by_role("link", name="Save this view")).to_have_count(0)
    page.get_by_label("Pending", exact=False).first.check()
    expect(page).to_have_url(f"{shown.url}/certificates/?state=pending")
    page.get_by_role("link", name="Save this view").click()
    page.get_by_label("Name").fill("Pending, for Mondays")
    page.get_by_label("Pin it to my navigation").check()
    page.get_by_role("button", name="Save view").click()
    expect(page).to_have_url(f"{shown.url}/certificates/?state=pending")
    expect(page.get_by_role("status").filter(has_text="is saved")).to_be_visible()
    page.goto(f"{shown.url}/people/")
    page.locator(".nav summary", has_text="Views").click()
    page.locator(".nav").get_by_role("link", name="Pending, for Mondays").click()
    expect(page).to_have_url(f"{shown.url}/certificates/?state=pending")
    expect(page.locator("#count")).to_have_text("3 of 6")


def test_the_menu_of_views_is_opened_and_closed_by_keyboard(visit, shown, expect):
    world.make_view(shown.viewer, "Mine").pinned_by.add(shown.viewer)
    page = visit("/people/")
    summary = page.locator(".nav summary", has_text="Views")
    summary.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText.trim()") == "Mine"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    page.keyboard.press("Escape")
    expect(page.locator(".nav").get_by_role("link", name="Mine")).to_be_hidden()
    expect(summary).to_be_focused()


def test_a_search_that_is_typed_can_be_saved_as_it_stands(visit, shown, expect):
    """The link follows what htmx brings."""
    page = visit("/people/")
    page.get_by_label("Search in people").press_sequentially("person3", delay=20)
    expect(page).to_have_url(f"{shown.url}/people/?q=person3")
    page.get_by_role("link", name="Save this view").click()
    expect(page.get_by_text("person3")).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_the_whole_way_of_a_shared_view(scripts, open_page, shown, expect, visit, page_problems):
    page = open_page(java_script_enabled=scripts)
    log_in(page, shown)
    expect(page).to_have_url(f"{shown.url}/")
    page.goto(f"{shown.url}/certificates/?country=Brazil&sort=person")
    page.get_by_role("link", name="Save this view").click()
    expect(page.get_by_label("Name")).to_have_value("Certificates, Brazil, by person")
    page.get_by_label("Name").fill("")
    page.get_by_role("button", name="Save view").click()
    expect(page.get_by_text("This field is required.")).to_be_visible()
    assert [problem for problem in page_problems if "422" not in problem] == []
    page_problems.clear()
    page.get_by_label("Name").fill("Brazil")
    page.get_by_label("For").select_option("Everybody who may see Demo Academy")
    page.get_by_label("Open it when I log in").check()
    page.get_by_role("button", name="Save view").click()
    expect(page.get_by_text("is saved")).to_be_visible()
    page.locator("summary", has=page.locator(".avatar")).click()
    page.get_by_role("button", name="Log out").click()
    log_in(page, shown)
    expect(page).to_have_url(f"{shown.url}/certificates/?country=Brazil&sort=person")
    page.goto(f"{shown.url}/views/")
    page.get_by_role("button", name="Pin Brazil").click()
    expect(page.get_by_role("button", name="Unpin Brazil")).to_be_visible()
    others = visit("/views/", "manager", java_script_enabled=scripts)
    others.get_by_role("link", name="Brazil", exact=True).click()
    expect(others).to_have_url(f"{shown.url}/certificates/?country=Brazil&sort=person")
    page.get_by_role("link", name="Edit Brazil").click()
    page.get_by_role("link", name="Delete the view").click()
    assert SavedView.objects.count() == 1
    page.get_by_role("button", name="Delete the view").click()
    expect(page.get_by_text("There is no view yet.")).to_be_visible()
    assert SavedView.objects.count() == 0


def test_on_a_phone_the_pins_are_in_the_menu(visit, shown, expect):
    world.make_view(shown.viewer, "Mine", query="state=pending").pinned_by.add(shown.viewer)
    page = visit("/people/", viewport=PHONE)
    page.locator(".nav-menu summary").click()
    page.locator(".nav-menu").get_by_role("link", name="Mine").click()
    expect(page).to_have_url(f"{shown.url}/certificates/?state=pending")
