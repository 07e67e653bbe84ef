"""One run from its opening to its closing: who may run, what is asked, and what came of it."""

import logging
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from certdash.falkor import FalkorClient, FalkorError
from certdash.models import App, Certificate, CredentialUnreadable, Learner, Membership, SyncRun, User

from . import bulk
from .answer import Missing, Scope, take_answer
from .apply import LEASE, Applier, Clock, LeaseLost
from .connection import client_for
from .groups import end_memberships, hold_memberships, take_group
from .withdrawals import must_hold

_MUCH = 500  # rows after which the database's planner is told
log = logging.getLogger(__name__)
QUEUE_LEASE = timedelta(minutes=20)  # a request may wait for a worker that does long syncs of other apps


# -- Opening ----------------------------------------------------------------------------------------------------


def open_run(app: App, scope: Scope, by: User | None = None, clock: Clock = timezone.now) -> tuple[SyncRun, bool]:
    """A queued run of the app, and whether it is new: while one is under way, that one is given instead.

    Raises `App.DoesNotExist` when the app is gone.
    """
    while True:
        release_dead_run(app, clock)
        run = SyncRun(
            app=app, story=scope.story, users=list(scope.users), requested_by=by,
            requested_at=clock(), lease_until=clock() + QUEUE_LEASE,
        )  # fmt: skip
        try:
            with transaction.atomic():
                run.save()
        except IntegrityError:
            if under_way := SyncRun.objects.filter(app=app).under_way().first():
                return under_way, False
            App.objects.get(pk=app.pk)
            continue  # the other one ended in between
        return run, True


def release_dead_run(app: App, clock: Clock) -> None:
    """Close a run whose lease is over: its process is gone, and what it had written stays."""
    now = clock()
    dead = SyncRun.objects.filter(app=app, lease_until__lt=now).under_way()
    dead.filter(phase=SyncRun.Phase.QUEUED).update(
        status=SyncRun.Status.INTERRUPTED,
        finished_at=now,
        message="No worker took up this run in time. Nothing was changed. See that the worker is running.",
    )
    dead.update(
        status=SyncRun.Status.INTERRUPTED,
        finished_at=now,
        message="The process that did this run ended before its work. The next run completes it.",
    )


def claim(run: SyncRun, clock: Clock) -> bool:
    """Take up a queued run; false when somebody else did."""
    queued = SyncRun.objects.filter(pk=run.pk, phase=SyncRun.Phase.QUEUED).under_way()
    now = clock()
    return bool(queued.update(phase=SyncRun.Phase.ASKING, started_at=now, lease_until=now + LEASE))


# -- Doing ------------------------------------------------------------------------------------------------------


def execute(run: SyncRun, clock: Clock = timezone.now) -> SyncRun:
    """Do an opened run, unless somebody else does it, and close it whatever happens; returns it as stored."""
    if claim(run, clock):
        run.refresh_from_db()
        try:
            _Work(run, clock).do()
        except (FalkorError, CredentialUnreadable) as error:
            run.vendor_message = getattr(error, "vendor_message", "")
            _close(run, SyncRun.Status.FAILED, str(error), clock)
        except LeaseLost:
            log.warning("Run %s lost its lease and stopped.", run.pk)
        except BaseException:
            _close(
                run,
                SyncRun.Status.INTERRUPTED,
                "certdash itself stopped during this run; its log says why. The next run completes it.",
                clock,
            )
            raise
    run.refresh_from_db()
    return run


