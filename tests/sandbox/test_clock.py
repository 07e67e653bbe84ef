"""The fake vendor's clock."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.sandbox.conftest import NOW


def shown(vendor):
    return vendor.call("GET", "/sandbox/clock").json()


def test_a_set_clock_stands_still_and_moves_the_answers(vendor):
    before = vendor.ask().json()
    assert before["hash"] == vendor.ask().json()["hash"]
    later = (NOW + timedelta(days=3)).isoformat()
    assert vendor.set_clock(later).json() == {"now": later, "frozen": True}
    assert shown(vendor) == {"now": later, "frozen": True}
    assert vendor.ask().json()["hash"] != before["hash"]


def test_null_returns_to_real_time(vendor):
    vendor.set_clock(None)
    state = shown(vendor)
    assert not state["frozen"]
    assert abs(datetime.fromisoformat(state["now"]) - datetime.now(UTC)) < timedelta(minutes=1)


def test_before_the_first_award_there_are_stories_without_certificates(vendor):
    vendor.set_clock("2025-01-01T00:00:00Z")
    data = vendor.data()
    assert len(data) == 24
    assert not any(element["certificates"] for element in data)


@pytest.mark.parametrize(
    "now", ["tomorrow", "2026-03-02T10:00:00", 5, {}, "0001-01-01T00:00:00+02:00", "9999-12-31T23:59:59Z"]
)
def test_a_senseless_moment_is_refused_and_changes_nothing(vendor, now):
    answer = vendor.set_clock(now)
    assert (answer.status_code, answer.json()["status"]) == (400, "error")
    assert shown(vendor)["now"] == NOW.isoformat()


def test_a_call_without_a_moment_is_refused(vendor):
    assert vendor.call("POST", "/sandbox/clock").status_code == 400
    assert vendor.call("DELETE", "/sandbox/clock").status_code == 405
