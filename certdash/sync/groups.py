"""Who is in a group: known only by asking for it and seeing who comes back."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, QuerySet
from django.db.models.functions import Greatest

from certdash.falkor import Answer
from certdash.models import Group, Membership

from . import bulk
from .answer import note_rejected
from .apply import Applier
from .learners import learner_pks
from .plan import learner_identity


@dataclass
class Gone:
    """Open memberships of a group whose learners did not come back."""

    before: int
    memberships: list[int]  # pks
    nobody: bool  # the answer held nobody at all


def take_group(applier: Applier, group: Group, answer: Answer) -> Gone:
    """Open memberships for who came back; returns who did not, for the caller to judge.

    Somebody whom only this answer knows has a certificate since the run's first question; the next run knows both.
    """
    seen: set[str] = set()
    rejected = list(answer.rejected)
    for element in answer.stories:
        decoded = element.rows()
        seen |= {learner_identity(row) for row in decoded.rows}
        rejected += decoded.rejected
    note_rejected(applier.run, rejected, prefix=f"group {group.name}: ")
    present = learner_pks(applier.app, seen)
    open_now = Membership.objects.filter(group=group, until=None)
    stored = {learner: (pk, held) for pk, learner, held in open_now.values_list("pk", "learner", "missing_in")}
    joined = present - stored.keys()
    found = [stored[learner][0] for learner in present & stored.keys() if stored[learner][1]]
    if joined or found:
        with applier.writing() as now:
            bulk.insert(Membership, ("group", "learner", "since"), ((group.pk, learner, now) for learner in joined))
            for some in bulk.chunks(found):
                Membership.objects.filter(pk__in=some).update(missing_in=None)
    applier.run.joined += len(joined)
    Group.objects.filter(pk=group.pk).update(checked_at=applier.clock())
    # A row that could not be understood may be anybody's.
    gone = [] if rejected else [pk for learner, (pk, _) in stored.items() if learner not in present]
    return Gone(len(stored), gone, nobody=not seen)


def end_memberships(applier: Applier, memberships: list[int]) -> None:
    """These learners have left."""
    for some in bulk.chunks(memberships):
        with applier.writing() as now:
            applier.run.left += leave(Membership.objects.filter(pk__in=some), now)


def leave(memberships: QuerySet[Membership], now: datetime) -> int:
    """End those that are open; returns how many. Never before they began: a machine's clock may have been ahead."""
    return memberships.filter(until=None).update(until=Greatest(F("since"), now), missing_in=None)


def hold_memberships(applier: Applier, memberships: list[int]) -> None:
    """Note who was missing; an owner may accept that they left."""
    for some in bulk.chunks(memberships):
        with applier.writing():
            open_now = Membership.objects.filter(pk__in=some, until=None)
            applier.run.missing_members += open_now.update(missing_in=applier.run)
