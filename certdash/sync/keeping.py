"""What is kept of what comes: nothing of erased learners, and telephones only where an app stores them."""

import hashlib
from collections.abc import Iterable

from msgspec.structs import replace

from certdash.falkor import Row
from certdash.models import App, Erasure, Learner

from .plan import identity_in


def identities(row: Row) -> tuple[str, ...]:
    """All under which somebody in this row may have been erased, whatever telephones meant to the app at that time."""
    if row.email.strip():
        return (Learner.identity_by_email(row.email),)
    place = row.country, row.city
    return (
        Learner.identity_by_person(row.firstname, row.lastname, row.telephone, *place),
        Learner.identity_by_name(row.firstname, row.lastname, *place),
    )


class Erased:
    """The erased learners of an app; costs nothing a row where there are none."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._last = 0
        self._digests: set[str] = set()
        self._read()

    def _read(self) -> bool:
        newer = Erasure.objects.filter(app=self._app, pk__gt=self._last).order_by("pk").values_list("pk", "digest")
        before = self._last
        for pk, digest in newer:
            self._last = pk
            self._digests.add(digest)
        return self._last != before

    def __bool__(self) -> bool:
        return bool(self._digests)

    def has(self, identity: str) -> bool:
        return bool(self._digests) and Erasure.digest_of(self._app, identity) in self._digests

    def covers(self, row: Row) -> bool:
        """Whether the row is about somebody who was erased."""
        return any(map(self.has, identities(row)))

    def stamp(self) -> str:
        """Another one for other erasures; empty without any."""
        return hashlib.sha256("".join(sorted(self._digests)).encode()).hexdigest() if self._digests else ""


class Keeping(Erased):
    """The same for one run, with what its app keeps of a row."""

    def __init__(self, app: App) -> None:
        super().__init__(app)
        self.identity = identity_in(app)
        self._telephones = app.stores_telephones
        self.has_grown = False  # since the run began
        # Bytes that were applied while something else was kept of them have to be compared again.
        self.rules = f"{self._telephones} {app.tells_by_telephone} {self.stamp()}"

    def look_again(self) -> bool:
        """In a transaction that holds the app's row: whether somebody was erased since the run began."""
        self.has_grown |= self._read()
        return self.has_grown

    def of(self, rows: list[Row]) -> list[Row]:
        """The rows as they are kept."""
        if self:
            rows = [row for row in rows if not self.covers(row)]
        return rows if self._telephones else list(_without_telephones(rows))


def _without_telephones(rows: Iterable[Row]) -> Iterable[Row]:
    return (replace(row, telephone="") if row.telephone else row for row in rows)
