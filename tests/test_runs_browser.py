"""Sync runs in a real Chromium: followed to their end, filtered with and without JavaScript, on desk and phone."""

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client

from certdash.models import Change, SyncRun
from tests import world
from tests.test_browser import DESK
from tests.world import NOW, make_certificate, make_group, make_learner, make_run, make_story

RUNS = "/apps/demo/runs/"


@pytest.fixture
def shown(live_server, transactional_db):
    """A served certdash with the cast."""
    cast = world.make_cast()
    cast.url = live_server.url
    return cast


@pytest.fixture
def visit(open_page, shown):
    """Opens a page as somebody who is logged in; its timers tick only when `page.clock` is told to."""

    def visit(path, who="manager", **options):
        client = Client()
        client.force_login(shown[who])
        page = open_page(**options)
        page.clock.install()
        cookie = {"name": settings.SESSION_COOKIE_NAME, "value": client.cookies[settings.SESSION_COOKIE_NAME].value}
        page.context.add_cookies([cookie | {"url": shown.url}])
        page.goto(shown.url + path)
        return page

    return visit


# -- Followed ---------------------------------------------------------------------------------------------------

WATCH = """() => {
    window.told = [];
    const region = document.getElementById("announce");
    new MutationObserver(() => window.told.push(region.textContent)).observe(region, {childList: true});
}"""


@pytest.fixture
def running(shown):
    return make_run(shown.demo, "running", phase="comparing", progress_done=1, progress_total=9, applying_since=NOW)


def set_run(run, **fields):
    SyncRun.objects.filter(pk=run.pk).update(**fields)


def tick(page):
    """Let a second pass: the page looks again."""
    with page.expect_response(lambda response: RUNS in response.url):
        page.clock.run_for(1100)


def asked_in_ten_seconds(page):
    """What the page asks for from now on; its own files, such as the icon, may still be on their way."""
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.clock.run_for(10_000)
    return [url for url in asked if "/static/" not in url]


def test_a_run_is_followed_to_its_end_and_then_no_more(visit, running, expect):
    page = visit(f"{RUNS}{running.pk}/")
    page.evaluate(WATCH)
    for done in (2, 3, 4):
        set_run(running, progress_done=done)
        tick(page)
        expect(page.get_by_text(f"comparing stories, {done} of 9")).to_be_visible()
        expect(page.locator("progress")).to_have_js_property("value", done)
    set_run(running, phase="withdrawing", progress_total=0)
    tick(page)
    expect(page.locator("#run").get_by_text("looking at what is missing")).to_be_visible()
    set_run(running, status="success", finished_at=NOW, message="5 new.")
    tick(page)
    expect(page.get_by_text("5 new.").first).to_be_visible()
    expect(page.get_by_role("button", name="Sync now")).to_be_visible()
    expect(page.locator(".top .fresh .text")).to_contain_text("checked")
    assert asked_in_ten_seconds(page) == []
    assert page.evaluate("window.told") == [
        "The run is comparing stories", "The run is looking at what is missing", "Success. 5 new.",
    ]  # fmt: skip


def test_when_the_session_ended_the_log_in_comes_and_leads_back(visit, running, expect, shown):
    page = visit(f"{RUNS}{running.pk}/")
    Session.objects.all().delete()
    page.clock.run_for(1100)
    expect(page).to_have_url(f"{shown.url}/accounts/login/?next={RUNS}{running.pk}/")
    expect(page.get_by_role("button", name="Log in")).to_be_visible()


def test_when_the_run_is_gone_the_page_says_so_and_asks_no_more(visit, running, expect, page_problems):
    page = visit(f"{RUNS}{running.pk}/")
    running.delete()
    page.clock.run_for(1100)
    expect(page.get_by_role("heading", level=1)).to_have_text("There is nothing at this address")
    assert asked_in_ten_seconds(page) == []
    assert [problem for problem in page_problems if "404" not in problem] == []
    page_problems.clear()


def test_a_run_past_its_lease_is_followed_no_more(visit, running, expect):
    page = visit(f"{RUNS}{running.pk}/")
    set_run(running, lease_until=NOW)
    tick(page)
    expect(page.get_by_text("its process seems to have ended").first).to_be_visible()
    expect(page.get_by_role("button", name="Sync now")).to_be_visible()
    assert asked_in_ten_seconds(page) == []


def test_when_the_session_ended_a_filter_leads_to_the_log_in_too(visit, shown, expect):
    make_certificate(make_story(shown.demo))
    page = visit("/certificates/")
    Session.objects.all().delete()
    page.locator("[id='state=delivered']").check()
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
    assert page.url.startswith(f"{shown.url}/accounts/login/?next=/certificates/")


# -- Filtered ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without"])
def test_runs_are_filtered_by_a_click(script, visit, shown, expect):
    for status in ("success", "held", "failed", "success"):
        make_run(shown.demo, status)
    page = visit(RUNS, java_script_enabled=script)
    segments = page.get_by_role("navigation", name="Status")
    segments.get_by_role("link", name="Held 1").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(segments.get_by_role("link", name="Held 1")).to_have_attribute("aria-current", "true")
    segments.get_by_role("link", name="Failed 1").click()
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(page).to_have_url(f"{shown.url}{RUNS}?status=held&status=failed")
    expect(page.get_by_text("Download 2 rows")).to_be_visible()
    segments.get_by_role("link", name="All 4").click()
    expect(page.locator("tbody tr")).to_have_count(4)


# -- Look -------------------------------------------------------------------------------------------------------


@pytest.fixture
def every_page(shown):
    """Addresses of a page of every kind, with long and right-to-left text in them."""
    long = "Wörterzusammensetzung" * 20
    person = make_learner(shown.demo, long, "\u202eשלום\u202c", f"{'x' * 200}@example.com")
    story = make_story(shown.demo, f"{long} שלום", "LONG")
    held = make_run(shown.demo, "held", missing=1, missing_members=1, message=long, story=long)
    one = make_certificate(story, person, firstname=long, email=person.email, missing_in=held)
    make_group(shown.demo, long[:200], person).memberships.update(missing_in=held)
    partial = make_run(shown.demo, "partial", rejected=300, vendor_hash="a" * 200, users=[long], received=10**12)
    partial.rejections.create(path=f"data[0].{long}", reason=long, excerpt='{"url": "' + "x" * 290)
    for kind in Change.Kind.values:
        Change.objects.create(
            app=shown.demo, run=partial, story=story, certificate=None if kind == "renamed" else one, kind=kind,
            seen_at=NOW, before={"name": long}, after={"url": long},
        )  # fmt: skip
    running = make_run(shown.demo, "running", phase="downloading", progress_done=10**9)
    paths = [RUNS, *(f"{RUNS}{run.pk}/" for run in (held, partial, running)), f"{RUNS}{partial.pk}/changes/"]
    return [*paths, f"/certificates/?run={held.pk}&change=missing", "/apps/demo/"]


@pytest.mark.parametrize("width", [360, 768, 1100, 1600])
def test_long_text_breaks_no_page_of_runs(width, visit, every_page, shown):
    page = visit(RUNS, "owner", viewport=DESK | {"width": width})
    for path in every_page:
        page.goto(shown.url + path)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
