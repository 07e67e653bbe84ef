"""What the answers of a run hold: their stories and certificates, written as far as they are news; the rest is told."""

import hashlib
from array import array
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from django.db import transaction

from certdash.falkor import Answer, RejectedRow, Row, StoryElement
from certdash.models import App, Breadth, Rejection, SyncRun

from . import bulk
from .apply import Applier, Bytes
from .asking import Call, Scope
from .keeping import Keeping
from .lease import Lease
from .plan import CertificatesPlan, Head, Stored, StoredStory, StoriesPlan, plan_certificates, plan_stories
from .scope import listed_stories

# Bytes that were applied by other rules than these are applied again: raise it with every change of what a row means.
_RULES = 1
_LEFT_ASIDE = (
    "The story “{}” is left to the next full run: it may be another one renamed, which a run for a part cannot tell."
)


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


class Received(NamedTuple):
    """One element of a story, and what its place begins with where there are several answers."""

    element: StoryElement
    place: str


class Taking:
    """Writes the news and changes of a run's answers, story by story, and withdraws nothing: `missing` is told.

    `trouble`: sentences about what was not taken.
    """

    def __init__(self, applier: Applier, scope: Scope) -> None:
        self.applier, self.run, self.scope = applier, applier.run, scope
        self.keeping, self._named = applier.keeping, scope.named
        self.missing = Missing()
        self.trouble: list[str] = []
        self._stored: dict[int, StoredStory] = {}
        # Where only some of the run's questions are asked for the first time: what came as an answer to the others.
        self._asked_before: set[StoryElement] | None = None

    def take(self, answers: Sequence[tuple[Call, Answer]], known: Sequence[Answer], *, whole: bool) -> None:
        """`known`: answers to what was answered before: what is new in them is news, and else it is only old.

        `whole`: no call of the run failed, so that what did not come is missing.
        """
        if 0 < len(known) < len(answers):
            self._asked_before = {element for answer in known for element in answer.stories}
        received: dict[str, list[Received]] = {}
        for call, answer in answers:
            place = "" if self.applier.app.breadth == Breadth.EVERYTHING else call.place
            note_rejected(self.applier, answer.rejected, place)
            for element in answer.stories:
                identity = Head(element.id, element.name, element.type).identity
                received.setdefault(identity, []).append(Received(element, place))
        heads = {identity: _joined_head(same) for identity, same in received.items()}
        stored = self.applier.stored_stories()
        self._stored = {story.pk: story for story in stored}
        plan = self._plan(stored, heads, received, answers)
        for identity in plan.aside:
            self.trouble.append(_LEFT_ASIDE.format(heads[identity].name))
            del received[identity]
        pks = self.applier.stories(plan, heads)
        self.applier.renew(phase=SyncRun.Phase.COMPARING, progress_done=0, progress_total=len(received))
        for done, (identity, same) in enumerate(received.items(), 1):
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

    def _plan(
        self,
        stored: Sequence[StoredStory],
        heads: dict[str, Head],
        received: dict[str, list[Received]],
        answers: Sequence[tuple[Call, Answer]],
    ) -> StoriesPlan:
        app, full = self.applier.app, self.scope.full
        # The stories that were asked for, where the app lists some; in a narrow run, those that a full one would ask.
        names = [call.ask["story"] for call, _ in answers] if app.breadth == Breadth.STORIES and full else None
        return plan_stories(
            stored,
            heads.values(),
            full=full,
            # A story comes back for a group only with a certificate of one of its members.
            complete=app.breadth != Breadth.GROUPS,
            asked=listed_stories(app, names) if app.breadth == Breadth.STORIES else None,
            unsure={story for _, answer in answers for story in answer.rejected_stories},
            are_alike=lambda head, story: self._holds_most_of(story.pk, received[head.identity]),
        )

    def _holds_most_of(self, story: int, same: Sequence[Received]) -> bool:
        """Whether most of the live rows of a stored story stand in these elements just as they are stored."""
        rows = {row for each in same for row in self.keeping.of(each.element.rows().rows)}
        live = [one.row for one in self.applier.stored_certificates(story) if not one.gone]
        return sum(row in rows for row in live) * 2 > len(live)

    def _story(self, story: int, same: Sequence[Received]) -> None:
        elements = [each.element for each in same]
        digest = digest_of(self.applier.app, self.keeping, elements) if self.scope.full else ""
        known = self._stored.get(story)
        if known and digest and known.digest == digest:
            self.run.received += known.received
            self.run.repaired += known.repaired
            self.run.left_out += known.left_out
            return
        kept: list[Row] = []
        news: set[Row] = set()
        came = rejected = repaired = 0
        for element, place in same:
            decoded = element.rows()
            came += len(decoded.rows)
            rejected += len(decoded.rejected)
            repaired += decoded.repaired
            note_rejected(self.applier, decoded.rejected, place)
            rows = self.keeping.of(decoded.rows)
            kept += rows
            if self._asked_before and element in self._asked_before:
                news.update(rows)
        left_out = came - len(kept)
        self.run.left_out += left_out
        self.run.received += len(kept) + rejected
        self.run.repaired += repaired
        self._rows(story, kept, news, None if rejected else Bytes(digest, len(kept), repaired, left_out))

    def _rows(self, story: int, rows: Sequence[Row], news: Collection[Row], understood: Bytes | None) -> None:
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
        self._write(story, plan, news, None if missing else keep)
        if understood:
            self.missing.certificates.extend(missing)
            if missing and keep:
                self.missing.open_stories[story] = keep

    def _write(self, story: int, plan: CertificatesPlan, news: Collection[Row], whole: Bytes | None) -> None:
        """Write a story's plan: first what is only old, where that is not the same for all of it."""
        initial = self.run.initial
        if self._asked_before is not None and (old := [one for one in plan.create if one[1] not in news]):
            plan.create = [one for one in plan.create if one[1] in news]
            if plan.create or plan.update or plan.found:
                self.applier.certificates(story, CertificatesPlan(create=old), initial=True, whole=None)
            else:
                plan.create, initial = old, True
        self.applier.certificates(story, plan, initial=initial, whole=whole)

    def _is_named(self, one: Stored) -> bool:
        return self._named is None or self.keeping.identity(one.row) in self._named


def _joined_head(same: Sequence[Received]) -> Head:
    """Repeated elements of a story are one; should their types differ, the smaller word."""
    first = same[0].element
    return Head(first.id, first.name, min(each.element.type for each in same))


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
