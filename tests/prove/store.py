"""An installation's database, looked at and set by hand beside the processes that use it."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from tests.support.installation import Installation
from tests.support.stored import is_whole, query
from tests.sync.truth import Fact, Person

TABLES = ("certificate", "learner", "story", "membership", "change", "syncrun")
_LIVE = "c.withdrawn_at IS NULL AND c.out_of_scope_at IS NULL"
_OF_APP = "JOIN certdash_app a ON a.id = c.app_id AND a.slug = '{}'"
_FACT = """s.vendor_id, s.name, s.type, c.firstname, c.lastname, c.email, c.telephone, c.country, c.city,
    CASE c.state WHEN 'other' THEN c.state_sent ELSE c.state END, c.timestamp, c.url"""


class Store:
    """The database of an installation."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        """The rows of one statement."""
        return query(self._installation, statement)

    def facts(self, slug: str) -> Counter[Fact]:
        """Every live certificate of an app, each as often as it is stored."""
        joined = "certdash_certificate c JOIN certdash_story s ON s.id = c.story_id"
        rows = self.ask(f"SELECT {_FACT} FROM {joined} {_OF_APP.format(slug)} WHERE {_LIVE}")
        return Counter(map(_fact, rows))

    def members(self, slug: str) -> dict[str, set[Person]]:
        """Who of those with a live certificate is in each group of an app now."""
        rows = self.ask(
            f"""SELECT g.name, {_FACT} FROM certdash_group g
            JOIN certdash_membership m ON m.group_id = g.id AND m.until IS NULL
            JOIN certdash_certificate c ON c.learner_id = m.learner_id AND {_LIVE}
            JOIN certdash_story s ON s.id = c.story_id {_OF_APP.format(slug)}"""
        )
        members: dict[str, set[Person]] = {}
        for name, *row in rows:
            members.setdefault(name, set()).add(_fact(row).person)
        return members

    def pks(self) -> dict[str, set[int]]:
        """By table, what is there."""
        return {table: {pk for (pk,) in self.ask(f"SELECT id FROM certdash_{table}")} for table in TABLES}

    def end_leases(self) -> None:
        """As if the time had passed after which a run without a sign of life is taken for dead."""
        self.ask("UPDATE certdash_syncrun SET lease_until = '2001-01-01 00:00:00+00:00' WHERE status = 'running'")

    def assert_sound(self) -> None:
        """Nothing in the file is damaged and no row refers to nothing; a server would not let either happen."""
        assert is_whole(self._installation)


def _fact(row: Sequence[Any]) -> Fact:
    return Fact._make([*row[:10], _moment(row[10]), row[11]])


def _moment(value: str | datetime) -> datetime:
    if isinstance(value, str):
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    return value.astimezone(UTC)
