"""Everybody reads pages by their own clock; files, commands and other people's pages know nothing of it."""

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from certdash import time_zones
from tests import world
from tests.translated.sources import READ
from tests.world import NOW

# Half past eleven in the evening of 3 May in UTC: 4 May in Auckland, 3 May in Los Angeles.
LATE = datetime(2026, 5, 3, 23, 30, tzinfo=UTC)
AUCKLAND, LOS_ANGELES = "Pacific/Auckland", "America/Los_Angeles"


def client_of(person, zone=""):
    person.time_zone = zone
    person.save()
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def late(cast):
    """One certificate, late in a day of UTC."""
    return world.make_certificate(world.make_story(cast.demo), at=LATE)


def rows(client, query):
    return client.get(f"/certificates/?{query}").context["rows"]


@pytest.mark.parametrize(("zone", "shown", "title"), [
    ("", "3 May 2026", "3 May 2026, 23:30:00 UTC"),
    (AUCKLAND, "4 May 2026", "4 May 2026, 11:30:00 NZST"),
    (LOS_ANGELES, "3 May 2026", "3 May 2026, 16:30:00 PDT"),
])  # fmt: skip
def test_a_page_shows_times_in_the_zone_of_who_asks(zone, shown, title, cast, late):
    page = client_of(cast.viewer, zone).get("/certificates/").content.decode()
    awarded = re.search(r'<td class="awarded">\s*<time[^>]*title="([^"]*)"[^>]*>([^<]*)<', page)
    assert awarded.groups() == (title, shown)


def test_the_days_of_a_filter_begin_and_end_by_ones_own_clock(cast, late):
    day = "awarded_from=2026-05-04&awarded_to=2026-05-04"
    auckland, los_angeles = client_of(cast.viewer, AUCKLAND), client_of(cast.manager, LOS_ANGELES)
    assert (rows(auckland, day), rows(los_angeles, day)) == (1, 0)


def test_a_count_that_is_remembered_for_one_clock_is_not_told_by_another(cast, late):
    """The same address, of the same apps, asked for in turn: each time by another clock, from a warm cache."""
    day = "awarded_from=2026-05-04&awarded_to=2026-05-04"
    clients = [client_of(cast.viewer, AUCKLAND), client_of(cast.manager, LOS_ANGELES), client_of(cast.owner)]
    told = [[rows(client, day) for client in clients] for _ in range(2)]
    assert told == [[1, 0, 0], [1, 0, 0]]


def test_the_counts_beside_the_filters_go_by_the_same_clock(cast, late):
    counted = []
    for person, zone in ((cast.viewer, AUCKLAND), (cast.manager, LOS_ANGELES)):
        page = client_of(person, zone).get("/certificates/?awarded_from=2026-05-04&_part=filters")
        states = next(facet for facet in page.context["facets"] if facet.name == "state")
        counted.append(sum(value.count for value in states.values))
    assert counted == [1, 0]


def test_a_week_of_the_chart_begins_on_ones_own_monday_and_leads_to_its_rows(cast):
    """Half past eleven on a Sunday evening in UTC: in Auckland the week has begun."""
    today = timezone.now()
    sunday = (today - timedelta(days=today.weekday() + 8)).replace(hour=23, minute=30, second=0, microsecond=0)
    world.make_certificate(world.make_story(cast.demo), at=sunday)
    for person, zone in ((cast.viewer, AUCKLAND), (cast.manager, "UTC"), (cast.owner, LOS_ANGELES)):
        client = client_of(person, zone)
        page = client.get("/stories/demo/EV72-RQZY-80AH~fire-safety/")
        (row,) = [row for row in page.context["chart"].rows if row.delivered + row.pending]
        local = sunday.astimezone(ZoneInfo(zone)).date()
        monday = local - timedelta(days=local.weekday())
        assert row.week == f"{monday:%-d %b %Y}", zone
        assert client.get(row.url).context["rows"] == 1, zone


def test_a_day_that_begins_at_one_in_the_morning_is_a_day_too(cast):
    """In Cairo the clock goes from midnight to one on the last Friday of April."""
    story, gap = world.make_story(cast.demo), datetime(2026, 4, 23, 22, tzinfo=UTC)
    for moment in (gap - timedelta(seconds=1), gap):
        world.make_certificate(story, at=moment)
    client = client_of(cast.viewer, "Africa/Cairo")
    assert rows(client, "awarded_from=2026-04-24&awarded_to=2026-04-24") == 1
    assert rows(client, "awarded_from=2026-04-23&awarded_to=2026-04-23") == 1


def test_a_zone_ends_with_its_request(cast, late):
    before = timezone.get_current_timezone_name()
    client_of(cast.viewer, AUCKLAND).get("/certificates/")
    assert timezone.get_current_timezone_name() == before
    page = client_of(cast.manager).get("/certificates/").content.decode()
    assert "23:30:00 UTC" in page


