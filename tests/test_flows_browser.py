"""What managers do every day, in a real Chromium: from a number to its rows, into a file, and on to a person."""

import csv
import re
from datetime import timedelta

import pytest

from tests import world
from tests.support.browser import go_as
from tests.test_browser import make_seventy
from tests.world import NOW, make_certificate, make_run, make_story


@pytest.fixture
def shown(live_server, transactional_db):
    """A served certdash with 70 certificates of the app `demo`, a fifth of them pending."""
    cast = world.make_cast()
    make_seventy(cast.demo)
    cast.url = live_server.url
    return cast


@pytest.fixture
def visit(open_page, shown):
    """Opens a page as somebody who is logged in already."""

    def visit(path, who="viewer", **options):
        page = open_page(**options)
        go_as(page, shown.url, path, who)
        return page

    return visit


def number_in(text):
    return int(re.search(r"\d+", text)[0])


def downloaded(page, label):
    page.locator("#download summary").click()
    with page.expect_download() as download:
        page.get_by_role("link", name=label).click()
    return download.value.path()


# -- Files ------------------------------------------------------------------------------------------------------


def test_a_workbook_holds_the_rows_that_are_shown_in_their_order(visit, shown):
    openpyxl = pytest.importorskip("openpyxl", reason="openpyxl is in requirements-dev.txt")
    page = visit("/certificates/?state=pending&sort=-person")
    names = page.locator("tbody .person .name").all_inner_texts()
    about, rows = openpyxl.load_workbook(downloaded(page, "Excel workbook").open("rb")).worksheets
    head, *values = rows.iter_rows(values_only=True)
    first, last = head.index("firstname"), head.index("lastname")
    assert [f"{row[first]} {row[last]}" for row in values] == names
    assert len(names) == 14
    assert "Pending" in " ".join(str(cell.value) for cell in about["B"])


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without"])
def test_the_matrix_is_taken_along_as_it_is_shown(script, visit, shown):
    openpyxl = pytest.importorskip("openpyxl", reason="openpyxl is in requirements-dev.txt")
    page = visit("/matrix/?country=Sweden", java_script_enabled=script)
    cell = page.get_by_role("row", name="Fire safety").locator("td").first
    shown_there = [int(one) for one in re.findall(r"\d+", cell.inner_text())]
    with downloaded(page, "CSV").open(encoding="utf-8-sig", newline="") as file:
        rows = [tuple(row.values()) for row in csv.DictReader(file)]
    (managers,) = [row for row in rows if row[2:4] == ("Fire safety", "Managers")]
    assert [int(one) for one in managers[4:]] == shown_there
    page.reload()
    sheet = openpyxl.load_workbook(downloaded(page, "Excel workbook").open("rb")).worksheets[1]
    cells = [tuple(str(value or "") for value in row[:4]) for row in sheet.iter_rows(min_row=2, values_only=True)]
    numbers = [row[4:] for row in sheet.iter_rows(min_row=2, values_only=True)]
    assert [(*words, *map(str, amounts)) for words, amounts in zip(cells, numbers, strict=True)] == rows


# -- From a number to its rows ----------------------------------------------------------------------------------


@pytest.mark.parametrize("label", ["Certificates", "Delivered", "Pending", "Pending over 7 days"])
def test_a_tile_leads_to_as_many_rows_as_it_says(label, visit, expect):
    page = visit("/")
    tile = page.locator("a.tile", has=page.locator(".tile-label").get_by_text(label, exact=True))
    many = number_in(tile.locator(".tile-number").inner_text())
    tile.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Certificates")
    expect(page.locator("#count")).to_have_text(f"{many} of 70")


@pytest.mark.parametrize(
    ("start", "name", "part"), [("/groups/", "Managers", "Fire safety"), ("/stories/", "Fire safety", "Managers")]
)
def test_a_breakdown_leads_to_as_many_rows_as_it_says(start, name, part, visit, expect):
    page = visit(start)
    page.get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    row = page.locator(".breakdown tbody tr", has=page.get_by_text(part, exact=True))
    many = sum(int(text) for text in row.locator("td.num").all_inner_texts())
    row.get_by_role("link").click()
    expect(page.locator("#count")).to_contain_text(f"{many} of ")
    expect(page.locator("#results tbody tr")).to_have_count(many)


# -- People -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without"])
def test_a_person_is_found_and_followed_into_another_app(script, visit, shown, expect):
    other = world.make_app("second", "Second Academy")
    other.grants.create(user=shown.viewer, role="viewer")
    make_certificate(make_story(other, "Ladders"), firstname="Seven", lastname="Ek", email="P07@example.com")
    page = visit("/people/?app=demo", java_script_enabled=script)
    page.get_by_label("Search in people").fill("person07")
    if not script:
        page.get_by_role("button", name="Search").click()
    expect(page.locator("#results tbody tr")).to_have_count(1)
    page.get_by_role("link", name="Person07 Ek").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Person07 Ek")
    elsewhere = page.locator("section", has=page.get_by_role("heading", name="The same e-mail address in other apps"))
    elsewhere.get_by_role("link", name="Seven Ek").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Seven Ek")
    expect(page.locator("#results tbody tr")).to_contain_text("Ladders")
    elsewhere.get_by_role("link", name="Person07 Ek").click()
    expect(page.locator("#results tbody tr")).to_have_count(2)


# -- When something is not as usual -----------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/certificates/"])
def test_a_failed_sync_is_told_above_the_last_good_data(path, visit, shown, expect):
    shown.demo.runs.update(finished_at=NOW - timedelta(days=2), started_at=NOW - timedelta(days=2))
    make_run(shown.demo, "failed", message="The vendor did not answer.")
    page = visit(path)
    told = page.locator(".top .fresh")
    expect(told).to_have_class(re.compile("fresh-stale"))
    expect(told).to_contain_text("last good data from")
    expect(page.locator(".tile-number, #count").first).to_contain_text("70")
    told.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Demo Academy")
    page.get_by_role("link", name="All runs").click()
    expect(page.locator("tbody tr").first).to_contain_text("The vendor did not answer.")


@pytest.mark.parametrize("path", ["/", "/certificates/"])
def test_while_a_sync_writes_the_page_says_since_when_and_still_shows_its_rows(path, visit, shown, expect):
    make_run(shown.demo, "running", phase="comparing", applying_since=NOW - timedelta(minutes=1))
    page = visit(path)
    expect(page.locator(".top .fresh")).to_have_class(re.compile("fresh-busy"))
    expect(page.locator(".top .fresh")).to_contain_text("being updated since")
    expect(page.locator(".tile-number, #count").first).to_contain_text("70")


def test_what_a_role_does_not_include_is_told_and_leads_back(visit, expect, page_problems):
    page = visit("/apps/demo/connection/")
    expect(page.get_by_role("heading", level=1)).to_have_text("You may not do this")
    page.get_by_role("link", name="Go to the overview").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    assert [problem for problem in page_problems if "403" not in problem] == []
    page_problems.clear()
