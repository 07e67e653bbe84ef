"""The overview: what its numbers count, and when somebody was here last."""

from datetime import timedelta
from html import unescape

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from certdash.models import Certificate, Change, State, User
from tests import world
from tests.reading import text_of as words_of
from tests.test_facets import figures, page_of, text_of
from tests.world import make_app, make_certificate, make_run, make_story

pytestmark = pytest.mark.django_db
Kind = Change.Kind
NOW = timezone.now()
YESTERDAY, MONTH_AGO = NOW - timedelta(days=1), NOW - timedelta(days=30)


@pytest.fixture
def viewer(client, cast):
    client.force_login(cast.viewer)
    return client


def change(certificate, kind, at=YESTERDAY, **before):
    Change.objects.create(
        app=certificate.app, story=certificate.story, certificate=certificate, kind=kind, seen_at=at, before=before
    )


def new(story, state="delivered", at=YESTERDAY, **fields):
    return make_certificate(story, state=state, first_seen_at=at, initial=False, **fields)


# -- Tiles ------------------------------------------------------------------------------------------------------


def deltas(client):
    """What the tiles say of a week ago, by their label."""
    return {tile["label"]: tile["delta"].partition("\u00a0")[0].partition(" since")[0]
            for tile in client.get("/").context["tiles"]}  # fmt: skip


def test_tiles_tell_what_came_less_what_went_since_a_week_ago(viewer, cast):
    story = make_story(cast.demo)
    make_certificate(story, state="pending")  # there at first
    new(story), new(story), new(story, state="pending")
    new(story, at=MONTH_AGO)
    for state, before in (("delivered", "pending"), ("pending", "delivered")):
        change(make_certificate(story, state=state), Kind.STATE, state=before)
    change(make_certificate(story, state="delivered"), Kind.DELIVERED, state="pending")
    change(make_certificate(story, withdrawn_at=YESTERDAY), Kind.WITHDRAWN)
    new(make_story(cast.other), firstname="Retail")
    # New: 2 delivered, 1 pending. One more delivered for a pending one. Withdrawn: 1 delivered.
    assert deltas(viewer) == {
        "Certificates": "+2", "Delivered": "+2", "Pending": "no change", "Pending over 7 days": "3 of them",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("state", "gone", "changes", "expected"),
    [
        ("delivered", True, [(Kind.DELIVERED, "pending"), (Kind.WITHDRAWN, "")], ("−1", "no change", "−1")),
        ("delivered", False, [(Kind.RETURNED, ""), (Kind.DELIVERED, "pending")], ("+1", "+1", "no change")),
        ("pending", False, [(Kind.WITHDRAWN, ""), (Kind.RETURNED, "")], ("no change",) * 3),
        ("pending", True, [(Kind.RETURNED, ""), (Kind.OUTSIDE, "")], ("no change",) * 3),
        ("delivered", False, [(Kind.STATE, "delivered"), (Kind.DELIVERED, "pending")], ("no change",) * 3),
    ],
)
def test_several_changes_of_one_certificate_are_told_by_their_outcome(state, gone, changes, expected, viewer, cast):
    one = make_certificate(make_story(cast.demo), state=state, withdrawn_at=NOW if gone else None)
    make_certificate(one.story)  # so that there are numbers at all
    for hours, (kind, before) in enumerate(changes):
        change(one, kind, YESTERDAY + timedelta(hours=hours), **({"state": before} if before else {}))
    told = deltas(viewer)
    assert (told["Certificates"], told["Delivered"], told["Pending"]) == expected


def test_the_overdue_tile_tells_how_many_became_so_this_week(viewer, cast):
    story = make_story(cast.demo)
    for days in (1, 8, 12, 30):
        make_certificate(story, state="pending", at=NOW - timedelta(days=days))
    tile = viewer.get("/").context["tiles"][3]
    assert (tile["number"], figures(tile["delta"])[0]) == ("3", 2)


# -- Charts and cards -------------------------------------------------------------------------------------------


def test_every_age_leads_to_exactly_its_rows_and_they_are_all_that_is_pending(viewer, cast):
    story = make_story(cast.demo)
    for days in (-3, 0, 6, 7, 13, 14, 29, 30, 89, 90, 400):
        make_certificate(story, state="pending", at=NOW - timedelta(days=days, seconds=90))
    make_certificate(story)
    bars = viewer.get("/").context["ages"].bars
    assert [bar.pending for bar in bars] == [3, 2, 2, 2, 2]
    for bar in bars:
        assert page_of(viewer, bar.url.partition("?")[2]).context["rows"] == bar.pending, bar.label


def test_the_ages_are_a_file_too(viewer, cast):
    make_certificate(make_story(cast.demo), state="pending", at=MONTH_AGO - timedelta(hours=1))
    rows = text_of(viewer.get("/?_export=csv&_table=ages")).splitlines()
    assert rows[0].endswith("pending for,pending")
    assert rows[1:] == ["under 7 days,0", "7 to 13 days,0", "14 to 29 days,0", "30 to 89 days,1", "90 days or more,0"]
    assert viewer.get("/?_export=csv&_table=nonsense").status_code == 400


