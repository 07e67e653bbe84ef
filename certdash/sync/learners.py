"""Who the rows are about: learners, with the name and search text that all their rows tell."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from certdash.falkor import Row
from certdash.models import App, Certificate, Learner
from certdash.models.text import fold, sort_bytes

from . import bulk

ROW = ("firstname", "lastname", "email", "telephone", "country", "city", "state", "timestamp", "url")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Told(NamedTuple):
    """What rows tell of a learner: name and e-mail of the newest (ties: the smaller text), all to search in."""

    name: str
    email: str
    named_at: datetime
    search: str
    sort_name: bytes

    @classmethod
    def by(cls, rows: Iterable[Row]) -> "_Told":
        return cls._newest([cls._one(row) for row in rows])

    @classmethod
    def _one(cls, row: Row) -> "_Told":
        name = f"{row.firstname} {row.lastname}".strip()
        search = fold(f"{name} {row.email}")
        return cls(name, row.email, row.timestamp, search, sort_bytes(row.firstname, row.lastname, row.email))

    @classmethod
    def _newest(cls, told: Sequence["_Told"]) -> "_Told":
        newest = min(told, key=lambda one: (_EPOCH - one.named_at, one.name, one.email, one.sort_name))
        lines = {line for one in told for line in one.search.split("\n")}
        return newest._replace(search="\n".join(sorted(lines)))

    def and_(self, more: "_Told") -> "_Told":
        """As if all rows had been read at once."""
        return self._newest([self, more])


def teach_learners(app: App, rows: Iterable[tuple[str, Row]]) -> dict[str, int]:
    """The pk by identity of everybody in these rows; creates who is new and teaches names to who is known."""
    by_identity: dict[str, list[Row]] = {}
    for identity, row in rows:
        by_identity.setdefault(identity, []).append(row)
    known = _known(app, by_identity)
    told = {identity: _Told.by(some) for identity, some in by_identity.items()}
    new = [identity for identity in told if identity not in known]
    bulk.insert(Learner, ("app", "identity", *_Told._fields), ((app.pk, one, *told[one]) for one in new))
    changed = []
    for identity, learner in known.items():
        stored = _Told(learner.name, learner.email, learner.named_at, learner.search, bytes(learner.sort_name))
        if (merged := stored.and_(told[identity])) != stored:
            changed.append((*merged, learner.pk))
    bulk.update(Learner, (*_Told._fields, "id"), changed)
    return {identity: learner.pk for identity, learner in (known | _known(app, new)).items()}


def rename_learners(pks: Iterable[int]) -> None:
    """State names anew from all rows, where a row that told them says something else now."""
    for some in bulk.chunks(pks):
        by_learner: dict[int, list[Row]] = {}
        rows = Certificate.objects.filter(learner__in=some).values_list("learner", *ROW)
        for learner, *row in rows.iterator():
            by_learner.setdefault(learner, []).append(Row(*row))
        bulk.update(Learner, (*_Told._fields, "id"), ((*_Told.by(told), pk) for pk, told in by_learner.items()))


def learner_pks(app: App, identities: Iterable[str]) -> set[int]:
    """The pks of those among these identities who are known."""
    return {learner.pk for learner in _known(app, identities).values()}


def _known(app: App, identities: Iterable[str]) -> dict[str, Learner]:
    known: dict[str, Learner] = {}
    for some in bulk.chunks(identities):
        known |= {one.identity: one for one in Learner.objects.filter(app=app, identity__in=some)}
    return known
