"""Writes plans, a story in one or several short transactions, and keeps its digest true to what is written."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from itertools import chain
from typing import Any, NamedTuple

from django.db import transaction

from certdash.falkor import Row
from certdash.models import Certificate, Change, State, Story, SyncRun
from certdash.models.story import hashed_slug, restate_slugs
from certdash.models.text import sort_bytes

from . import bulk
from .learners import ROW, rename_learners, teach_learners
from .lease import Clock, Lease
from .plan import CertificatesPlan, Head, Kind, Stored, StoredStory, StoriesPlan, Update, difference

_CERTIFICATE = (*ROW[:7], "state_sent", *ROW[7:], "sort_name")
_STATE = ROW.index("state")
CHANGE = ("app", "run", "story", "certificate", "kind", "seen_at", "before", "after")


class Bytes(NamedTuple):
    """What a story's bytes held, kept with it once they are applied completely."""

    digest: str
    received: int
    repaired: int
    left_out: int = 0


OPEN = Bytes("", 0, 0)
_CHANGED = 8  # times what a new row costs: it moves in every index, and its history is a row as well


class _Part(NamedTuple):
    """Rows of a story that are planned and not written yet."""

    story: int
    cost: int  # in new rows
    write: Callable[[datetime], dict[str, int]]  # returns what it adds to the run's counts
    keep: Bytes