def test_a_zone_ends_with_a_request_that_fails(cast, monkeypatch):
    client = client_of(cast.viewer, AUCKLAND)
    monkeypatch.setattr("certdash.views.page.freshness", lambda *_: 1 / 0)
    before = timezone.get_current_timezone_name()
    with pytest.raises(ZeroDivisionError):
        client.get("/certificates/")
    assert timezone.get_current_timezone_name() == before


def test_a_zone_that_is_known_no_more_is_the_installations(cast, late):
    page = client_of(cast.viewer, "Mars/Olympus").get("/certificates/")
    assert "23:30:00 UTC" in page.content.decode()


@pytest.mark.parametrize("address", ["/certificates/?", "/stories/demo/EV72-RQZY-80AH~fire-safety/?"])
def test_a_file_has_the_days_of_who_asks_and_its_times_in_utc(address, cast, late):
    """It is streamed when the request is over, by a clock that is nobody's."""
    day = "awarded_from=2026-05-04&awarded_to=2026-05-04&_export=csv"
    response = client_of(cast.viewer, AUCKLAND).get(address + day)
    assert timezone.get_current_timezone_name() == "UTC"
    head, *lines = b"".join(response).decode("utf-8-sig").splitlines()
    assert [dict(zip(head.split(","), line.split(","), strict=True))["timestamp"] for line in lines] == [
        "2026-05-03T23:30:00Z"
    ]
    other = client_of(cast.manager, LOS_ANGELES).get(address + day)
    assert len(b"".join(other).splitlines()) == 1


def test_a_file_of_changes_is_the_same_for_everybody(cast, late):
    run = world.make_run(cast.demo)
    late.changes.create(
        app=cast.demo, run=run, story=late.story, kind="timestamp", seen_at=LATE,
        before={"timestamp": LATE.isoformat()}, after={"timestamp": LATE.isoformat()},
    )  # fmt: skip
    files = {
        b"".join(client_of(person, zone).get(f"/apps/demo/runs/{run.pk}/changes/?_export=csv"))
        for person, zone in ((cast.viewer, AUCKLAND), (cast.manager, LOS_ANGELES), (cast.owner, ""))
    }
    assert len(files) == 1


def test_a_command_goes_by_the_installations_clock(cast, late, capsysbinary):
    client_of(cast.viewer, AUCKLAND).get("/certificates/")
    for day, lines in (("2026-05-03", 2), ("2026-05-04", 1)):
        call_command("export_certificates", query=f"awarded_from={day}&awarded_to={day}")
        assert len(capsysbinary.readouterr().out.splitlines()) == lines


def test_people_who_ask_at_the_same_time_keep_their_own_clocks(cast, late, live_server):
    """Threads of one server, in turn and at once."""
    from concurrent.futures import ThreadPoolExecutor
    from urllib.request import Request, urlopen

    cookies = {
        zone: client_of(person, zone).cookies["sessionid"].value
        for person, zone in ((cast.viewer, AUCKLAND), (cast.manager, LOS_ANGELES), (cast.owner, ""))
    }

    def asked(zone):
        request = Request(f"{live_server.url}/certificates/", headers={"Cookie": f"sessionid={cookies[zone]}"})
        with urlopen(request, timeout=60) as response:
            return zone, re.findall(r'title="[^"]* 20\d\d, ([\d:]+ \w+)"', response.read().decode())[0]

    with ThreadPoolExecutor(6) as pool:
        told = set(pool.map(asked, [*cookies] * 6))
    assert told == {(AUCKLAND, "11:30:00 NZST"), (LOS_ANGELES, "16:30:00 PDT"), ("", "23:30:00 UTC")}


def test_for_whoever_is_not_logged_in_the_database_is_not_asked(client):
    """This test has no database: a query would fail it."""
    assert client.get("/healthz").content == b"ok\n"


def test_what_is_offered_is_known_and_no_machine_is_a_place():
    offered = [name for _, names in time_zones.offered() for name in names]
    assert set(offered) <= time_zones.names()
    assert {"Europe/Berlin", "America/Sao_Paulo", "Asia/Kolkata", AUCKLAND} <= set(offered)
    assert not time_zones.names() & {"localtime", "Factory", "posixrules", ""}


class Times(HTMLParser):
    """The times of a page that are shown without a zone: neither beside them, nor in a title around them."""

    def __init__(self, html):
        super().__init__()
        self.within, self.bare, self.seen = [], [], 0
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        for name in READ & set(given):
            self.look(given[name] or "", "")
        if tag not in ("br", "hr", "img", "input", "link", "meta"):
            self.within.append((tag, given.get("title") or ""))
            if tag == "time" and not ZONE.search(given.get("title") or ""):
                self.bare.append(self.get_starttag_text())

    def handle_endtag(self, tag):
        while self.within and self.within.pop()[0] != tag:
            pass

    def handle_data(self, data):
        self.look(data, " ".join(title for _, title in self.within))

    def look(self, text, titles):
        if CLOCK.search(text):
            self.seen += 1
            if not ZONE.search(text) and not ZONE.search(titles):
                self.bare.append(" ".join(text.split()))


