"""Ticked rows and chosen columns in a real Chromium, with and without JavaScript."""

import csv

import pytest
from django.conf import settings
from django.test import Client

from tests import world
from tests.test_browser import DESK, PHONE
from tests.world import NOW, make_certificate, make_group, make_learner, make_run, make_story

ROWS = 30
SIZES = {"desk": DESK, "tablet": {"width": 768, "height": 900}, "phone": PHONE}


@pytest.fixture
def shown(live_server, transactional_db):
    """A served certdash with 30 certificates of 15 people, one of whom has no e-mail address."""
    cast = world.make_cast()
    stories = make_story(cast.demo), make_story(cast.demo, "Première secours", "AAAA-1111", "assessment")
    people = [make_learner(cast.demo, f"Person{n:02}", "Ek", f"P{n:02}@example.com" if n else "") for n in range(15)]
    for number in range(ROWS):
        one = people[number // 2]
        make_certificate(
            stories[number % 2], one, firstname=one.name.split()[0], lastname="Ek", state="pending",
            email=one.email.lower() if number % 2 else one.email, url=f"https://vendor.example/{number}", at=NOW,
            telephone="030 123456",
        )  # fmt: skip
    make_group(cast.demo, "Managers", *people[:5])
    make_run(cast.demo)
    cast.url = live_server.url
    return cast


@pytest.fixture
def visit(open_page, shown):
    """Opens a page as the viewer, who is logged in already."""

    def visit(path, **options):
        client = Client()
        client.force_login(shown.viewer)
        page = open_page(**options)
        cookie = {"name": settings.SESSION_COOKIE_NAME, "value": client.cookies[settings.SESSION_COOKIE_NAME].value}
        page.context.add_cookies([cookie | {"url": shown.url}])
        page.goto(shown.url + path)
        return page

    return visit


def downloaded(page, format_name):
    with page.expect_download() as download:
        page.get_by_role("button", name=format_name, exact=True).click()
    with download.value.path().open(encoding="utf-8-sig", newline="") as file:
        return [row["email"] for row in csv.DictReader(file)]


def box_of(page, name):
    return page.get_by_role("checkbox", name=name)


def test_ticked_rows_are_counted_and_downloaded(visit, expect):
    page = visit("/certificates/?sort=person")
    expect(page.get_by_role("button", name="CSV", exact=True)).to_be_hidden()
    box_of(page, "Select Person03 Ek, Fire safety").check()
    box_of(page, "Select Person01 Ek, Première secours").check()
    expect(page.get_by_text("Download the 2 selected as")).to_be_visible()
    expect(page.locator("#announce")).to_have_text("2 of 30 rows selected")
    assert downloaded(page, "CSV") == ["p01@example.com", "P03@example.com"]


def test_all_rows_of_the_page_are_ticked_at_once_and_forgotten_by_the_next_rows(visit, expect):
    page = visit("/certificates/?sort=person&per_page=25")
    whole = page.get_by_label("All on this page")
    whole.check()
    expect(page.locator(".pick :checked")).to_have_count(25)
    box_of(page, "Select Person03 Ek, Fire safety").uncheck()
    assert whole.evaluate("box => box.indeterminate && !box.checked")
    assert len(downloaded(page, "CSV")) == 24
    page.get_by_role("link", name="Page 2").click()
    expect(page.locator("tbody tr")).to_have_count(5)
    expect(page.locator(".pick :checked")).to_have_count(0)
    expect(page.get_by_label("All on this page")).to_be_visible()
    expect(page.get_by_label("All on this page")).not_to_be_checked()
    expect(page.get_by_role("button", name="CSV", exact=True)).to_be_hidden()


def test_addresses_are_copied_once_each(visit, expect):
    page = visit("/certificates/?sort=person", permissions=["clipboard-read", "clipboard-write"])
    for name in ("Person00 Ek, Fire safety", "Person02 Ek, Fire safety", "Person02 Ek, Première", "Person04 Ek, Fire"):
        box_of(page, f"Select {name}").check()
    page.get_by_role("button", name="Copy 2 e-mail addresses").click()
    expect(page.get_by_role("button", name="2 e-mail addresses copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").lower() == "p02@example.com; p04@example.com"
    for name in ("Person02 Ek, Fire safety", "Person02 Ek, Première", "Person04 Ek, Fire"):
        box_of(page, f"Select {name}").uncheck()
    expect(page.locator("[data-copy-emails]")).to_have_text("Copy 0 e-mail addresses")
    expect(page.locator("[data-copy-emails]")).to_be_disabled()


def test_words_beside_numbers_follow_the_rules_of_the_pages_language(visit, expect):
    page = visit("/certificates/?sort=person")
    page.evaluate(
        """() => {
          for (const { dataset } of document.querySelectorAll("[data-words]")) {
            dataset.selected = `as of ${dataset.words}: %1`;
            dataset.told = `as of ${dataset.words}: %1/%2`;
          }
        }"""
    )
    count, told, ticked = page.locator("[data-selected-count]"), page.locator("#announce"), page.locator(".pick input")
    # In Polish 2 to 4 are counted in another form than 1 and 5, and 22 as 2; English knows one form for all but 1.
    for language, many, example in [
        ("en", 1, 1),
        ("en", 5, 2),
        ("pl", 1, 1),
        ("pl", 4, 2),
        ("pl", 5, 5),
        ("pl", 22, 2),
    ]:
        page.evaluate("lang => (document.documentElement.lang = lang)", language)
        ticked.evaluate_all("(boxes, many) => boxes.forEach((box, place) => (box.checked = place < many))", many)
        ticked.first.dispatch_event("change")
        expect(count).to_have_text(f"as of {example}: {many}")
    expect(told).to_have_text("as of 5: 22/30")


def test_rows_are_ticked_and_columns_chosen_without_javascript(visit, shown, expect):
    page = visit("/certificates/?sort=person&state=pending", java_script_enabled=False)
    expect(page.get_by_label("All on this page")).to_be_hidden()
    expect(page.get_by_role("button", name="CSV", exact=True)).to_be_hidden()
    box_of(page, "Select Person03 Ek, Fire safety").check()
    expect(page.locator("[data-copy-emails]")).to_be_hidden()
    assert downloaded(page, "CSV") == ["P03@example.com"]
    page.get_by_text("Columns", exact=True).click()
    page.get_by_label("Place").uncheck()
    page.get_by_label("Last change seen").check()
    page.get_by_label("Rows a page").select_option("25")
    page.get_by_role("button", name="Show so, and remember it").click()
    expect(page).to_have_url(f"{shown.url}/certificates/?state=pending&sort=person")
    expect(page.locator("thead").get_by_text("Last change")).to_be_visible()
    expect(page.get_by_role("link", name="Place", exact=True)).to_have_count(0)
    expect(page.locator("tbody tr")).to_have_count(25)


def test_columns_stay_chosen_when_the_rows_change(visit, expect):
    page = visit("/certificates/")
    page.get_by_text("Columns", exact=True).click()
    page.get_by_label("Groups, in a column of their own").check()
    page.get_by_role("button", name="Show so, and remember it").click()
    head = page.locator("thead").get_by_role("link", name="Groups")
    expect(head).to_be_visible()
    page.get_by_label("Name or e-mail").fill("person03")
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(page.locator("tbody tr").first.get_by_text("Managers")).to_be_visible()
    head.click()
    expect(page.locator("th[aria-sort=ascending]")).to_contain_text("Groups")


def test_ticking_by_keyboard_shows_its_focus_and_reaches_the_bar(visit, expect):
    page = visit("/certificates/?sort=person")
    page.get_by_label("All on this page").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.value") == "xlsx"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"


EVERY_COLUMN = [
    "state", "story", "groups", "app", "awarded", "place", "telephone", "first_seen", "changed", "open",
]  # fmt: skip


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("columns", [None, EVERY_COLUMN[:6], EVERY_COLUMN, []], ids=["usual", "six", "all", "none"])
def test_every_choice_of_columns_fits(columns, size, visit, shown):
    if columns is not None:
        shown.viewer.columns = {"certificates": columns}
        shown.viewer.save()
    page = visit("/certificates/", viewport=SIZES[size])
    page.locator(".pick input").first.check()
    page.locator("#table-options summary").click()
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    page.locator("tbody tr").nth(20).scroll_into_view_if_needed()
    if size != "phone":  # where there are cards and no columns
        bar, head = (page.locator(where).bounding_box() for where in (".top", "thead th.person"))
        assert head["y"] >= bar["y"] + bar["height"] - 1, "the head lies under the bar"
        assert head["y"] < page.locator("tbody tr").nth(20).bounding_box()["y"], "the head left"


def test_print_shows_the_chosen_columns_and_no_boxes(visit, shown, expect):
    shown.viewer.columns = {"certificates": EVERY_COLUMN}
    shown.viewer.save()
    page = visit("/certificates/")
    page.emulate_media(media="print")
    expect(page.locator("tbody tr").first.get_by_text("030 123456")).to_be_visible()
    expect(page.locator(".pick input").first).to_be_hidden()
    expect(page.locator(".table-bar")).to_be_hidden()
    assert page.locator(".table-scroll").evaluate("frame => getComputedStyle(frame).overflow") == "visible"
