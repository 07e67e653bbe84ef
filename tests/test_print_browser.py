"""What a page is on paper: which rows, under which filters, as of when, and the number of every sheet."""

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client

from tests import world
from tests.world import NOW, make_certificate, make_group, make_learner, make_run, make_story

ROWS, GROUPS = 60, 20


@pytest.fixture
def shown(live_server, transactional_db):
    """A served certdash with more pending certificates than a page lists, and a person in many groups."""
    cast = world.make_cast()
    story = make_story(cast.demo)
    learner = make_learner(cast.demo)
    waiting = make_learner(cast.demo, "Ben", "Ek", "ben@example.com")
    for number in range(ROWS):
        make_certificate(story, waiting, state="pending", at=NOW - timedelta(days=number))
    make_certificate(story, learner)
    for number in range(GROUPS):
        make_group(cast.demo, f"Group {number}", learner)
    make_run(cast.demo)
    cast.url = live_server.url
    return cast


@pytest.fixture
def printed(open_page, shown):
    """Opens a page as the viewer, as it goes to the printer."""

    def printed(path):
        client = Client()
        client.force_login(shown.viewer)
        page = open_page()
        cookie = {"name": settings.SESSION_COOKIE_NAME, "value": client.cookies[settings.SESSION_COOKIE_NAME].value}
        page.context.add_cookies([cookie | {"url": shown.url}])
        page.goto(shown.url + path)
        page.emulate_media(media="print")
        return page

    return printed


def paper_of(page):
    """What is read on paper alone, in its order."""
    told = page.locator(".on-paper:visible").all_inner_texts()
    return [" ".join(text.split()) for text in told]


AS_OF = f"As of {NOW - timedelta(minutes=1):%-d %b %Y, %H:%M} (UTC)"


def test_a_list_tells_its_day_its_filter_and_which_rows_these_are(printed, expect):
    page = printed("/certificates/?state=pending&per_page=25&page=2")
    assert paper_of(page) == [AS_OF, "Filtered by", f"Rows 26–50 of {ROWS}"]
    expect(page.locator(".chips")).to_have_text(re.compile(r"^\s*Filtered by\s+Pending\s+Remove Pending\s+Clear all"))
    assert page.locator(".chip .unseen").is_hidden()
    expect(page.locator(".chips-clear")).to_be_hidden()


def test_a_list_that_is_shown_whole_does_not_count_its_rows(printed):
    assert paper_of(printed("/certificates/?per_page=100")) == [AS_OF]


def test_a_smaller_list_tells_what_was_searched_for_and_not_the_field_for_it(printed, expect):
    page = printed("/people/?q=ana")
    assert paper_of(page) == [AS_OF, "Filtered by “ana”"]
    for control in (page.get_by_role("search"), page.get_by_role("link", name="Copy link"), page.locator(".pages")):
        expect(control).to_be_hidden()


@pytest.mark.parametrize("path", ["/", "/matrix/", "/stories/demo/EV72-RQZY-80AH~fire-safety/"])
def test_every_page_tells_its_day(path, printed):
    assert paper_of(printed(path))[0] == AS_OF


def test_the_breakdown_of_a_page_is_whole(printed):
    page = printed("/stories/demo/EV72-RQZY-80AH~fire-safety/")
    breakdown = page.locator(".breakdown")
    assert breakdown.locator("tbody tr").count() == GROUPS
    assert breakdown.evaluate("box => box.scrollHeight - box.clientHeight") <= 1


def test_nothing_is_cut_short(printed, shown):
    certificate = make_certificate(
        make_story(shown.demo, "B" * 150, "B"), email=f"{'long.' * 12}name@example.com", firstname="Bo"
    )
    row = printed(f"/certificates/?id={certificate.pk}").locator(".certificates tbody tr")
    cut = "cells => cells.filter(one => one.scrollHeight > one.clientHeight + 1 && one.clientHeight).length"
    assert row.locator(".cut").evaluate_all(cut) == 0


def test_every_sheet_has_its_number(printed):
    """Of the margins a browser tells only the rule; that there are several sheets tells the file."""
    page = printed("/certificates/?per_page=100")
    sheets = re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4"))
    assert 2 <= len(sheets) <= 5
    margins = page.evaluate(
        """[...document.styleSheets].flatMap(sheet => [...sheet.cssRules])
           .filter(rule => rule instanceof CSSPageRule).map(rule => rule.cssText).join()"""
    )
    assert re.search(r"@bottom-right \{[^}]*counter\(page\)[^}]*counter\(pages\)", margins)
