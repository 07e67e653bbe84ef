"""Who is in a group: known only by asking for it and seeing who comes back."""

import hashlib
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Greatest

from certdash.falkor import Answer
from certdash.models import Group, Learner, Membership

from . import bulk
from .answer import digest_of, note_rejected
from .learners import learner_pks
from .lease import Lease


class Time(NamedTuple):
    """What tells how old a membership, or an answer for a group, is."""

    settled: datetime | None  # end of the last run that left nothing open
    newest: int  # the app's newest learner (pk)


@dataclass
class Gone:
    """Open memberships of a group whose learners did not come back."""

    nobody: bool  # the answer held nobody at all
    memberships: "array[int]" = field(default_factory=lambda: array("q"))  # pks; eight bytes each
    # How many there were, and how many of them are gone, by when they began; those of before the last settled run as
    # one.
    before: Counter[datetime] = field(default_factory=Counter)
    missing: Counter[datetime] = field(default_factory=Counter)
    digest: str = ""  # to keep once nothing is open; empty when something stays open


@dataclass
class _Came:
    """Who came back for a group; of each somebody no more than a few bytes is kept."""

    learners: set[int] = field(default_factory=set)  # pks of those who are known
    seen: set[bytes] = field(default_factory=set)  # identities
    unclear: bool = False  # a row that could not be understood may be anybody's


def take_group(lease: Lease, group: Group, answer: Answer, time: Time, *, note: bool = True) -> Gone | None:
    """Open memberships for who came back; returns who did not, for the caller to judge. None: nothing is different.

    `note`: whether rows that could not be understood are news to the run.
    Somebody whom only this answer knows has a certificate that was not asked for, or one since the run's first
    question. Once there are new learners, the same bytes are compared again.
    """
    digest = digest_of(lease.app, lease.keeping, answer.stories)
    of_now = hashlib.sha256(f"{digest} {time.newest}".encode()).hexdigest()
    with transaction.atomic():
        lease.renew()
        Group.objects.filter(pk=group.pk).update(checked_at=lease.clock())
    if group.digest in (digest, of_now) and not answer.rejected:
        return None
    came = _who_came(lease, group, answer, note=note)
    complete = len(came.learners) == len(came.seen)
    gone = Gone(nobody=not came.seen, digest="" if came.unclear else digest if complete else of_now)
    found = []
    group.refresh_from_db(fields=["tracked", "answered"])
    first = not group.answered  # a tracking that begins anew from here on waits for another answer
    open_now = Membership.objects.filter(group=group, until=None)
    for pk, learner, held, since in open_now.values_list("pk", "learner", "missing_in", "since").iterator():
        began = max(since, time.settled) if time.settled else since
        gone.before[began] += 1
        if learner in came.learners:
            came.learners.remove(learner)
            if held:
                found.append(pk)
        elif not came.unclear:
            gone.missing[began] += 1
            gone.memberships.append(pk)
    _join(lease, group, came.learners, found)
    if first:
        with transaction.atomic():
            lease.renew()
            Group.objects.filter(pk=group.pk, tracked=True).update(answered=True)
    return gone


def _who_came(lease: Lease, group: Group, answer: Answer, *, note: bool) -> _Came:
    came = _Came(unclear=bool(answer.rejected))
    if note:
        note_rejected(lease, answer.rejected, prefix=f"group {group.name}: ")
    for element in answer.stories:
        decoded = element.rows()
        new = {
            identity: bytes.fromhex(identity)
            for identity in map(lease.keeping.identity, lease.keeping.of(decoded.rows))
        }
        new = {identity: short for identity, short in new.items() if short not in came.seen}
        came.seen.update(new.values())
        came.learners |= learner_pks(lease.app, new)
        came.unclear |= bool(decoded.rejected)
        if note:
            note_rejected(lease, decoded.rejected, prefix=f"group {group.name}: ")
        lease.tell()
    return came


def _join(lease: Lease, group: Group, joined: set[int], found: list[int]) -> None:
    """Open memberships for these learners, and take the mark from those that are no longer missing."""
    for new in bulk.parts(joined, bulk.PART):
        with _writing(lease, group) as now:
            if lease.keeping.look_again():
                new = [pk for (pk,) in bulk.find(Learner, lease.app.pk, "id", new, ("id",))]
            opened = _open(group, new, now)
        lease.run.joined += opened
    for some in bulk.parts(found):
        with _writing(lease, group) as now:
            memberships = Membership.objects.filter(pk__in=some)
            # What an owner's acceptance ended after it was read has not ended: the answer holds it.
            ended = list(memberships.exclude(until=None).values_list("learner", flat=True))
            memberships.update(missing_in=None)
            opened = _open(group, ended, now)
        lease.run.joined += opened


def _open(group: Group, learners: Sequence[int], now: datetime) -> int:
    """Open memberships for these learners, if the group is tracked still; returns how many."""
    if not group.tracked:
        return 0
    rows = ((group.pk, one, now, not group.answered) for one in learners)
    bulk.insert(Membership, ("group", "learner", "since", "initial"), rows)
    return len(learners)


def end_memberships(lease: Lease, group: Group, gone: Gone) -> None:
    """These learners have left; with that the answer is applied completely."""
    for some in bulk.parts(gone.memberships):
        with _writing(lease, group) as now:
            lease.run.left += leave(Membership.objects.filter(pk__in=some), now)
    if gone.digest:
        with transaction.atomic():
            lease.renew()
            if lease.is_alone():
                Group.objects.filter(pk=group.pk).update(digest=gone.digest)


def hold_memberships(lease: Lease, group: Group, gone: Gone) -> None:
    """Note who was missing; an owner may accept that they left."""
    for some in bulk.parts(gone.memberships):
        with _writing(lease, group):
            undecided = Q(missing_in=None) | Q(missing_in__accepted_at=None)
            open_now = Membership.objects.filter(undecided, pk__in=some, until=None)
            lease.run.missing_members += open_now.update(missing_in=lease.run)


def leave(memberships: QuerySet[Membership], now: datetime) -> int:
    """End those that are open; returns how many. Never before they began: a machine's clock may have been ahead."""
    Group.objects.filter(pk__in=memberships.filter(until=None).values("group")).update(digest="")
    return memberships.filter(until=None).update(until=Greatest(F("since"), now), missing_in=None)


@contextmanager
def _writing(lease: Lease, group: Group) -> Iterator[datetime]:
    """A transaction that changes who is in the group: what its answer said is no longer all that is stored.

    `group` is as it is now: its tracking can have ended, and begun anew, while the answer was on its way.
    """
    with lease.writing() as now:
        Group.objects.filter(pk=group.pk).update(digest="")
        group.refresh_from_db(fields=["tracked", "answered"])
        yield now
