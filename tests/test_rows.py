"""What rows show, where it is worked out in a cheaper way than Django's own."""

from datetime import UTC, datetime, timedelta

import pytest
from django.template import Context, Template
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.functional import lazy
from django.utils.timesince import timesince

from certdash.models import Badge
from certdash.rows import ago, person_url, share_bar

MINUTE = timedelta(minutes=1)


def test_a_person_is_where_the_addresses_say():
    assert person_url(7) == reverse("person", args=[7])


@pytest.mark.parametrize("now", [datetime(2024, 3, 31, 12, 30, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)])
def test_a_time_ago_is_told_as_django_tells_it(now):
    spans = [60, 119, 3599, 3600, 86_399, 86_400, 7 * 86_400 - 1, *(86_400 * days + 1 for days in range(1, 800))]
    for seconds in spans:
        then = now - timedelta(seconds=seconds)
        assert ago(then, now) == timesince(then, now, depth=1).replace("\xa0", " "), seconds
    assert ago(now - MINUTE / 2, now) == "less than a minute"


def test_a_badge_is_looked_up_without_its_label_being_translated():
    def translated():
        raise AssertionError("for every row of a page")

    badge = Badge("pending", "clock", lazy(translated, str)())
    assert {badge: "found"}[badge] == "found"


@pytest.mark.parametrize(
    ("delivered", "pending", "percent"), [(0, 1, 0), (1, 999, 0), (2, 1, 66), (999, 1, 99), (1, 0, 100)]
)
def test_a_share_is_a_hundred_percent_only_when_nothing_is_pending(delivered, pending, percent):
    assert share_bar(delivered, pending).percent == percent


def shown(at):
    return Template("{% moment at %}").render(Context({"at": at}))


def test_a_moment_that_was_shown_before_is_shown_in_each_readers_zone_and_language():
    at = datetime(2026, 5, 3, 23, 30, tzinfo=UTC)
    with timezone.override("Asia/Tokyo"):
        assert "4 May 2026" in shown(at)
    with timezone.override("UTC"):
        assert "3 May 2026" in shown(at)
        with translation.override("de"):
            assert "3 Mai 2026" in shown(at)
    assert shown(None) == ""
