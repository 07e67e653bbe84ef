"""What one run does, from its first question to its verdict."""

import resource
from collections.abc import Sequence
from contextlib import ExitStack
from functools import cached_property
from typing import cast

from django.db import transaction
from django.db.models import Max

from certdash.falkor import Answer, FalkorError
from certdash.models import App, Breadth, Certificate, Group, Learner, Membership, SyncRun

from . import bulk, groups, lacking, scope, withdrawals
from .answer import Taking
from .apply import Applier
from .asking import Call, Scope, calls_of, in_turn, question_of, was_answered
from .calling import Caller
from .lease import Clock
from .telling import verdict

_MUCH = 500  # rows after which the database's planner is told
_FILES = 4096  # answers that may be open at once, in all threads of a worker, and everything else


class Work:
    """One claimed run. `trouble`: sentences about what did not work out, though the run went on."""

    def __init__(self, run: SyncRun, clock: Clock) -> None:
        self.run, self.app, self.clock = run, run.app, clock
        self.scope = Scope(run.story, tuple(run.users))
        self.applier = Applier(run, clock)
        self.caller = Caller(self.app)
        self.trouble: list[str] = []
        self._members_held = False

    def do(self) -> tuple[SyncRun.Status, str]:
        """Returns status and sentence. Raises FalkorError, CredentialUnreadable, NothingToAsk, LeaseLost, Stopped."""
        calls = in_turn(self.app, calls_of(self.app, self.scope))
        by_group = self.app.breadth == Breadth.GROUPS
        taking = Taking(self.applier, self.scope)
        with ExitStack() as stack:
            answers = self._ask(calls, stack)
            # What nobody asked for before is old, and no news.
            known = [answer for call, answer in answers if was_answered(self.app, call)]
            self.run.initial = not known
            self.applier.renew(applying_since=self.clock())
            taking.take(answers, known, whole=not self.trouble)
            self.trouble += taking.trouble
            for call, answer in answers if self.scope.full else ():
                if call.group:
                    self._members(call.group, answer, note=False)
        if self.scope.full and not by_group:
            self._ask_groups()
        self.applier.renew(phase=SyncRun.Phase.WITHDRAWING, progress_done=0, progress_total=0)
        self._withdraw(taking)
        if self.run.created >= _MUCH or self.run.joined >= _MUCH:
            bulk.tell_planner(Certificate, Learner, Membership)
        if self.scope.full:
            self._note_answered([call for call, _ in answers])
        return verdict(self.run, self.trouble)

    def _note_answered(self, calls: Sequence[Call]) -> None:
        """What is answered to the same question from now on is news."""
        answered = {*self.app.answered, *(question_of(self.app, call) for call in calls)}
        if len(answered) > len(self.app.answered):
            with transaction.atomic():
                self.applier.renew()
                App.objects.filter(pk=self.app.pk).update(answered=sorted(answered))

    # -- Asking -------------------------------------------------------------------------------------------------

    def _ask(self, calls: list[Call], stack: ExitStack) -> list[tuple[Call, Answer]]:
        """The answers of the calls, whole and closed by the stack. Some of several may fail, but not all."""
        answers: list[tuple[Call, Answer]] = []
        _allow_files(len(calls))
        for left, call in zip(reversed(range(len(calls))), calls, strict=True):
            try:
                answer = stack.enter_context(self.caller.ask(call, self._downloading, beside=self.run.size))
            except FalkorError as error:
                self._failed(call, error, left)
                if not answers and (self.caller.gives_up or not left):
                    raise
                if self.caller.gives_up:
                    break
                continue
            self._note_turn(call, brought=True)
            answers.append((call, answer))
            self.run.size += answer.size
            self.run.vendor_hash, self.run.response_time = answer.hash, answer.response_time
        return answers

    def _failed(self, call: Call, error: FalkorError, left: int) -> None:
        """`left`: how many calls of this kind there are after it."""
        trouble = f"{call} is as before: {error.what}; {error.advice}."
        if self.caller.gives_up and left:
            kind = "groups" if call.group else "stories"
            self.trouble.insert(0, f"{trouble} The {kind} after it were not asked for.")  # of many, only the first tell
        else:
            self.trouble.append(trouble)
        self.run.vendor_message = self.run.vendor_message or error.vendor_message
        self._note_turn(call, brought=False)

    def _note_turn(self, call: Call, *, brought: bool) -> None:
        if not call.group and self.app.breadth == Breadth.EVERYTHING:
            return  # the only question of its kind
        question = question_of(self.app, call)
        in_place = question not in self.app.unanswered if brought else self.app.unanswered[-1:] == [question]
        if in_place:
            return
        others = [one for one in self.app.unanswered if one != question]
        self.app.unanswered = others if brought else [*others, question]
        with transaction.atomic():
            self.applier.renew()
            App.objects.filter(pk=self.app.pk).update(unanswered=self.app.unanswered)

    def _downloading(self, size: int) -> None:
        phase = SyncRun.Phase.DOWNLOADING if size else SyncRun.Phase.ASKING
        self.applier.renew(phase=phase, progress_done=self.run.size + size)

    # -- Groups -------------------------------------------------------------------------------------------------

    def _ask_groups(self) -> None:
        tracked = list(self.app.groups.filter(tracked=True))
        if tracked and self.caller.gives_up:
            self.trouble.insert(1, "The groups were not asked for either.")
            return
        calls = [Call({"app": self.app.app_id, "groups": [group.name]}, group) for group in tracked]
        for done, call in enumerate(in_turn(self.app, calls)):
            self.applier.renew(phase=SyncRun.Phase.GROUPS, progress_done=done, progress_total=len(tracked))
            try:
                with self.caller.ask(call, self._alive) as answer:
                    self._note_turn(call, brought=True)
                    self.run.size += answer.size
                    self._members(cast(Group, call.group), answer)
            except FalkorError as error:
                self._failed(call, error, len(tracked) - done - 1)
                if self.caller.gives_up:
                    return

    def _alive(self, _size: int) -> None:
        self.applier.tell()

    def _members(self, group: Group, answer: Answer, *, note: bool = True) -> None:
        gone = groups.take_group(self.applier, group, answer, self._time, note=note)
        if gone is None:
            return
        if gone.memberships and (gone.nobody or lacking.too_many(gone.before, gone.missing)):
            groups.hold_memberships(self.applier, group, gone)
            self._members_held = True
        else:
            groups.end_memberships(self.applier, group, gone)

    @cached_property
    def _time(self) -> groups.Time:
        settled = lacking.last_settled(self.app)
        newest = Learner.objects.filter(app=self.app).aggregate(newest=Max("pk"))["newest"]
        return groups.Time(settled.finished_at if settled else None, newest or 0)

    # -- What is missing ----------------------------------------------------------------------------------------

    def _too_much(self, inside: Sequence[int], outside: Sequence[int], before: int) -> bool:
        """Whether so much is missing that an owner has to decide. `before`: what a narrow run knew of its scope."""
        if not self.scope.full:
            return lacking.must_hold(len(inside), before, empty=False)
        if not self.run.received:
            return lacking.must_hold(len(inside), 0, empty=True)
        return lacking.lacks_much(self.run, inside, outside)

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
