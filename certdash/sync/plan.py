"""What an answer means for what is stored: pure, no clock, no database.

The rules by which rows of two answers are the same are those of the vendor's data: stories have IDs that may occur
twice, certificates have none at all. No rule depends on the order in which rows come.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from certdash.falkor import Row
from certdash.models import App, Change, Learner, State, Story

Kind = Change.Kind
_PERSON = ("firstname", "lastname", "email", "telephone", "country", "city")


Identity = Callable[[Row], str]


def learner_identity(row: Row) -> str:
    """Who a row is about, within an app: by e-mail, else by everything else the row says of the person."""
    if row.email.strip():
        return Learner.identity_by_email(row.email)
    return Learner.identity_by_person(row.firstname, row.lastname, row.telephone, row.country, row.city)


def identity_without_telephone(row: Row) -> str:
    """The same where telephones tell nobody apart."""
    if row.email.strip():
        return Learner.identity_by_email(row.email)
    return Learner.identity_by_name(row.firstname, row.lastname, row.country, row.city)


def identity_in(app: App) -> Identity:
    """How the rows of this app tell who they are about."""
    return learner_identity if app.tells_by_telephone else identity_without_telephone


# -- Stories ----------------------------------------------------------------------------------------------------


class Head(NamedTuple):
    """What an answer says of a story."""

    id: str
    name: str
    type: str

    @property
    def identity(self) -> str:
        return Story.identity_of(self.id, self.name)


class StoredStory(NamedTuple):
    pk: int
    id: str
    identity: str
    withdrawn: bool
    digest: str = ""  # of the bytes that are applied completely, with what they held
    received: int = 0
    repaired: int = 0
    left_out: int = 0


@dataclass
class StoriesPlan:
    """Received heads, each either the same as a stored story or new; and what was not received."""

    same: dict[str, int] = field(default_factory=dict)  # identity of the head → pk
    renamed: dict[str, int] = field(default_factory=dict)  # identity of the head → pk
    new: list[str] = field(default_factory=list)  # identities
    aside: list[str] = field(default_factory=list)  # identities of what a narrow run cannot tell from a rename
    missing: list[int] = field(default_factory=list)  # pks of live stories


def plan_stories(
    stored: Sequence[StoredStory],
    received: Iterable[Head],
    *,
    full: bool,
    complete: bool = True,
    asked: Collection[int] | None = None,
    unsure: Collection[str] = (),
    are_alike: Callable[[Head, StoredStory], bool] = lambda _head, _story: False,
) -> StoriesPlan:
    """Match stories by ID and name; in a full run, what is left over under one ID, one a side, was renamed.

    Only in a full run can a story be missing or renamed: a narrow answer says nothing of those it leaves out, so what
    may be one of them renamed waits for a full one. `asked`: the stories (pks) that the vendor is asked for, where it
    is not for all: of the others none was renamed.

    Where the stored story may only not have come, its rows have to be the received one's: `are_alike`. That is so
    when the answers are not `complete`, for they name no story of which nobody asked for has a certificate; and
    beside what is `unsure`: IDs under which something came that could not be understood, perhaps the stored story, ""
    for one whose ID could not be either.
    """
    plan = StoriesPlan()
    by_identity = {story.identity: story for story in stored}
    left_heads: dict[str, list[Head]] = defaultdict(list)
    for head in received:
        if known := by_identity.pop(head.identity, None):
            plan.same[head.identity] = known.pk
        else:
            left_heads[head.id].append(head)
    left_stored: dict[str, list[StoredStory]] = defaultdict(list)
    for story in by_identity.values():
        if not story.withdrawn:
            left_stored[story.id].append(story)
    for vendor_id, heads in left_heads.items():
        candidates = [story for story in left_stored.get(vendor_id, []) if asked is None or story.pk in asked]
        sure = complete and not {"", vendor_id} & set(unsure)
        if vendor_id and candidates and not full:
            plan.aside += [head.identity for head in heads]
        elif vendor_id and len(heads) == len(candidates) == 1 and (sure or are_alike(heads[0], candidates[0])):
            plan.renamed[heads[0].identity] = candidates[0].pk
            left_stored[vendor_id].remove(candidates[0])
        else:
            plan.new += [head.identity for head in heads]
    if full:
        plan.missing = [story.pk for stories in left_stored.values() for story in stories]
    return plan


# -- Certificates of one story ----------------------------------------------------------------------------------


class Stored(NamedTuple):
    """A stored certificate of the story."""

    pk: int
    row: Row
    gone: bool  # withdrawn, or out of scope
    held: bool  # a held run found it missing


class Update(NamedTuple):
    """A stored certificate that the answer still holds, and what is different about it."""

    pk: int
    learner: str  # identity
    before: Row
    after: Row
    kinds: tuple[Kind, ...]


@dataclass
class CertificatesPlan:
    create: list[tuple[str, Row]] = field(default_factory=list)  # identity of the learner, row
    update: list[Update] = field(default_factory=list)
    found: list[int] = field(default_factory=list)  # unchanged, but no longer missing
    missing: list[Stored] = field(default_factory=list)  # live certificates that were not received


def plan_certificates(
    stored: Iterable[Stored], received: Iterable[Row], identity: Identity = learner_identity
) -> CertificatesPlan:
    """Pair the stored certificates of one story, in order of pk, with the received rows of it, in any order.

    Identical rows are one, and a stored row that was received as it is is itself: so it is for nearly all. The rest
    pairs within a learner: by equal url; by equal timestamp and state; by equal timestamp; then what is pending here
    with what is delivered there, oldest first: that last one is a guess, so nothing that is gone takes part in it.
    """
    plan = CertificatesPlan()
    rows = dict.fromkeys(received)
    left = _pair_identical(stored, rows, plan, identity)
    mine: dict[str, list[Stored]] = defaultdict(list)
    theirs: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        theirs[identity(row)].append(row)
    for one in left:
        mine[identity(one.row)].append(one)
    for learner in sorted(mine.keys() | theirs.keys()):
        _pair_learner(learner, mine.get(learner, []), theirs.get(learner, []), plan)
    return plan


def _pair_identical(
    stored: Iterable[Stored], rows: dict[Row, None], plan: CertificatesPlan, identity: Identity
) -> list[Stored]:
    """Pair what did not change, taking it out of `rows`; returns the stored ones that are left.

    What is live comes before what is gone, and of equals the oldest comes first: `stored` is in order of pk.
    """
    left, gone = [], []
    for one in stored:
        if one.gone:
            gone.append(one)
        elif one.row in rows:
            del rows[one.row]
            if one.held:
                plan.found.append(one.pk)
        else:
            left.append(one)
    for one in gone:
        if one.row in rows:
            del rows[one.row]
            _take(identity(one.row), one, one.row, plan)
        else:
            left.append(one)
    return left


def _pair_learner(learner: str, stored: list[Stored], rows: list[Row], plan: CertificatesPlan) -> None:
    if not stored and len(rows) == 1:  # almost always, when there is news
        plan.create.append((learner, rows[0]))
        return
    stored = sorted(stored, key=lambda one: (one.gone, _order(one.row), one.pk))
    rows = sorted(rows, key=_order)
    for alike in _RULES if stored and rows else ():
        stored, rows = _pair_by(alike, learner, stored, rows, plan)
    waiting = [one for one in stored if one.row.state == State.PENDING and not one.gone]
    arrived = [row for row in rows if row.state == State.DELIVERED]
    for one, row in zip(waiting, arrived, strict=False):
        stored.remove(one)
        rows.remove(row)
        _take(learner, one, row, plan)
    plan.create += [(learner, row) for row in rows]
    plan.missing += [one for one in stored if not one.gone]


def _order(row: Row) -> tuple[Any, ...]:
    return (row.timestamp, row.state, row.url, *(getattr(row, name) for name in _PERSON))


_RULES: tuple[Callable[[Row], Any], ...] = (
    lambda row: row.url or None,
    lambda row: (row.timestamp, row.state),
    lambda row: row.timestamp,
)


def _pair_by(
    alike: Callable[[Row], Any], learner: str, stored: list[Stored], rows: list[Row], plan: CertificatesPlan
) -> tuple[list[Stored], list[Row]]:
    """Pair what is alike, in order; give back what is left. Nothing pairs by None."""
    waiting: dict[Any, list[Row]] = defaultdict(list)
    for row in reversed(rows):
        waiting[alike(row)].append(row)
    left = []
    for one in stored:
        mark = alike(one.row)
        if mark is not None and waiting.get(mark):
            _take(learner, one, waiting[mark].pop(), plan)
        else:
            left.append(one)
    return left, sorted((row for some in waiting.values() for row in some), key=_order)


def _take(learner: str, one: Stored, row: Row, plan: CertificatesPlan) -> None:
    kinds = _kinds(one.row, row)
    if one.gone:
        kinds = (Kind.RETURNED, *kinds)
    plan.update.append(Update(one.pk, learner, one.row, row, kinds))


def _kinds(before: Row, after: Row) -> tuple[Kind, ...]:
    """What is different; a delivery is one change, with the timestamp and link that came with it."""
    if before == after:
        return ()
    kinds = []
    if before.state != after.state:
        first_delivery = (before.state, after.state) == (State.PENDING, State.DELIVERED)
        kinds.append(Kind.DELIVERED if first_delivery else Kind.STATE)
    else:
        if before.url != after.url:
            kinds.append(Kind.LINK)
        if before.timestamp != after.timestamp:
            kinds.append(Kind.TIMESTAMP)
    if any(getattr(before, name) != getattr(after, name) for name in _PERSON):
        kinds.append(Kind.DETAILS)
    return tuple(kinds)


_FIELDS = {
    Kind.DELIVERED: ("state", "timestamp", "url"),
    Kind.STATE: ("state", "timestamp", "url"),
    Kind.LINK: ("url",),
    Kind.TIMESTAMP: ("timestamp",),
    Kind.DETAILS: _PERSON,
}


def difference(kind: Kind, before: Row, after: Row) -> tuple[dict[str, str], dict[str, str]]:
    """The fields that a change of this kind is about and that differ: as they were, as they are."""
    names = [name for name in _FIELDS.get(kind, ()) if getattr(before, name) != getattr(after, name)]
    return {name: _plain(before, name) for name in names}, {name: _plain(after, name) for name in names}


def _plain(row: Row, name: str) -> str:
    value = getattr(row, name)
    return value if isinstance(value, str) else value.isoformat()