class _Work:
    """What one run does, step by step."""

    def __init__(self, run: SyncRun, clock: Clock) -> None:
        self.run, self.clock = run, clock
        self.app = run.app
        self.scope = Scope(run.story, tuple(run.users))
        self.applier = Applier(run, clock)
        self.trouble: list[str] = []  # sentences about what did not work out, though the run went on

    def do(self) -> None:
        client = client_for(self.app)
        complete = SyncRun.objects.filter(app=self.app).full().complete()
        self.run.initial = not complete.exists()
        ask: dict[str, Any] = {"app": self.app.app_id, "story": self.scope.story, "users": self.scope.users}
        with client.certificates(**ask, progress=self._downloading) as answer:
            self.run.size += answer.size
            self.run.vendor_hash, self.run.response_time = answer.hash, answer.response_time
            self.run.applying_since = self.clock()
            SyncRun.objects.filter(pk=self.run.pk).update(applying_since=self.run.applying_since)
            missing = take_answer(self.applier, answer, self.scope, initial=self.run.initial)
        if self.scope.full:
            self._groups(client)
        self.applier.renew(phase=SyncRun.Phase.WITHDRAWING)
        self._withdraw(missing)
        if self.run.created >= _MUCH or self.run.joined >= _MUCH:
            bulk.tell_planner(Certificate, Learner, Membership)
        _close(self.run, *self._verdict(), self.clock)

    def _downloading(self, size: int) -> None:
        phase = SyncRun.Phase.DOWNLOADING if size else SyncRun.Phase.ASKING
        self.applier.renew(phase=phase, progress_done=size)

    def _groups(self, client: FalkorClient) -> None:
        groups = list(self.app.groups.filter(tracked=True))
        for done, group in enumerate(groups):
            self.applier.renew(phase=SyncRun.Phase.GROUPS, progress_done=done, progress_total=len(groups))
            try:
                with client.certificates(self.app.app_id, groups=[group.name], progress=self._alive) as answer:
                    self.run.size += answer.size
                    gone = take_group(self.applier, group, answer)
            except FalkorError as error:
                self.trouble.append(f"The group “{group.name}” is as before: {error}")
                continue
            if must_hold(len(gone.memberships), gone.before, empty=gone.nobody):
                hold_memberships(self.applier, gone.memberships)
            else:
                end_memberships(self.applier, gone.memberships)

    def _alive(self, _size: int) -> None:
        self.applier.renew()

    def _withdraw(self, missing: Missing) -> None:
        empty = self.scope.full and not self.run.received
        if not self.scope.full and not self.run.received:
            return  # an empty narrow answer says nothing
        if must_hold(len(missing.certificates), missing.before, empty=empty):
            self.applier.hold(missing.certificates)
            return
        self.applier.withdraw(missing.certificates)
        self.applier.withdraw_stories(missing.stories)

    def _verdict(self) -> tuple[SyncRun.Status, str]:
        run, sentences = self.run, [_news(self.run)]
        if run.missing:
            sentences.append(
                f"The answer lacks {_many(run.missing, 'certificate')} that were there before: "
                "they stay as they are until an owner accepts their withdrawal."
            )
        if run.missing_members:
            sentences.append(
                f"{_many(run.missing_members, 'learner')} did not come back for their groups: "
                "they stay in them until an owner accepts that they left."
            )
        if run.rejected:
            sentences.append(
                f"Set aside, because not understood: {_many(run.rejected, 'row')}. "
                "Nothing was withdrawn where they stood."
            )
        sentences += self.trouble
        if run.missing or run.missing_members:
            return SyncRun.Status.HELD, " ".join(sentences)
        if run.rejected or self.trouble:
            return SyncRun.Status.PARTIAL, " ".join(sentences)
        if _has_news(run):
            return SyncRun.Status.SUCCESS, " ".join(sentences)
        return SyncRun.Status.UNCHANGED, sentences[0]


def _news(run: SyncRun) -> str:
    counts = {"new": run.created, "changed": run.changed, "withdrawn": run.withdrawn, "returned": run.returned}
    told = [f"{count:,} {word}" for word, count in counts.items() if count]
    sentences = [f"{', '.join(told)}."] if told else []
    if run.stories:
        sentences.append(f"{_many(run.stories, 'story', 'stories')} new or changed.")
    if run.joined or run.left:
        sentences.append(f"{run.joined:,} joined a group, {run.left:,} left one.")
    return " ".join(sentences) or "Nothing changed."


def _has_news(run: SyncRun) -> bool:
    return any((run.created, run.changed, run.withdrawn, run.returned, run.stories, run.joined, run.left))


def _many(count: int, noun: str, plural: str = "") -> str:
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


# -- Closing ----------------------------------------------------------------------------------------------------

_COUNTS = (
    "initial", "received", "created", "changed", "withdrawn", "returned", "missing", "missing_members",
    "stories", "joined", "left", "rejected", "repaired", "size", "response_time", "vendor_hash", "vendor_message",
    "applying_since",
)  # fmt: skip


def _close(run: SyncRun, status: SyncRun.Status, message: str, clock: Clock) -> None:
    """Write the end of a run, unless its lease was lost: then it is closed already."""
    SyncRun.objects.filter(pk=run.pk).under_way().update(
        status=status, message=message, finished_at=clock(), **{name: getattr(run, name) for name in _COUNTS}
    )


def sync_app(app: App, scope: Scope = Scope(), by: User | None = None, clock: Clock = timezone.now) -> SyncRun:  # noqa: B008
    """Synchronise one app in this process. While another run is under way, that one is given as it stands."""
    run, new = open_run(app, scope, by, clock)
    return execute(run, clock) if new else run