class Applier(Lease):
    """Writes for one run of one app."""

    def __init__(self, run: SyncRun, clock: Clock) -> None:
        super().__init__(run, clock)
        self._waiting: list[_Part] = []

    # -- Stories ------------------------------------------------------------------------------------------------

    def stored_stories(self) -> list[StoredStory]:
        names = ("pk", "vendor_id", "identity", "withdrawn_at", *Bytes._fields)
        rows = Story.objects.filter(app=self.app).values_list(*names)
        return [
            StoredStory(pk, vendor_id, identity, bool(gone), *some_bytes)
            for pk, vendor_id, identity, gone, *some_bytes in rows
        ]

    def stories(self, plan: StoriesPlan, heads: dict[str, Head]) -> dict[str, int]:
        """Create, rename and bring back stories; returns the pk of every received story by identity."""
        known = Story.objects.in_bulk([*plan.same.values(), *plan.renamed.values()])
        returned = [pk for pk in plan.same.values() if known[pk].withdrawn_at]
        retyped = {pk: heads[it].type for it, pk in plan.same.items() if known[pk].type != heads[it].type}
        pks = plan.same | plan.renamed
        if plan.new or plan.renamed or returned or retyped:
            with self.writing() as now:
                for some in bulk.chunks(returned):
                    Story.objects.filter(pk__in=some).update(withdrawn_at=None)
                for pk, kind in retyped.items():
                    Story.objects.filter(pk=pk).update(type=kind)
                for identity, pk in plan.renamed.items():
                    self._rename(known[pk], heads[identity], now)
                pks |= {identity: self._new_story(heads[identity], now) for identity in plan.new}
                touched = [*plan.new, *plan.renamed]
                restate_slugs(self.app, {heads[identity].id for identity in touched})
            self.run.stories += len(plan.new) + len(plan.renamed) + len({*returned, *retyped})
        return pks

    def _new_story(self, head: Head, now: datetime) -> int:
        story = Story(app=self.app, vendor_id=head.id, type=head.type, first_seen_at=now, slug=hashed_slug(head.name))
        story.rename(head.name)
        story.save()
        return story.pk

    def _rename(self, story: Story, head: Head, now: datetime) -> None:
        change = Change(app=self.app, run=self.run, story=story, kind=Kind.RENAMED, seen_at=now)
        change.before, change.after = {"name": story.name}, {"name": head.name}
        story.rename(head.name)
        story.type = head.type
        story.save()
        change.save()

    # -- Certificates of one story ------------------------------------------------------------------------------

    def stored_certificates(self, story: int, learners: Iterable[str] | None = None) -> Iterator[Stored]:
        """The certificates of a story in order of pk, or only those of these learners (by identity); gone ones too."""
        names = ("id", "withdrawn_at", "out_of_scope_at", "missing_in", "state_sent", *ROW)
        stored: Iterable[Sequence[Any]]
        if learners is None:
            stored = bulk.read(Certificate, "story", story, names)
        else:
            every = Certificate.objects.filter(story=story).order_by("pk").values_list(*names)
            parts = (every.filter(learner__identity__in=some) for some in bulk.chunks(learners))
            stored = chain.from_iterable(parts)
        for pk, withdrawn, outside, missing_in, state_sent, *row in stored:
            if state_sent:
                row[_STATE] = state_sent
            yield Stored(pk, Row(*row), bool(withdrawn or outside), missing_in is not None)

    def certificates(self, story: int, plan: CertificatesPlan, *, initial: bool, whole: Bytes | None) -> None:
        """Write one story's news and changes, or let them wait for others: `finish` writes what still waits.

        What is missing waits until the whole answer is known. `whole`: what the story's bytes held, when this plan is
        all there is to do about them. The stored digest goes with the first part that is written, and this one comes
        with the last: cut off in between, the next run plans what is left.
        """
        planned: tuple[tuple[int, list[Any], Callable[..., dict[str, int]]], ...] = (
            (1, plan.create, partial(self._create, story, initial)),
            (_CHANGED, plan.update, partial(self._update, story)),
            (1, plan.found, partial(self._found, story)),
        )
        parts = [
            (cost * len(some), partial(write, some))
            for cost, rows, write in planned
            for some in bulk.chunks(rows, max(1, bulk.PART // cost))
        ]
        for left, (cost, write) in zip(reversed(range(len(parts))), parts, strict=True):
            self._waiting.append(_Part(story, cost, write, whole if whole and not left else OPEN))
            if sum(part.cost for part in self._waiting) >= (bulk.ROWS if self.run.initial else bulk.PART):
                self.finish()
                if not self.run.initial:
                    bulk.let_others_write()
        if whole and not parts:
            self.keep({story: whole})

    def finish(self) -> None:
        """Write the certificates that wait, in one transaction."""
        parts, self._waiting = self._waiting, []
        if not parts:
            return
        with self.writing() as now:
            self.keeping.look_again()
            alone = self.is_alone()
            told = []
            for part in parts:
                told.append(part.write(now))
                Story.objects.filter(pk=part.story).update(**(part.keep if alone else OPEN)._asdict())
        for counts in told:
            for name, count in counts.items():
                setattr(self.run, name, getattr(self.run, name) + count)

    def keep(self, applied: dict[int, Bytes]) -> None:
        """Note what the bytes of these stories held, now that there is nothing left to do about them."""
        if applied:
            with transaction.atomic():
                self.renew()
                if self.is_alone():
                    bulk.update(Story, (*Bytes._fields, "id"), ((*it, pk) for pk, it in applied.items()))

    def _create(self, story: int, initial: bool, new: Sequence[tuple[str, Row]], now: datetime) -> dict[str, int]:
        if self.keeping.has_grown:
            new = [one for one in new if not self.keeping.covers(one[1])]
        learners, renamed = teach_learners(self.app, new)
        bulk.insert(
            Certificate,
            (*_CERTIFICATE, "app", "story", "learner", "first_seen_at", "first_run", "initial", "changed_at"),
            (
                (*_values(row), self.app.pk, story, learners[learner], now, self.run.pk, initial, now)
                for learner, row in new
            ),
        )
        rename_learners(renamed)
        return {"created": len(new)}

    def _update(self, story: int, updates: Sequence[Update], now: datetime) -> dict[str, int]:
        if not self.is_alone():  # somebody may have been erased, and even have been let in again
            there = {pk for (pk,) in bulk.find(Certificate, self.app.pk, "id", [one.pk for one in updates], ("id",))}
            updates = [one for one in updates if one.pk in there and not self.keeping.covers(one.after)]
        updates = _delivered_at_last(updates)
        back = self._bring_back(story, [one.pk for one in updates if Kind.RETURNED not in one.kinds], now)
        learners, renamed = teach_learners(self.app, ((one.learner, one.after) for one in updates))
        delivered = _pending_since([one.pk for one in updates if Kind.DELIVERED in one.kinds])
        bulk.update(
            Certificate,
            (*_CERTIFICATE, "changed_at", "withdrawn_at", "out_of_scope_at", "missing_in", "id"),
            ((*_values(one.after), now, None, None, None, one.pk) for one in updates),
        )
        bulk.update(Certificate, ("delivered_after", "id"), ((now - since, pk) for pk, since in delivered.items()))
        bulk.insert(Change, CHANGE, self._changes(story, updates, now))
        rename_learners(renamed | {learners[one.learner] for one in updates if _tells_a_name(one)})
        returned = sum(Kind.RETURNED in one.kinds for one in updates)
        return {"returned": returned + back, "changed": sum(one.kinds != (Kind.RETURNED,) for one in updates)}

    def _found(self, story: int, found: Sequence[int], now: datetime) -> dict[str, int]:
        back = self._bring_back(story, found, now)
        for some in bulk.chunks(found):
            Certificate.objects.filter(pk__in=some).update(missing_in=None)
        return {"returned": back}

    def _bring_back(self, story: int, kept: Sequence[int], now: datetime) -> int:
        """What an owner's acceptance withdrew after it was read for the plan has returned: the answer holds it."""
        returned = 0
        for some in bulk.chunks(kept):
            gone = Certificate.objects.filter(pk__in=some).gone()
            back = list(gone.values_list("pk", flat=True))
            if not back:
                continue
            returned += len(back)
            gone.update(withdrawn_at=None, out_of_scope_at=None, changed_at=now)
            bulk.insert(
                Change, CHANGE, [(self.app.pk, self.run.pk, story, pk, Kind.RETURNED.value, now, {}, {}) for pk in back]
            )
        return returned

    def _changes(self, story: int, updates: Iterable[Update], now: datetime) -> Iterator[tuple[Any, ...]]:
        for one in updates:
            for kind in one.kinds:
                before, after = difference(kind, one.before, one.after)
                yield self.app.pk, self.run.pk, story, one.pk, kind.value, now, before, after


def _values(row: Row) -> tuple[Any, ...]:
    known = row.state in (State.PENDING, State.DELIVERED)
    state, sent = (row.state, "") if known else (State.OTHER.value, row.state)
    return (
        row.firstname, row.lastname, row.email, row.telephone, row.country, row.city,
        state, sent, row.timestamp, row.url, sort_bytes(row.firstname, row.lastname, row.email),
    )  # fmt: skip


def _pending_since(certificates: Sequence[int]) -> dict[int, datetime]:
    """When each of these was first seen as pending: at first sight, or when it last became so."""
    since: dict[int, datetime] = {}
    for some in bulk.chunks(certificates):
        since.update(Certificate.objects.filter(pk__in=some).values_list("pk", "first_seen_at"))
        again = Change.objects.filter(certificate__in=some, kind=Kind.STATE, after__state=State.PENDING)
        since.update(again.order_by("pk").values_list("certificate", "seen_at"))
    return since


def _delivered_at_last(updates: Sequence[Update]) -> list[Update]:
    """The same, where a state that is not documented came between pending and delivered, as the history knows."""
    unsure = [
        one.pk
        for one in updates
        if Kind.STATE in one.kinds and one.after.state == State.DELIVERED and one.before.state != State.PENDING
    ]
    documented: dict[int, str] = {}  # the last such state of each
    for some in bulk.chunks(unsure):
        before = Change.objects.filter(certificate__in=some, before__state__in=(State.PENDING, State.DELIVERED))
        documented.update(before.order_by("pk").values_list("certificate", "before__state"))
    return [
        one._replace(kinds=tuple(Kind.DELIVERED if kind == Kind.STATE else kind for kind in one.kinds))
        if documented.get(one.pk) == State.PENDING
        else one
        for one in updates
    ]


def _tells_a_name(one: Update) -> bool:
    return Kind.DETAILS in one.kinds or one.before.timestamp != one.after.timestamp
