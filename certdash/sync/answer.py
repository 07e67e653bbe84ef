"""What the answers of a run hold: their stories and certificates, written as far as they are news; the rest is told."""

import hashlib
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db import transaction

from certdash.falkor import Answer, RejectedRow, Row, StoryElement
from certdash.models import App, Breadth, Rejection, SyncRun

from . import bulk
from .apply import Applier, Bytes
from .asking import Call, Scope
from .keeping import Keeping
from .lease import Lease
from .plan import Head, Stored, StoredStory, plan_certificates, plan_stories
from .scope import listed_stories

# Bytes that were applied by other rules than these are applied again: raise it with every change of what a row means.
_RULES = 1


@dataclass
class Missing:
    """What is stored as live in the run's scope and was not received."""

    before: int = 0  # narrow runs: live certificates of the scope before the run
    certificates: "array[int]" = field(default_factory=lambda: array("q"))  # pks; eight bytes each
    stories: list[int] = field(default_factory=list)  # pks
    # Stories of which nothing is open but these certificates, and what their bytes held.
    open_stories: dict[int, Bytes] = field(default_factory=dict)


def digest_of(app: App, keeping: Keeping, elements: Iterable[StoryElement]) -> str:
    """A digest of elements as they came, for an app of this breadth, by today's rules and what is kept by them."""
    digest = hashlib.sha256(f"certdash {_RULES} {app.breadth} {keeping.rules}\0".encode())
    for element in elements:
        element.digest_into(digest)
    return digest.hexdigest()


class Taking:
    """Writes the news and changes of a run's answers, story by story, and withdraws nothing: `missing` is told."""

    def __init__(self, applier: Applier, scope: Scope) -> None:
        self.applier, self.run, self.scope = applier, applier.run, scope
        self.keeping, self._named = applier.keeping, scope.named
        self.missing = Missing()
        self._stored: dict[int, StoredStory] = {}

    def take(self, answers: Sequence[tuple[Call, Answer]], *, whole: bool) -> None:
        """`whole`: no call of the run failed, so that what did not come is missing."""
        elements: dict[str, list[StoryElement]] = {}
        for _, answer in answers:
            note_rejected(self.applier, answer.rejected)
            for element in answer.stories:
                elements.setdefault(Head(element.id, element.name, element.type).identity, []).append(element)
        heads = {identity: _joined_head(same) for identity, same in elements.items()}
        stored = self.applier.stored_stories()
        self._stored = {story.pk: story for story in stored}
        unsure = {story for _, answer in answers for story in answer.rejected_stories}
        asked = self._asked_stories([call for call, _ in answers])
        plan = plan_stories(stored, heads.values(), full=self.scope.full, asked=asked, unsure=unsure)
        pks = self.applier.stories(plan, heads)
        self.applier.renew(phase=SyncRun.Phase.COMPARING, progress_done=0, progress_total=len(elements))
        for done, (identity, same) in enumerate(elements.items(), 1):
            self._story(pks[identity], same)
            self.applier.tell(progress_done=done)
        self.applier.finish()
        self.missing.stories = plan.missing
        for some in bulk.chunks(plan.missing):
            live = self.applier.app.certificates.live().filter(story__in=some)
            self.missing.certificates.extend(live.values_list("pk", flat=True).iterator())
        # An element that could not be understood may be any stored story.
        if not whole or any(answer.rejected for _, answer in answers):
            self.missing = Missing()

    def _asked_stories(self, calls: Sequence[Call]) -> set[int] | None:
        """The stories (pks) that were asked for, where the run did not ask for all."""
        app = self.applier.app
        return listed_stories(app, [call.ask["story"] for call in calls]) if app.breadth == Breadth.STORIES else None

    def _story(self, story: int, same: Sequence[StoryElement]) -> None:
        digest = digest_of(self.applier.app, self.keeping, same) if self.scope.full else ""
        known = self._stored.get(story)
        if known and digest and known.digest == digest:
            self.run.received += known.received
            self.run.repaired += known.repaired
            self.run.left_out += known.left_out
            return
        rows: list[Row] = []
        rejected: list[RejectedRow] = []
        repaired = 0
        for element in same:
            decoded = element.rows()
            rows += decoded.rows
            rejected += decoded.rejected
            repaired += decoded.repaired
        kept = self.keeping.of(rows)
        left_out = len(rows) - len(kept)
        self.run.left_out += left_out
        self.run.received += len(kept) + len(rejected)
        self.run.repaired += repaired
        note_rejected(self.applier, rejected)
        self._rows(story, kept, None if rejected else Bytes(digest, len(kept), repaired, left_out))

    def _rows(self, story: int, rows: Sequence[Row], understood: Bytes | None) -> None:
        """`understood`: what the bytes held when all of it could be understood; else nothing is missing here."""
        named = self._named
        learners = None if named is None else named | {self.keeping.identity(row) for row in rows}
        stored: Iterable[Stored] = self.applier.stored_certificates(story, learners)
        if not self.scope.full:
            stored = list(stored)
            self.missing.before += sum(not one.gone and self._is_named(one) for one in stored)
        plan = plan_certificates(stored, rows, self.keeping.identity)
        # What a full run holds back is not for a narrow one to decide.
        missing = [one.pk for one in plan.missing if self._is_named(one) and (self.scope.full or not one.held)]
        keep = understood if self.scope.full else None
        self.applier.certificates(story, plan, initial=self.run.initial, whole=None if missing else keep)
        if understood:
            self.missing.certificates.extend(missing)
            if missing and keep:
                self.missing.open_stories[story] = keep

    def _is_named(self, one: Stored) -> bool:
        return self._named is None or self.keeping.identity(one.row) in self._named


def _joined_head(same: Sequence[StoryElement]) -> Head:
    """Repeated elements of a story are one; should their types differ, the smaller word."""
    return Head(same[0].id, same[0].name, min(element.type for element in same))


def note_rejected(lease: Lease, rejected: Sequence[RejectedRow], prefix: str = "") -> None:
    """Count rows that were set aside, and keep where and why of the first ones."""
    if not rejected:
        return
    run = lease.run
    room = max(0, Rejection.KEPT_PER_RUN - run.rejected)
    run.rejected += len(rejected)
    with transaction.atomic():
        lease.renew()
        Rejection.objects.bulk_create(
            Rejection(run=run, path=prefix + one.path, reason=one.reason, excerpt=one.excerpt)
            for one in rejected[:room]
        )
