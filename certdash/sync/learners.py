"""Who the rows are about: learners, with the name and search text that all their rows tell."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from certdash.falkor import Row
from certdash.models import App, Certificate, Learner
from certdash.models.text import fold, sort_bytes

from . import bulk

ROW = ("firstname", "lastname", "email", "telephone", "country", "city", "state", "timestamp", "url")


class _Told(NamedTuple):
    """What rows tell of a learner: name and e-mail of the newest (ties: the smaller text), all to search in."""

    name: str
    email: str
    search: str
    sort_name: bytes


def _told(rows: Sequence[Row]) -> _Told:
    if len({(row.firstname, row.lastname, row.email) for row in rows}) > 1:
        newest = max(row.timestamp for row in rows)
        name, email, sort_name = min(_names(row) for row in rows if row.timestamp == newest)
        lines = {_line(row) for row in rows}
        return _Told(name, email, "\n".join(sorted(lines)), sort_name)
    name, email, sort_name = _names(rows[0])
    return _Told(name, email, _line(rows[0]), sort_name)


def _names(row: Row) -> tuple[str, str, bytes]:
    return _name(row), row.email, sort_bytes(row.firstname, row.lastname, row.email)


def _name(row: Row) -> str:
    return f"{row.firstname} {row.lastname}".strip()


def _line(row: Row) -> str:
    return fold(f"{_name(row)} {row.email}")


def teach_learners(app: App, rows: Iterable[tuple[str, Row]]) -> tuple[dict[str, int], set[int]]:
    """The pk by identity of everybody in these rows, and who of them is told another name than known.

    Creates who is new. The names of the others are stated anew once the rows are stored: `rename_learners`.
    """
    by_identity: dict[str, list[Row]] = {}
    for identity, row in rows:
        by_identity.setdefault(identity, []).append(row)
    pks: dict[str, int] = {}
    renamed: set[int] = set()
    for identity, pk, name, email in _known(app, by_identity, "name", "email"):
        pks[identity] = pk
        if any(row.email != email or _name(row) != name for row in by_identity[identity]):
            renamed.add(pk)
    new = {identity: told for identity, told in by_identity.items() if identity not in pks}
    bulk.insert(
        Learner, ("app", "identity", *_Told._fields), ((app.pk, one, *_told(told)) for one, told in new.items())
    )
    pks.update(_known(app, new))
    return pks, renamed


def rename_learners(pks: Iterable[int]) -> None:
    """State names anew from all stored rows of these learners."""
    for some in bulk.chunks(pks):
        by_learner: dict[int, list[Row]] = {}
        rows = Certificate.objects.filter(learner__in=some).values_list("learner", *ROW)
        for learner, *row in rows.iterator():
            by_learner.setdefault(learner, []).append(Row(*row))
        bulk.update(Learner, (*_Told._fields, "id"), ((*_told(told), pk) for pk, told in by_learner.items()))


def rows_of(learner: int) -> Iterator[Row]:
    """All stored rows of this learner (pk), withdrawn ones too; an undocumented state is told as `other`."""
    return (Row(*row) for row in Certificate.objects.filter(learner=learner).values_list(*ROW).iterator())


def learner_pks(app: App, identities: Iterable[str]) -> set[int]:
    """The pks of those among these identities who are known."""
    return {pk for _, pk in _known(app, identities)}


def _known(app: App, identities: Iterable[str], *names: str) -> Iterable[tuple[Any, ...]]:
    """Identity, pk and the named fields of those who are known."""
    for some in bulk.chunks(identities, bulk.PART):
        yield from bulk.find(Learner, app.pk, "identity", some, ("identity", "id", *names))
