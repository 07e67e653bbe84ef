"""Who is in a group: known only by asking for it and seeing who comes back."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Greatest

from certdash.falkor import Answer
from certdash.models import Group, Learner, Membership

from . import bulk
from .answer import digest_of, note_rejected
from .learners import learner_pks
from .lease import Lease


@dataclass
class Gone:
    """Open memberships of a group whose learners did not come back."""

    before: int  # as the last settled run knew it
    known: int  # of the memberships below, those that it knew
    memberships: list[int]  # pks
    nobody: bool  # the answer held nobody at all
    digest: str  # to keep once nothing is open; empty when something stays open


def take_group(
    lease: Lease, group: Group, answer: Answer, settled: datetime | None, *, note: bool = True
) -> Gone | None:
    """Open memberships for who came back; returns who did not, for the caller to judge. None: nothing is different.

    `settled`: end of the last run that left nothing open. `note`: whether rows that could not be understood are news
    to the run.
    Somebody whom only this answer knows has a certificate since the run's first question; the next run knows both.
    """
    digest = digest_of(lease.app, lease.keeping, answer.stories)
    with transaction.atomic():
        lease.renew()
        Group.objects.filter(pk=group.pk).update(checked_at=lease.clock())
    if group.digest == digest and not answer.rejected:
        return None
    seen: set[str] = set()
    rejected = list(answer.rejected)
    for element in answer.stories:
        decoded = element.rows()
        seen |= {lease.keeping.identity(row) for row in lease.keeping.of(decoded.rows)}
        rejected += decoded.rejected
    if note:
        note_rejected(lease, rejected, prefix=f"group {group.name}: ")
    present = learner_pks(lease.app, seen)
    open_now = Membership.objects.filter(group=group, until=None)
    settled_now = open_now.filter(since__lte=settled) if settled else open_now
    known = set(settled_now.values_list("pk", flat=True))
    stored = {learner: (pk, held) for pk, learner, held in open_now.values_list("pk", "learner", "missing_in")}
    _join(lease, group, present - stored.keys(), [pk for who, (pk, held) in stored.items() if held and who in present])
    # A row that could not be understood may be anybody's.
    gone = [] if rejected else [pk for learner, (pk, _) in stored.items() if learner not in present]
    complete = not rejected and len(present) == len(seen)
    return Gone(len(known), len(known & set(gone)), gone, nobody=not seen, digest=digest if complete else "")


def _join(lease: Lease, group: Group, joined: set[int], found: list[int]) -> None:
    """Open memberships for these learners, and take the mark from those that are no longer missing."""
    for new in bulk.chunks(joined, bulk.PART):
        with _writing(lease, group) as now:
            if lease.keeping.look_again():
                new = [pk for (pk,) in bulk.find(Learner, lease.app.pk, "id", new, ("id",))]
            bulk.insert(Membership, ("group", "learner", "since"), ((group.pk, learner, now) for learner in new))
        lease.run.joined += len(new)
    for some in bulk.chunks(found):
        with _writing(lease, group) as now:
            memberships = Membership.objects.filter(pk__in=some)
            # What an owner's acceptance ended after it was read has not ended: the answer holds it.
            ended = list(memberships.exclude(until=None).values_list("learner", flat=True))
            memberships.update(missing_in=None)
            bulk.insert(Membership, ("group", "learner", "since"), ((group.pk, learner, now) for learner in ended))
        lease.run.joined += len(ended)


def end_memberships(lease: Lease, group: Group, gone: Gone) -> None:
    """These learners have left; with that the answer is applied completely."""
    for some in bulk.chunks(gone.memberships):
        with _writing(lease, group) as now:
            lease.run.left += leave(Membership.objects.filter(pk__in=some), now)
    if gone.digest:
        with transaction.atomic():
            lease.renew()
            if lease.is_alone():
                Group.objects.filter(pk=group.pk).update(digest=gone.digest)


def hold_memberships(lease: Lease, group: Group, gone: Gone) -> None:
    """Note who was missing; an owner may accept that they left."""
    for some in bulk.chunks(gone.memberships):
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
    """A transaction that changes who is in the group: what its answer said is no longer all that is stored."""
    with lease.writing() as now:
        Group.objects.filter(pk=group.pk).update(digest="")
        yield now
