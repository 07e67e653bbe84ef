"""What is missing: withdrawn, or held until an owner says so; and what nobody asks for any more."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from certdash.models import Certificate, Change, Membership, Story, SyncRun, User, is_live

from . import bulk, scope
from .apply import CHANGE
from .groups import leave
from .lease import Clock, Lease

Kind = Change.Kind

# -- In a run ---------------------------------------------------------------------------------------------------


def withdraw(lease: Lease, certificates: Iterable[int]) -> None:
    """Mark live certificates as withdrawn."""
    for some in bulk.parts(certificates):
        with lease.writing() as now:
            lease.run.withdrawn += _mark(lease.run, some, Kind.WITHDRAWN, now)


def put_out_of_scope(lease: Lease, certificates: Iterable[int]) -> None:
    """Mark live certificates as not asked for any more."""
    for some in bulk.parts(certificates):
        with lease.writing() as now:
            lease.run.out_of_scope += _mark(lease.run, some, Kind.OUTSIDE, now)


def withdraw_stories(lease: Lease, stories: Sequence[int]) -> None:
    """Mark stories as withdrawn that the vendor no longer lists."""
    for some in bulk.parts(stories):
        with lease.writing() as now:
            lease.run.stories += Story.objects.filter(pk__in=some).update(withdrawn_at=now, digest="")


def hold(lease: Lease, certificates: Iterable[int]) -> None:
    """Note which certificates this run missed; an owner may accept that they are withdrawn."""
    for some in bulk.parts(certificates):
        with lease.writing():
            # What an owner has accepted already is only waiting for the worker.
            undecided = Q(missing_in=None) | Q(missing_in__accepted_at=None)
            live = Certificate.objects.filter(undecided, pk__in=some).live()
            _reopen(live.values("story"))
            lease.run.missing += live.update(missing_in=lease.run)


def _mark(run: SyncRun, certificates: Sequence[int], kind: Kind, now: datetime) -> int:
    """Within the caller's transaction: mark those that are still live, with their history; returns how many."""
    live = Certificate.objects.filter(pk__in=certificates).live().select_for_update()
    stories = dict(live.values_list("pk", "story"))
    column = "withdrawn_at" if kind == Kind.WITHDRAWN else "out_of_scope_at"
    marked = Certificate.objects.filter(pk__in=stories)
    marked.update(changed_at=now, missing_in=None, **{column: now})
    _reopen(set(stories.values()))
    changes: Iterable[tuple[Any, ...]] = (
        (run.app_id, run.pk, story, pk, kind.value, now, {}, {}) for pk, story in stories.items()
    )
    bulk.insert(Change, CHANGE, changes)
    return len(stories)


def _reopen(stories: Any) -> None:
    """Their rows are no longer what their bytes said: the same bytes have to be compared again."""
    Story.objects.filter(pk__in=stories).exclude(digest="").update(digest="")


# -- Accepted by an owner ---------------------------------------------------------------------------------------


def accept(run: SyncRun, by: User | None, now: datetime) -> bool:
    """Note that an owner accepts what a held run found missing.

    False when that was already done, or when nothing of it is missing any more: it came back, or a newer held run
    lists it.
    """
    held = SyncRun.objects.filter(pk=run.pk, status=SyncRun.Status.HELD, accepted_at=None)
    return bool(held.filter(still_listed()).update(accepted_at=now, accepted_by=by))


def still_listed() -> Q:
    """As a condition on runs: something that the run found missing is still so."""
    certificates = Certificate.objects.filter(is_live(), missing_in=OuterRef("pk"))
    memberships = Membership.objects.filter(missing_in=OuterRef("pk"), until=None)
    return Q(Exists(certificates)) | Q(Exists(memberships))


def withdraw_accepted(run: SyncRun, clock: Clock) -> None:
    """Withdraw exactly what the accepted run listed and what is still missing.

    Safe beside a running sync: what that finds again loses its mark in the sync's own transaction. Safe to repeat.
    """
    if run.accepted_at is None:
        raise ValueError("Only an accepted run withdraws what it held.")
    members = Membership.objects.filter(missing_in=run, until=None)
    for some in _parts_of(members):
        with transaction.atomic():
            run.app.moved()  # first, as in a sync: so the two wait for each other here and cannot meet crosswise
            left = leave(members.filter(pk__in=some), clock())
            SyncRun.objects.filter(pk=run.pk).update(left=F("left") + left)
    listed = Certificate.objects.filter(missing_in=run).live()
    for some in _parts_of(listed):
        with transaction.atomic():
            run.app.moved()
            still = list(listed.filter(pk__in=some).values_list("pk", flat=True))
            inside, outside = scope.split(run.app, still)  # who left the last group took the rows along
            withdrawn = _mark(run, inside, Kind.WITHDRAWN, clock())
            unasked = _mark(run, outside, Kind.OUTSIDE, clock())
            counts = {"withdrawn": F("withdrawn") + withdrawn, "out_of_scope": F("out_of_scope") + unasked}
            SyncRun.objects.filter(pk=run.pk).update(**counts)


def _parts_of(rows: QuerySet[Any]) -> Iterator[list[int]]:
    """The pks of what is there, until nothing is, with time for others to write in between."""
    while some := list(rows.values_list("pk", flat=True)[: bulk.CHUNK]):
        yield some
        if len(some) == bulk.CHUNK:
            bulk.let_others_write()
