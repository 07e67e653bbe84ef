"""What one answer holds: its stories and certificates, written as far as they are news; the rest is reported."""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from certdash.falkor import Answer, RejectedRow, Row, StoryElement
from certdash.models import Certificate, Learner, Rejection, SyncRun

from . import bulk
from .apply import Applier
from .plan import Head, Stored, learner_identity, plan_certificates, plan_stories


class Scope(NamedTuple):
    """What a run asks for: everything, or only one story or some users, by the endpoint's own parameters."""

    story: str = ""
    users: tuple[str, ...] = ()

    @property
    def full(self) -> bool:
        return not self.story and not self.users

    @property
    def named(self) -> set[str] | None:
        """Identities of the learners who were asked for by e-mail; None when no learner was named."""
        if not self.users:
            return None
        return {Learner.identity_by_email(user) for user in self.users if "@" in user}


@dataclass
class Missing:
    """What is stored as live in the run's scope and was not received."""

    before: int = 0  # live certificates of the scope before the run
    certificates: "array[int]" = field(default_factory=lambda: array("q"))  # pks; eight bytes each
    stories: list[int] = field(default_factory=list)  # pks


def take_answer(applier: Applier, answer: Answer, scope: Scope, *, initial: bool) -> Missing:
    """Write the news and changes of an answer, story by story. Withdraws nothing: returns what is missing."""
    elements: dict[str, list[StoryElement]] = {}
    for element in answer.stories:
        elements.setdefault(Head(element.id, element.name, element.type).identity, []).append(element)
    heads = {identity: _joined_head(same) for identity, same in elements.items()}
    # An element that could not be understood may be any stored story: then none was renamed, and none is missing.
    plan = plan_stories(applier.stored_stories(), heads.values(), full=scope.full and not answer.rejected)
    missing = Missing(stories=plan.missing)
    live = Certificate.objects.filter(app=applier.app).live()
    if scope.full:
        missing.before = live.count()
    note_rejected(applier.run, answer.rejected)
    pks = applier.stories(plan, heads)
    applier.renew(phase=SyncRun.Phase.COMPARING, progress_done=0, progress_total=len(elements))
    for done, (identity, same) in enumerate(elements.items(), 1):
        _take_story(applier, pks[identity], same, scope, missing, initial=initial, done=done)
    for some in bulk.chunks(plan.missing):
        missing.certificates.extend(live.filter(story__in=some).values_list("pk", flat=True).iterator())
    return Missing(before=missing.before) if answer.rejected else missing


def _joined_head(same: Sequence[StoryElement]) -> Head:
    """Repeated elements of a story are one; should their types differ, the smaller word."""
    return Head(same[0].id, same[0].name, min(element.type for element in same))


def _take_story(
    applier: Applier,
    story: int,
    same: Sequence[StoryElement],
    scope: Scope,
    missing: Missing,
    *,
    initial: bool,
    done: int,
) -> None:
    rows: list[Row] = []
    rejected: list[RejectedRow] = []
    for element in same:
        decoded = element.rows()
        rows += decoded.rows
        rejected += decoded.rejected
        applier.run.repaired += decoded.repaired
    applier.run.received += len(rows) + len(rejected)
    note_rejected(applier.run, rejected)
    named = scope.named
    learners = None if named is None else named | {learner_identity(row) for row in rows}
    stored: Iterable[Stored] = applier.stored_certificates(story, learners)
    if not scope.full:
        stored = list(stored)
        missing.before += sum(not one.withdrawn and (named is None or one.learner in named) for one in stored)
    plan = plan_certificates(stored, rows)
    applier.certificates(story, plan, initial=initial, progress_done=done)
    if not rejected:
        missing.certificates.extend(one.pk for one in plan.missing if named is None or one.learner in named)


def note_rejected(run: SyncRun, rejected: Sequence[RejectedRow], prefix: str = "") -> None:
    """Count rows that were set aside, and keep where and why of the first ones."""
    room = max(0, Rejection.KEPT_PER_RUN - run.rejected)
    run.rejected += len(rejected)
    Rejection.objects.bulk_create(
        Rejection(run=run, path=prefix + one.path, reason=one.reason) for one in rejected[:room]
    )
