"""Every page in every state, looked at by axe, wide and narrow, light and dark. No other module scans pages."""

from contextlib import ExitStack
from itertools import pairwise
from unittest.mock import patch

import pytest
from django.core.management import call_command
from django.test import override_settings
from django.urls import get_resolver

from certdash.invitations import connecting_link, password_link
from certdash.models import User
from tests.scenery import make_scenery, run_of
from tests.scenes import PAGES, SCENES, WITHOUT_A_PAGE, opened
from tests.support.browser import go_as
from tests.support.rings import unseen_stops
from tests.test_browser import DESK, PHONE


def test_no_page_is_forgotten():
    assert PAGES.keys() | WITHOUT_A_PAGE == {pattern.name for pattern in get_resolver().url_patterns}
    assert not PAGES.keys() & WITHOUT_A_PAGE


@pytest.fixture(scope="module")
def transactional_db(django_db_setup, django_db_blocker):
    """The database, for the whole module instead of each test: no page is asked to change what the others show."""
    with django_db_blocker.unblock():
        yield
        call_command("flush", interactive=False, verbosity=0)


@pytest.fixture(scope="module")
def scenery(live_server, transactional_db):
    """The served scenery, made once: what stands in addresses of its pages."""
    names = make_scenery() | {slug: run_of(slug) for slug in ("busy", "queued", "lost")}
    invited = User.objects.get(username="invited")
    with override_settings(PUBLIC_URL=""):
        links = {"link": password_link(invited), "connecting_link": connecting_link(invited)}
    return names | links | {"gone": User.objects.get(username="gone").pk, "url": live_server.url}


@pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES)
def test_a_page_is_accessible_and_fits_in_every_look(scene, scenery, open_page, page_problems, violations, expect):
    page = open_page(viewport=DESK, reduced_motion="reduce")
    page.clock.install()
    with ExitStack() as stack:
        stack.enter_context(override_settings(**scene.settings))
        if scene.patch:
            stack.enter_context(patch(*scene.patch))
        answer = go_as(page, scenery["url"], scene.path.format(**scenery), scene.who)
        answer = (scene.act and scene.act(page)) or answer
        assert answer.status == scene.status
        expect(page.locator(".htmx-request")).to_have_count(0)
    if scene.status >= 400:
        page_problems.clear()  # Chromium notes the status of such a page as an error
    told = []
    for size in (DESK, PHONE):
        page.set_viewport_size(size)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            told += [f"{size['width']} px, {scheme}: {one}" for one in violations(page)]
        if page.evaluate("document.documentElement.scrollWidth - innerWidth") > 0:
            told.append(f"{size['width']} px: scrolls sideways")
    for size in (PHONE, DESK):  # last, since what is walked away from closes
        page.set_viewport_size(size)
        told += [f"{size['width']} px, by keyboard: {one}" for one in unseen_stops(page)]
    assert not told, "\n" + "\n".join(told)


def test_a_bar_too_narrow_to_hit_has_its_equal_in_the_table_below(scenery, open_page):
    """axe looks at no link in a drawing.

    On a phone the 26 bars of the weeks are 9 px wide. WCAG 2.5.8 allows that where another control on the page does the
    same: the exception "Equivalent", here the week's link in the table of the chart.
    """
    page = open_page(viewport=PHONE)
    go_as(page, scenery["url"], "/", "viewer")
    opened(".chart details")(page)
    bars = page.locator(".chart svg a").evaluate_all(_BOXES.format(of=".querySelector('.hit')"))
    small = [href for href, _, width, height in bars if min(width, height) < 24]
    links = page.locator(".chart table a").evaluate_all(_BOXES.format(of=""))
    middles = [middle for _, middle, _, _ in links]
    assert len(small) == 26
    assert set(small) <= {href for href, *_ in links}
    assert min(lower - upper for upper, lower in pairwise(middles)) >= 24


_BOXES = """all => all.map(one => {{
    const {{ top, width, height }} = one{of}.getBoundingClientRect();
    return [one.getAttribute("href"), top + height / 2, width, height];
}})"""
