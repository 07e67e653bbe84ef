"""What one run does, from its first question to its verdict."""

import resource
from collections.abc import Sequence
from contextlib import ExitStack
from functools import cached_property
from typing import Any

from django.db.models import QuerySet

from certdash.falkor import (
    AddressNotAllowed,
    AddressRefused,
    Answer,
    EndpointNotEnabled,
    FalkorClient,
    FalkorError,
    Unreachable,
    Untrusted,
    WrongToken,
)
from certdash.models import Breadth, Certificate, Group, Learner, Membership, SyncRun

from . import bulk, groups, scope, withdrawals
from .answer import Taking
from .apply import Applier
from .asking import Call, Scope, calls_of, digest_of_questions
from .connection import client_for
from .lease import Clock
from .telling import verdict

_MUCH = 500  # rows after which the database's planner is told
# What no other question to the same account would change.
_HOPELESS = (AddressNotAllowed, AddressRefused, EndpointNotEnabled, Unreachable, Untrusted, WrongToken)
_FILES = 4096  # answers that may be open at once, in all threads of a worker, and everything else


class Work:
    """One claimed run. `trouble`: sentences about what did not work out, though the run went on."""

    def __init__(self, run: SyncRun, clock: Clock) -> None:
        self.run, self.app, self.clock = run, run.app, clock
        self.scope = Scope(run.story, tuple(run.users))
        self.applier = Applier(run, clock)
        self.trouble: list[str] = []
        self._members_held = False

    def do(self) -> tuple[SyncRun.Status, str]:
        """Returns status and sentence. Raises FalkorError, CredentialUnreadable, NothingToAsk, LeaseLost, Stopped."""
        calls = calls_of(self.app, self.scope)
        client = client_for(self.app)
        by_group = self.app.breadth == Breadth.GROUPS
        asked = digest_of_questions(calls_of(self.app, Scope()))
        # What nobody asked for before is old, and no news.
        self.run.initial = not SyncRun.objects.filter(app=self.app, asked=asked).full().complete().exists()
        taking = Taking(self.applier, self.scope)
        with ExitStack() as stack:
            answers = self._ask(client, calls, stack)
            self.run.asked = asked if self.scope.full and not self.trouble else ""
            self.applier.renew(applying_since=self.clock())
            taking.take(answers, whole=not self.trouble)
            self.trouble += taking.trouble
            for call, answer in answers if self.scope.full else ():
                if call.group:
                    self._members(call.group, answer, note=False)
        if self.scope.full and not by_group:
            self._ask_groups(client)
        self.applier.renew(phase=SyncRun.Phase.WITHDRAWING, progress_done=0, progress_total=0)
        self._withdraw(taking)
        if self.run.created >= _MUCH or self.run.joined >= _MUCH:
            bulk.tell_planner(Certificate, Learner, Membership)
        return verdict(self.run, self.trouble)

    # -- Asking -------------------------------------------------------------------------------------------------

    def _ask(self, client: FalkorClient, calls: list[Call], stack: ExitStack) -> list[tuple[Call, Answer]]:
        """The answers of the calls, whole and closed by the stack. One of several may fail, but not all."""
        answers = []
        _allow_files(len(calls))
        for call in calls:
            try:
                answer = stack.enter_context(client.certificates(**call.ask, progress=self._downloading))
            except FalkorError as error:
                if len(calls) == 1 or isinstance(error, _HOPELESS):
                    raise
                self._failed(call, error)
                if len(self.trouble) == len(calls):
                    raise
                continue
            answers.append((call, answer))
            self.run.size += answer.size
            self.run.vendor_hash, self.run.response_time = answer.hash, answer.response_time
        return answers

    def _failed(self, call: Call, error: FalkorError) -> None:
        self.trouble.append(f"{call} is as before: {error.what}; {error.advice}.")
        self.run.vendor_message = self.run.vendor_message or error.vendor_message

    def _downloading(self, size: int) -> None:
        phase = SyncRun.Phase.DOWNLOADING if size else SyncRun.Phase.ASKING
        self.applier.renew(phase=phase, progress_done=self.run.size + size)

    # -- Groups -------------------------------------------------------------------------------------------------

    def _ask_groups(self, client: FalkorClient) -> None:
        tracked = list(self.app.groups.filter(tracked=True))
        for done, group in enumerate(tracked):
            self.applier.renew(phase=SyncRun.Phase.GROUPS, progress_done=done, progress_total=len(tracked))
            ask: dict[str, Any] = {"app": self.app.app_id, "groups": [group.name]}
            try:
                with client.certificates(**ask, progress=self._alive) as answer:
                    self.run.size += answer.size
                    self._members(group, answer)
            except FalkorError as error:
                self._failed(Call(ask, group), error)
                if isinstance(error, _HOPELESS):
                    self.trouble[-1] += " The groups after it were not asked for."
                    return

    def _alive(self, _size: int) -> None:
        self.applier.tell()

    def _members(self, group: Group, answer: Answer, *, note: bool = True) -> None:
        settled = self._settled.finished_at if self._settled else None
        gone = groups.take_group(self.applier, group, answer, settled, note=note)
        if gone is None:
            return
        lacking = len(gone.memberships) if gone.nobody else gone.known
        if withdrawals.must_hold(lacking, gone.before, empty=gone.nobody):
            groups.hold_memberships(self.applier, group, gone)
            self._members_held = True
        else:
            groups.end_memberships(self.applier, group, gone)

    # -- What is missing ----------------------------------------------------------------------------------------

    @cached_property
    def _settled(self) -> SyncRun | None:
        """The last full run that left nothing open: what came since must not make a lack look small, or large."""
        return SyncRun.objects.filter(app=self.app).full().settled().first()

    def _known(self, certificates: QuerySet[Certificate]) -> int:
        """How many of them the last settled run knew, or, without one, are not this run's own."""
        last = self._settled.pk if self._settled else self.run.pk - 1
        return certificates.exclude(first_run__gt=last).count()

    def _too_much(self, inside: Sequence[int], outside: Sequence[int], before: int) -> bool:
        """Whether so much is missing that an owner has to decide. `before`: what a narrow run knew of its scope."""
        if not self.scope.full:
            return withdrawals.must_hold(len(inside), before, empty=False)
        if not self.run.received:
            return withdrawals.must_hold(len(inside), 0, empty=True)
        if len(inside) <= withdrawals.FEW:
            return False
        lacking = sum(self._known(Certificate.objects.filter(pk__in=some)) for some in bulk.chunks(inside))
        before = self._known(self.app.certificates.live()) - self.run.returned - len(outside)
        return withdrawals.must_hold(lacking, before, empty=False)

    def _withdraw(self, taking: Taking) -> None:
        missing = taking.missing
        if not self.run.received and not self.scope.full:
            return  # an empty narrow answer says nothing
        inside, outside = scope.split(self.app, missing.certificates)
        if self.app.breadth == Breadth.GROUPS and (self.run.rejected or not self.scope.full):
            # Whoever is missing may have left the group: only an answer for it that is understood whole tells.
            withdrawals.put_out_of_scope(self.applier, outside)
            return
        # Who may still be in a group has rows that were not asked for.
        members_held = self._members_held and self.app.breadth == Breadth.GROUPS and len(inside) > 0
        if members_held or self._too_much(inside, outside, missing.before):
            withdrawals.hold(self.applier, inside)
            withdrawals.put_out_of_scope(self.applier, outside)
            return
        withdrawals.withdraw(self.applier, inside)
        withdrawals.put_out_of_scope(self.applier, outside)
        withdrawals.withdraw_stories(self.applier, scope.unlisted(self.app, missing.stories))
        self.applier.keep(missing.open_stories)


def _allow_files(count: int) -> None:
    """Several answers are open at once, each a file; many systems allow a process only 256 or 1,024 at first."""
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if count > 1 and allowed != resource.RLIM_INFINITY and allowed < _FILES:
        wanted = _FILES if most == resource.RLIM_INFINITY else min(_FILES, most)
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
