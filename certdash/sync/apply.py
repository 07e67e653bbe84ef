"""Writes plans, one story a short transaction. Each begins by renewing the run's lease, and ends if it is lost."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from certdash.falkor import Row
from certdash.models import Certificate, Change, State, Story, SyncRun
from certdash.models.story import hashed_slug, restate_slugs
from certdash.models.text import sort_bytes

from . import bulk
from .learners import ROW, rename_learners, teach_learners
from .plan import CertificatesPlan, Head, Kind, Stored, StoredStory, StoriesPlan, Update, difference

LEASE = timedelta(minutes=3)  # longer than the longest time without a sign of life: a read of the vendor's answer
Clock = Callable[[], datetime]

_CERTIFICATE = (*ROW[:7], "state_sent", *ROW[7:], "sort_name")
_CHANGE = ("app", "run", "story", "certificate", "kind", "seen_at", "before", "after")


class LeaseLost(Exception):
    """Another process closed this run as interrupted; it must not write any more."""


class Applier:
    """Writes for one run of one app."""

    def __init__(self, run: SyncRun, clock: Clock) -> None:
        self.run, self.app, self.clock = run, run.app, clock

    def renew(self, **progress: Any) -> None:
        """Extend the lease and note progress. Raises `LeaseLost` when the run is no longer ours."""
        ours = SyncRun.objects.filter(pk=self.run.pk, status=SyncRun.Status.RUNNING)
        if not ours.update(lease_until=self.clock() + LEASE, **progress):
            raise LeaseLost

    @contextmanager
    def writing(self, **progress: Any) -> Iterator[datetime]:
        """A transaction that changes the app's rows and holds the lease while it does; gives its moment."""
        with transaction.atomic():
            self.renew(**progress)
            self.app.moved()
            yield self.clock()

    # -- Stories ------------------------------------------------------------------------------------------------

    def stored_stories(self) -> list[StoredStory]:
        rows = Story.objects.filter(app=self.app).values_list("pk", "vendor_id", "identity", "withdrawn_at")
        return [StoredStory(pk, vendor_id, identity, bool(gone)) for pk, vendor_id, identity, gone in rows]

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
        """The certificates of a story, or only those of these learners (by identity), withdrawn ones too."""
        names = ("pk", "learner__identity", "withdrawn_at", "missing_in_id", "state_sent", *ROW)
        every = Certificate.objects.filter(story=story).order_by("pk").values_list(*names)
        parts = [every]
        if learners is not None:
            parts = [every.filter(learner__identity__in=some) for some in bulk.chunks(learners)]
        for part in parts:
            for pk, learner, gone, missing_in, state_sent, *row in part.iterator(chunk_size=2000):
                if state_sent:
                    row[ROW.index("state")] = state_sent
                yield Stored(pk, learner, Row(*row), gone is not None, missing_in is not None)

    def certificates(self, story: int, plan: CertificatesPlan, *, initial: bool, **progress: Any) -> None:
        """Write one story's news and changes. What is missing waits until the whole answer is known.

        A large story takes several transactions, or nobody else could write to SQLite meanwhile: cut off in between,
        the next run plans what is left.
        """
        for new in bulk.chunks(plan.create):
            with self.writing() as now:
                self._create(story, new, now, initial=initial)
            self.run.created += len(new)
        for updates in bulk.chunks(plan.update):
            with self.writing() as now:
                self._bring_back(story, [one.pk for one in updates if Kind.RETURNED not in one.kinds], now)
                self._update(story, updates, now)
            self.run.returned += sum(Kind.RETURNED in one.kinds for one in updates)
            self.run.changed += sum(one.kinds != (Kind.RETURNED,) for one in updates)
        for found in bulk.chunks(plan.found):
            with self.writing() as now:
                self._bring_back(story, found, now)
                Certificate.objects.filter(pk__in=found).update(missing_in=None)
        self.renew(**progress)

    def _create(self, story: int, new: Sequence[tuple[str, Row]], now: datetime, *, initial: bool) -> None:
        learners = teach_learners(self.app, new)
        bulk.insert(
            Certificate,
            (*_CERTIFICATE, "app", "story", "learner", "first_seen_at", "first_run", "initial", "changed_at"),
            (
                (*_values(row), self.app.pk, story, learners[learner], now, self.run.pk, initial, now)
                for learner, row in new
            ),
        )

    def _update(self, story: int, updates: Sequence[Update], now: datetime) -> None:
        learners = teach_learners(self.app, ((one.learner, one.after) for one in updates))
        bulk.update(
            Certificate,
            (*_CERTIFICATE, "changed_at", "withdrawn_at", "missing_in", "id"),
            ((*_values(one.after), now, None, None, one.pk) for one in updates),
        )
        bulk.insert(Change, _CHANGE, self._changes(story, updates, now))
        rename_learners({learners[one.learner] for one in updates if _tells_a_name(one)})

    def _bring_back(self, story: int, kept: Sequence[int], now: datetime) -> None:
        """What an owner's acceptance withdrew after it was read for the plan has returned: the answer holds it."""
        withdrawn = Certificate.objects.filter(pk__in=kept).withdrawn()
        back = list(withdrawn.values_list("pk", flat=True))
        withdrawn.update(withdrawn_at=None, changed_at=now)
        bulk.insert(Change, _CHANGE, [(self.app.pk, self.run.pk, story, pk, Kind.RETURNED, now, {}, {}) for pk in back])
        self.run.returned += len(back)

    def _changes(self, story: int, updates: Iterable[Update], now: datetime) -> Iterator[tuple[Any, ...]]:
        for one in updates:
            for kind in one.kinds:
                before, after = difference(kind, one.before, one.after)
                yield self.app.pk, self.run.pk, story, one.pk, kind, now, before, after

    # -- What is missing ----------------------------------------------------------------------------------------

    def withdraw(self, certificates: Iterable[int]) -> None:
        """Mark live certificates as withdrawn."""
        for some in bulk.chunks(certificates):
            with self.writing() as now:
                self.run.withdrawn += withdraw_now(self.run, some, now)

    def withdraw_stories(self, stories: Sequence[int]) -> None:
        """Mark stories as withdrawn that the vendor no longer lists."""
        for some in bulk.chunks(stories):
            with self.writing() as now:
                self.run.stories += Story.objects.filter(pk__in=some).update(withdrawn_at=now)

    def hold(self, certificates: Iterable[int]) -> None:
        """Note which certificates this run missed; an owner may accept that they are withdrawn."""
        for some in bulk.chunks(certificates):
            with self.writing():
                live = Certificate.objects.filter(pk__in=some, withdrawn_at=None)
                self.run.missing += live.update(missing_in=self.run)


def withdraw_now(run: SyncRun, certificates: Sequence[int], now: datetime) -> int:
    """Within the caller's transaction: withdraw those that are still live, with their history; returns how many."""
    live = Certificate.objects.filter(pk__in=certificates, withdrawn_at=None).select_for_update()
    stories = dict(live.values_list("pk", "story"))
    Certificate.objects.filter(pk__in=stories).update(withdrawn_at=now, changed_at=now, missing_in=None)
    changes: Iterable[tuple[Any, ...]] = (
        (run.app_id, run.pk, story, pk, Kind.WITHDRAWN, now, {}, {}) for pk, story in stories.items()
    )
    bulk.insert(Change, _CHANGE, changes)
    return len(stories)


def _values(row: Row) -> tuple[Any, ...]:
    known = row.state in (State.PENDING, State.DELIVERED)
    state, sent = (row.state, "") if known else (State.OTHER, row.state)
    return (
        row.firstname, row.lastname, row.email, row.telephone, row.country, row.city,
        state, sent, row.timestamp, row.url, sort_bytes(row.firstname, row.lastname, row.email),
    )  # fmt: skip


def _tells_a_name(one: Update) -> bool:
    return Kind.DETAILS in one.kinds or one.before.timestamp != one.after.timestamp