def test_the_stories_with_most_pending_come_first_and_lead_to_those_rows(viewer, cast):
    for number in range(7):
        story = make_story(cast.demo, f"Story {number}", f"ID{number}")
        for _ in range(number):
            make_certificate(story, state="pending")
        make_certificate(story)
    stories = viewer.get("/").context["stories"]
    assert [(one["story"].name, one["pending"]) for one in stories] == [(f"Story {n}", n) for n in (6, 5, 4, 3, 2)]
    for one in stories:
        there = viewer.get(one["pending_url"])
        assert (there.context["ignored"], there.context["rows"]) == ([], one["pending"])


# -- Since the last visit ---------------------------------------------------------------------------------------


def opened(client, monkeypatch, at, **headers):
    """The overview as opened at a moment; its `since`."""
    monkeypatch.setattr("django.utils.timezone.now", lambda: at)
    return client.get("/", headers=headers).context["since"]


def test_since_is_the_last_opening_of_the_visit_before(viewer, monkeypatch):
    def at(minutes):
        return opened(viewer, monkeypatch, NOW + timedelta(minutes=minutes))

    assert [at(0), at(20), at(45)] == [None, None, None]  # one visit
    assert [at(90), at(119)] == [NOW + timedelta(minutes=45)] * 2
    assert at(150) == NOW + timedelta(minutes=119)


def test_only_who_opens_the_page_is_on_a_visit(viewer, cast, monkeypatch):
    for headers in ({"hx-request": "true"}, {"x-background": "1"}, {"sec-purpose": "prefetch"}):
        assert opened(viewer, monkeypatch, NOW, **headers) is None
    viewer.head("/")
    b"".join(viewer.get("/?_export=csv"))
    viewer.get("/certificates/")
    cast.viewer.refresh_from_db()
    assert cast.viewer.visited_at is None
    opened(viewer, monkeypatch, NOW)
    cast.viewer.refresh_from_db()
    assert cast.viewer.visited_at == NOW


def test_a_visit_is_noted_once_the_page_is_answered(viewer, cast, monkeypatch):
    """The note may have to wait for a sync that writes, and nobody waits for the note."""
    real, when_answered = viewer.handler.get_response, []

    def get_response(request):
        response = real(request)
        when_answered.append(User.objects.get(pk=cast.viewer.pk).visited_at)
        return response

    monkeypatch.setattr(viewer.handler, "get_response", get_response)
    opened(viewer, monkeypatch, NOW)
    assert (when_answered, User.objects.get(pk=cast.viewer.pk).visited_at) == ([None], NOW)


def test_what_is_new_since_then_is_counted_as_it_is_listed(viewer, cast):
    story = make_story(cast.demo)
    User.objects.update(visited_at=NOW - timedelta(days=2))
    new(story), new(story), new(story, withdrawn_at=NOW)
    new(story, at=MONTH_AGO)
    change(make_certificate(story), Kind.WITHDRAWN)  # and returned
    for kind in (Kind.DELIVERED, Kind.LINK, Kind.LINK, Kind.WITHDRAWN):
        change(make_certificate(story, withdrawn_at=NOW if kind == Kind.WITHDRAWN else None), kind)
    twice = make_certificate(story)
    change(twice, Kind.DELIVERED), change(twice, Kind.DELIVERED)
    change(make_certificate(story), Kind.LINK, MONTH_AGO)
    news = viewer.get("/").context["news"]
    assert [(one["count"], one["words"]) for one in news] == [
        (2, "new certificates"), (2, "now delivered"), (1, "withdrawn"), (2, "links changed"),
    ]  # fmt: skip
    for one in news:
        assert page_of(viewer, unescape(one["url"]).partition("?")[2]).context["rows"] == one["count"], one["words"]


def test_a_first_visit_and_a_visit_without_news_say_so(viewer, cast, monkeypatch):
    make_certificate(make_story(cast.demo))
    assert "This is your first visit." in words_of(viewer.get("/"))
    opened(viewer, monkeypatch, NOW + timedelta(hours=1))
    assert "Nothing new since then." in words_of(viewer.get("/"))


# -- Queries ----------------------------------------------------------------------------------------------------


def queries(client):
    cache.clear()
    with CaptureQueriesContext(connection) as counted:
        assert client.get("/").status_code == 200
    return len(counted)


def fill(app, rows):
    world.make_many(app, rows, [make_story(app, f"Story {number}", f"ID{number}") for number in range(rows // 2)])
    make_run(app)
    for certificate in Certificate.objects.filter(app=app, state=State.DELIVERED):
        change(certificate, Kind.DELIVERED, state="pending")


def test_the_overview_asks_as_much_of_many_rows_and_apps_as_of_few(client, cast):
    client.force_login(cast.superuser)
    client.get("/")
    User.objects.update(visited_before=MONTH_AGO)
    fill(cast.demo, 4)
    few = queries(client)
    for number in range(4):
        fill(make_app(f"app-{number}"), 60)
    assert queries(client) == few <= 25
