"""What counts as delivered where a state that nobody documented comes in between, and how long that took."""

from datetime import UTC, datetime, timedelta

import pytest

from certdash.models import Certificate, Change
from tests.falkor.vendors import row
from tests.sync.vendor import Vendor, story

Kind = Change.Kind
MONDAY = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("states", "kinds", "days"),
    [
        ("pending delivered", (Kind.DELIVERED,), 1),
        ("pending printed delivered", (Kind.STATE, Kind.DELIVERED), 2),
        ("pending printed posted delivered", (Kind.STATE, Kind.STATE, Kind.DELIVERED), 3),
        ("printed pending posted delivered", (Kind.STATE, Kind.STATE, Kind.DELIVERED), 2),
        ("delivered revoked delivered", (Kind.STATE, Kind.STATE), None),
        ("pending delivered revoked delivered", (Kind.DELIVERED, Kind.STATE, Kind.STATE), 1),
        ("printed delivered", (Kind.STATE,), None),
    ],
)
def test_what_was_pending_at_last_is_delivered_however_many_states_come_between(
    states: str, kinds: tuple[Kind, ...], days: int | None, vendor: Vendor
) -> None:
    for number, state in enumerate(states.split()):
        vendor.sync(story(row(certificate={"state": state})), at=MONDAY + number * DAY)
    assert tuple(Change.objects.order_by("pk").values_list("kind", flat=True)) == kinds
    assert Certificate.objects.get().delivered_after == (None if days is None else days * DAY)
