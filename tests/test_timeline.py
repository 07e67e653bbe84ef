"""What was seen of a person: the card on their page, and all of it on a page of its own."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from certdash.models import Change, Membership
from certdash.models.group import track_groups
from certdash.timeline import timeline
from tests import world
from tests.reading import text_of
from tests.world import NOW, make_certificate, make_group, make_learner, make_run, make_story

pytestmark = pytest.mark.django_db
Kind = Change.Kind


@pytest.fixture
def viewer(client, cast):
    client.force_login(cast.viewer)
    return client


@pytest.fixture
def certificate(cast):
    return make_certificate(make_story(cast.demo))


def ago(hours):
    return NOW - timedelta(hours=hours)


def change(certificate, kind, at, run=None, before=None, after=None):
    Change.objects.create(
        app=certificate.app, run=run, story=certificate.story, certificate=certificate, kind=kind, seen_at=at,
        before=before or {}, after=after or {},
    )  # fmt: skip


def join(group, learner, **when):
    """Somebody who was not among the first."""
    Membership.objects.create(group=group, learner=learner, initial=False, **when)


def told(learner, first=0, many=50):
    return [(event.badge.label, event.name) for event in timeline(learner, first, many)]


def test_all_that_was_seen_is_told_newest_first(cast, certificate):
    other = make_certificate(make_story(cast.demo, "Fire drill", "B"), initial=False, first_seen_at=ago(30))
    change(certificate, Kind.DELIVERED, ago(40))
    change(other, Kind.WITHDRAWN, ago(20))
    change(other, Kind.RETURNED, ago(10))
    group = make_group(cast.demo, "Managers", make_learner(cast.demo, "Ben", "Ek", "ben@example.com"))
    join(group, certificate.learner, since=ago(35), until=ago(5))
    assert told(certificate.learner) == [
        ("Left", "Managers"), ("Returned", "Fire drill"), ("Withdrawn", "Fire drill"), ("New", "Fire drill"),
        ("Joined", "Managers"), ("Delivered", "Fire safety"),
    ]  # fmt: skip


def test_what_was_there_when_first_asked_for_is_no_event(cast, certificate):
    make_group(cast.demo, "Managers", certificate.learner)
    assert told(certificate.learner) == []


def test_a_group_that_is_no_longer_tracked_was_not_left(cast, certificate):
    group = make_group(cast.demo, "Managers", certificate.learner)
    track_groups(cast.demo, [])
    assert told(certificate.learner) == [("No longer tracked", "Managers")]
    track_groups(cast.demo, ["Managers"])
    join(group, certificate.learner, since=NOW)
    assert told(certificate.learner) == [("No longer tracked", "Managers"), ("Joined", "Managers")]


def test_others_changes_are_not_told(cast, certificate):
    someone = make_certificate(
        certificate.story, firstname="Ben", lastname="Ek", email="ben@example.com", initial=False
    )
    change(someone, Kind.LINK, NOW)
    assert told(certificate.learner) == []


def test_parts_of_the_timeline_make_up_the_whole(cast, certificate):
    group = make_group(cast.demo, "Managers", make_learner(cast.demo, "Ben", "Ek", "ben@example.com"))
    for number in reversed(range(12)):
        change(certificate, Kind.LINK, ago(number * 5))
        begins = ago(number * 7 + 4)
        join(group, certificate.learner, since=begins, until=begins + timedelta(1))
    whole = timeline(certificate.learner, 0, 100)
    assert len(whole) == 36
    assert [event.at for event in whole] == sorted((event.at for event in whole), reverse=True)
    parts = [event for first in range(0, 36, 5) for event in timeline(certificate.learner, first, 5)]
    assert [(one.at, one.badge) for one in parts] == [(one.at, one.badge) for one in whole]


# -- The pages --------------------------------------------------------------------------------------------------


def test_the_page_says_what_changed_and_in_which_run(viewer, cast, certificate):
    run = make_run(cast.demo)
    change(
        certificate, Kind.LINK, NOW, run,
        before={"url": "https://old.example/1"}, after={"url": "javascript:alert(1)"},
    )  # fmt: skip
    response = viewer.get(f"/people/{certificate.learner_id}/")
    html = response.content.decode()
    assert "Link https://old.example/1 , in a new window → became javascript:alert(1)" in text_of(response)
    assert 'href="https://old.example/1"' in html
    assert 'href="javascript' not in html
    assert f'href="/apps/demo/runs/{run.pk}/"' in html


def test_the_vendors_words_are_isolated_and_escaped(viewer, certificate):
    change(certificate, Kind.DETAILS, NOW, before={"city": "<b>Lima"}, after={"city": "\u202eamiL"})
    html = viewer.get(f"/people/{certificate.learner_id}/timeline/").content.decode()
    assert '<bdi title="&lt;b&gt;Lima">&lt;b&gt;Lima</bdi>' in html
    assert "\u202eamiL</bdi>" in html


def test_a_person_of_whom_nothing_changed_says_so(viewer, certificate):
    said = text_of(viewer.get(f"/people/{certificate.learner_id}/"))
    assert "Nothing has changed since this person was first seen." in said


def test_the_card_shows_five_and_leads_to_all_in_pages(viewer, certificate):
    for number in range(120):
        change(certificate, Kind.LINK, ago(number))
    page = viewer.get(f"/people/{certificate.learner_id}/")
    assert len(page.context["events"]) == 5
    path = f"/people/{certificate.learner_id}/timeline/"
    assert f'href="{path}"' in page.content.decode()
    pages = [viewer.get(f"{path}?page={number}").context for number in (1, 2, 3)]
    assert [len(one["events"]) for one in pages] == [50, 50, 20]
    assert [(one["newer"], one["older"]) for one in pages] == [(0, 2), (1, 3), (2, None)]
    assert viewer.get(f"{path}?page=nonsense&x=1").context["ignored"] == ["page=nonsense", "x=1"]


def test_the_breakdown_and_the_weeks_of_a_person_are_of_their_certificates(viewer, cast, certificate):
    second = make_certificate(make_story(cast.demo, "Fire drill", "B"), state="pending")
    make_certificate(certificate.story, firstname="Ben", email="ben@example.com")
    context = viewer.get(f"/people/{certificate.learner_id}/").context
    lines = {line["name"]: (line["counts"].delivered, line["counts"].pending) for line in context["breakdown"]}
    assert lines == {"Fire safety": (1, 0), "Fire drill": (0, 1)}
    assert sum(row.delivered + row.pending for row in context["chart"].rows) == 2
    for line in context["breakdown"]:
        assert viewer.get(line["url"]).context["rows"] == 1
    assert second.learner_id == certificate.learner_id


def test_the_timeline_asks_as_much_of_many_changes_as_of_one(viewer, cast, certificate):
    def queries():
        cache.clear()
        with CaptureQueriesContext(connection) as counted:
            viewer.get(f"/people/{certificate.learner_id}/timeline/")
        return len(counted)

    def more(number):
        change(certificate, Kind.LINK, ago(number), make_run(cast.demo))
        group = make_group(cast.demo, f"Group {number}", make_learner(cast.demo, email=f"{number}@example.com"))
        join(group, certificate.learner, since=ago(2))
        make_certificate(world.make_story(cast.demo, f"S{number}", f"{number}"), initial=False)

    viewer.get("/healthz")
    more(1)
    few = queries()
    for number in range(2, 12):
        more(number)
    assert queries() == few <= 12