CLOCK, ZONE = re.compile(r"\b\d\d:\d\d\b"), re.compile(r"\bNZ[DS]T\b|Pacific/Auckland")


@pytest.fixture
def past(cast):
    """One of everything that happened at some time: a run of each kind, changes, memberships, withdrawals."""
    story = world.make_story(cast.demo)
    run = world.make_run(cast.demo, "success", vendor_hash="x")
    one = world.make_certificate(story, state="pending", initial=False, first_run=run)
    gone = world.make_certificate(story, withdrawn_at=LATE, learner=one.learner)
    outside = world.make_certificate(story, out_of_scope_at=LATE, learner=one.learner)
    group = world.make_group(cast.demo, "Managers", one.learner)
    group.memberships.update(until=NOW)
    told = {"app": cast.demo, "run": run, "story": story, "seen_at": LATE}
    moments = {"before": {"timestamp": LATE.isoformat()}, "after": {"timestamp": NOW.isoformat()}}
    one.changes.create(kind="timestamp", **moments, **told)
    for certificate, kind in ((gone, "withdrawn"), (outside, "outside")):
        certificate.changes.create(kind=kind, **told)
    accepted = world.make_run(cast.demo, "held", missing=1, accepted_at=LATE, accepted_by=cast.owner)
    erasure = cast.demo.erasures.create(digest="x", at=LATE)
    story.withdrawn_at = LATE
    story.save()
    world.make_run(cast.demo, "unchanged")
    view = world.make_view(cast.superuser, "Since", query="changed_from=2026-05-03T23:30Z")
    return SimpleNamespace(
        run=run, accepted=accepted, erasure=erasure, view=view, learner=one.learner, story=story, gone=gone
    )


WITH_TIMES = [
    "/", "/certificates/?withdrawn=all&changed_from=2026-05-03T23:30Z&run={it.run.pk}", "/stories/", "/groups/",
    "/stories/demo/{it.story.key}/?withdrawn=all", "/groups/demo/managers/", "/matrix/?changed_from=2026-05-03T23:30Z",
    "/people/", "/people/{it.learner.pk}/?withdrawn=all", "/people/{it.learner.pk}/timeline/", "/delivery/", "/apps/",
    "/apps/demo/", "/apps/demo/runs/", "/apps/demo/runs/{it.run.pk}/", "/apps/demo/runs/{it.run.pk}/changes/",
    "/apps/demo/runs/{it.accepted.pk}/", "/apps/demo/audit/", "/apps/demo/privacy/", "/apps/demo/erasures/", "/views/",
    "/apps/demo/erasures/{it.erasure.pk}/lift/", "/views/{it.view.slug}/edit/", "/accounts/audit/", "/accounts/people/",
]  # fmt: skip
STATES = {
    "fresh": [],
    "failing": [("failed", {}), ("failed", {})],
    "cut off": [("interrupted", {"applying_since": LATE})],
}


@pytest.mark.parametrize("state", STATES)
def test_every_time_has_its_zone_in_a_title(state, cast, past):
    for status, fields in STATES[state]:
        world.make_run(cast.demo, status, message="It ended.", **fields)
    client, seen = client_of(cast.superuser, AUCKLAND), 0
    for address in WITH_TIMES if state == "fresh" else WITH_TIMES[:3]:
        page = client.get(address.format(it=past))
        assert page.status_code == 200, address
        times = Times(page.content.decode())
        assert times.bare == [], address
        seen += times.seen
    assert seen > 10


@pytest.mark.parametrize("html", [
    "<p>at 09:04</p>", "<time>4 May</time>", '<time title="4 May, 11:30:00">x</time>', '<p title="checked 11:30">x</p>',
    '<p title="NZST">x</p><p>11:30</p>',
])  # fmt: skip
def test_a_time_without_its_zone_is_found(html):
    assert Times(html).bare != []


def test_a_day_on_which_something_went_tells_its_time(cast, past):
    client = client_of(cast.superuser, AUCKLAND)
    titled = '<time datetime="2026-05-04T11:30:00+12:00" title="4 May 2026, 11:30:00 NZST">4 May 2026</time>'
    story = client.get(f"/stories/demo/{past.story.key}/").content.decode()
    assert f"no longer in the vendor’s answer since {titled}" in story
    row = " ".join(client.get(f"/certificates/?withdrawn=all&id={past.gone.pk}").content.decode().split())
    assert '<span class="sub" title="4 May 2026, 11:30:00 NZST">on 4 May 2026</span>' in row
