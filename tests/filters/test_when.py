"""Filters by days, moments and changes."""

from datetime import UTC, datetime, timedelta

import pytest
from django.http import QueryDict
from django.utils import timezone

from certdash.models import Change
from tests.filters.filtering import found, ignored
from tests.world import NOW, make_certificate, make_run, make_story

pytestmark = pytest.mark.django_db


@pytest.fixture
def nights(demo):
    """Around the midnights of the day when Berlin's clocks go back, in UTC."""
    story = make_story(demo)
    for number, at in enumerate(["24T21:59:59.999", "24T22:00:00", "25T22:59:59.999", "25T23:00:00"]):
        make_certificate(story, telephone=f"{number}", at=datetime.fromisoformat(f"2026-10-{at}+00:00"))


@pytest.mark.parametrize(
    ("zone", "query", "meant"),
    [
        ("Europe/Berlin", "awarded_from=2026-10-25", ["1", "2", "3"]),
        ("Europe/Berlin", "awarded_to=2026-10-25", ["0", "1", "2"]),
        ("Europe/Berlin", "awarded_from=2026-10-25&awarded_to=2026-10-25", ["1", "2"]),
        ("UTC", "awarded_from=2026-10-25", ["2", "3"]),
        ("UTC", "awarded_to=2026-10-24", ["0", "1"]),
        ("Asia/Tokyo", "awarded_from=2026-10-25&awarded_to=2026-10-25", ["0", "1"]),
        ("Europe/Berlin", "awarded_from=2026-10-26&awarded_to=2026-10-25", []),
        ("Europe/Berlin", "awarded_from=0002-01-01&awarded_to=9998-12-31", ["0", "1", "2", "3"]),
    ],
)
def test_days_are_inclusive_in_the_readers_time_zone(zone, query, meant, nights):
    with timezone.override(zone):
        assert found(query) == meant


@pytest.fixture
def changed(demo):
    """Certificates by what happened to them, a day ago."""
    story, run, yesterday = make_story(demo), make_run(demo), NOW - timedelta(days=1)
    kinds = ["delivered", "withdrawn", "returned", "link", "details"]
    for kind in kinds:
        gone = yesterday if kind == "withdrawn" else None
        one = make_certificate(story, telephone=kind, withdrawn_at=gone)
        Change.objects.create(app=demo, run=run, story=story, certificate=one, kind=kind, seen_at=yesterday)
    make_certificate(story, telephone="new", initial=False, first_seen_at=yesterday)
    make_certificate(story, telephone="initial", initial=True)


@pytest.mark.parametrize("kind", ["new", "delivered", "withdrawn", "returned", "link"])
def test_a_change_finds_what_it_happened_to(kind, changed):
    assert found(f"change={kind}") == [kind]


@pytest.mark.parametrize("hours", [23, 25])
def test_changes_can_be_asked_for_from_a_moment_on(hours, changed):
    moment = QueryDict(mutable=True)
    moment["changed_from"] = (NOW - timedelta(hours=hours)).isoformat()
    for kind in ("new", "delivered", "withdrawn"):
        assert found(f"change={kind}&{moment.urlencode()}") == ([kind] if hours > 24 else [])
    assert found(moment.urlencode()) == (["delivered", "link", "new", "returned", "withdrawn"] if hours > 24 else [])


def test_several_kinds_of_change_are_alternatives(changed):
    assert found("change=new&change=delivered") == ["delivered", "new"]
    assert found("change=withdrawn&change=link") == ["link", "withdrawn"]
    assert found("change=withdrawn&withdrawn=hide") == []


def test_a_moment_without_an_offset_is_the_readers(demo):
    make_certificate(make_story(demo), initial=False, first_seen_at=datetime(2026, 7, 1, 10, 30, tzinfo=UTC))
    with timezone.override("Europe/Berlin"):
        assert len(found("change=new&changed_from=2026-07-01T12:30")) == 1
        assert len(found("change=new&changed_from=2026-07-01T12:31")) == 0
        assert len(found("change=new&changed_from=2026-07-01T10:30Z")) == 1


def test_ids_are_ours_and_at_most_two_hundred(demo):
    story = make_story(demo)
    pks = [make_certificate(story, telephone=f"{number}").pk for number in range(3)]
    assert found(f"id={pks[0]}&id={pks[2]}") == ["0", "2"]
    many = [f"id={10**9 + number}" for number in range(200)]
    assert ignored("&".join(many)) == []
    assert ignored("&".join([*many, "id=7"])) == ["id=7"]
