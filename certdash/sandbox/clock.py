"""The moment that the fake vendor shows."""

from datetime import UTC, datetime, timedelta

#: How far from its origin a world can be shown.
REACH = timedelta(days=3660)


class Clock:
    """Real time, until it is set to a moment and stands still there."""

    def __init__(self, frozen: datetime | None = None) -> None:
        self.frozen = frozen

    def now(self) -> datetime:
        """The moment to show, aware."""
        return self.frozen or datetime.now(UTC)
