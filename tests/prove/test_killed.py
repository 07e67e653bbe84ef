"""`kill -9` at whatever moment of whatever writes: what comes next completes it, and nothing is lost or damaged."""

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import pytest

from certdash.sandbox import DEMO, running_server
from tests.prove.model import facts_of
from tests.prove.served import Turning
from tests.prove.setting_up import NewApp, set_up
from tests.prove.store import Store
from tests.support.installation import Installation, Running
from tests.support.proof import Sized, Tell
from tests.support.stored import wait_until

GROUPS = ("Engineering", "Managers")
PHASES = ("downloading", "comparing", "withdrawing")
SECONDS = 120
RUNS = 10
# What is done now: a run's phase, or what an owner accepted.
_LOOK = """SELECT phase FROM certdash_syncrun WHERE status = 'running'
    UNION ALL SELECT 'accepting' FROM certdash_syncrun r WHERE r.accepted_at IS NOT NULL
    AND EXISTS (SELECT 1 FROM certdash_certificate c WHERE c.missing_in_id = r.id)"""
_MAKE_DUE = "UPDATE certdash_syncrun SET requested_at = '2001-01-01 00:00:00+00:00'"


class Killing:
    """An app on a vendor who says something else each turn, and processes that die at work on it."""

    def __init__(self, installation: Installation, vendor: Turning, url: str) -> None:
        self.installation, self.vendor, self.url = installation, vendor, url
        self.store = Store(installation)
        self.slug = "demo"
        self.spans: dict[str, float] = {}  # seconds of each phase in work that was left alone

    # -- What there is to do ------------------------------------------------------------------------------------

    def turn(self) -> None:
        self.vendor.turn_to(self.vendor.turn + 1)

    def turn_and_be_due(self) -> None:
        """So that a worker begins with it."""
        self.turn()
        self.store.ask(_MAKE_DUE)

    def add_an_app(self) -> None:
        """One that was never synchronised takes the place of the one before."""
        self.slug = f"demo-{self.vendor.turn}"
        self.turn()
        tracked = [word for group in GROUPS for word in ("--group", group)]
        about = ("--name", self.slug, "--base-url", self.url, "--app-id", DEMO.app_id, *tracked)
        self.installation.manage("add_app", self.slug, *about, stdin=DEMO.token)

    def lack_half(self) -> None:
        """More than may be withdrawn without an owner; before that, all of it is back."""
        for halved in (False, True):
            self.vendor.halved = halved
            self.vendor.turn_to(self.vendor.turn // 2 * 2 + 2)  # an even one lacks nothing of the other half
            if not halved:
                self.sync()

    # -- Who does it --------------------------------------------------------------------------------------------

    def sync(self) -> None:
        """A sync that is left alone; then what is stored is the vendor's truth."""
        report = json.loads(self.installation.manage("sync", self.slug, "--json").stdout)
        assert report["status"] in ("success", "unchanged")
        self.assert_true()

    def work(self) -> None:
        """A worker that is left alone until there is nothing to do; then the same."""
        working = self.installation.start("worker")
        last = "SELECT status FROM certdash_syncrun ORDER BY id DESC LIMIT 1"
        # At its start it closes what died before it begins again.
        wait_until(lambda: (self._phase(), self.store.ask(last)[0][0]), _is_done, SECONDS)
        working.stop()
        self.assert_true()

    def work_and_sync(self) -> None:
        self.work()
        self.sync()

    def assert_true(self) -> None:
        truth = facts_of(self.vendor.elements(self.url, app=DEMO.app_id))
        assert self.store.facts(self.slug) == Counter(truth)
        members = {name: facts_of(self.vendor.elements(self.url, app=DEMO.app_id, groups=[name])) for name in GROUPS}
        persons = {name: {fact.person for fact in facts} for name, facts in members.items()}
        assert self.store.members(self.slug) == persons
        self.store.assert_sound()

    # -- What dies ----------------------------------------------------------------------------------------------

    def measure(self, work: "Work") -> None:
        """See how long each phase takes of work that is as much as what will die.

        On a busy machine a look may come too late for a phase: then at another one.
        """
        for _ in range(RUNS):
            work.prepare(self)
            began: dict[str, float] = {}
            with self._running(work) as running:
                while (phase := self._phase()) or not work.is_over(running):
                    if phase:
                        began.setdefault(phase, time.monotonic())
                ended = time.monotonic()
            self.store.end_leases()
            ends = [*list(began.values())[1:], ended]
            self.spans |= {phase: end - begin for (phase, begin), end in zip(began.items(), ends, strict=True)}
            if self.spans.keys() >= set(work.phases):
                return
        raise AssertionError(f"Of {work.phases} only {self.spans.keys()} were seen in {RUNS} runs.")

    def kill(self, work: "Work", phase: str, share: float) -> str:
        """Let it die when a share of a phase has passed; gives the phase in which it did, "" when it was over."""
        with self._running(work) as running:
            while (now := self._phase()) != phase and (now or not work.is_over(running)):
                time.sleep(0.001)
            time.sleep(share * self.spans[phase])
            running.kill()
            died_in = self._phase()
        self.store.end_leases()
        return died_in

    @contextmanager
    def _running(self, work: "Work") -> Iterator[Running]:
        """A process that has sent its question."""
        self.vendor.sending.clear()
        running = self.installation.start(*(word.format(self.slug) for word in work.command))
        assert self.vendor.sending.wait(SECONDS)
        yield running
        running.kill()

    def _phase(self) -> str:
        """What is done now; "" when nothing is. An answer that comes is downloaded before that is noted."""
        found = self.store.ask(_LOOK)
        phase = str(found[0][0]) if found else ""
        return "downloading" if phase == "asking" else phase


def _is_done(seen: tuple[str, str]) -> bool:
    phase, status = seen
    return not phase and status not in ("running", "interrupted")


class Work(NamedTuple):
    """What is killed in these phases, after what was prepared, and what completes it."""

    command: tuple[str, ...]
    phases: tuple[str, ...]
    prepare: Callable[[Killing], None]
    complete: Callable[[Killing], None]

    def is_over(self, running: Running) -> bool:
        """Nothing is done any more: a worker only waits then, and a command has told its report."""
        return self.command == ("worker",) or running.output.endswith("\n")


_SYNC = ("sync", "{}", "--json")
LATER = Work(_SYNC, PHASES, Killing.turn, Killing.sync)
OTHERS = {
    "a first sync": Work(_SYNC, ("comparing", "downloading"), Killing.add_an_app, Killing.sync),
    "an acceptance": Work((*_SYNC, "--accept-withdrawals"), ("accepting",), Killing.lack_half, Killing.work_and_sync),
    "a worker": Work(("worker",), ("comparing", "withdrawing", "downloading"), Killing.turn_and_be_due, Killing.work),
}


@pytest.fixture
def killing(installation: Installation, sized: Sized[int]) -> Iterator[Killing]:
    vendor = Turning(sized(2_700, 27_000), pace=0.01)
    with running_server(vendor) as url:
        set_up(installation, [NewApp("demo", url, DEMO.token, DEMO.app_id, GROUPS)])
        yield Killing(installation, vendor, url)


def kill_often(killing: Killing, work: Work, wanted: int, drawn: random.Random) -> tuple[Counter[str], Counter[str]]:
    """Until it has died so often; gives in which phases it did, and in which it was quicker."""
    killing.sync()
    killing.measure(work)
    work.complete(killing)
    died_in, missed = Counter[str](), Counter[str]()
    while died_in.total() < wanted:
        assert missed.total() <= max(wanted, RUNS), died_in
        work.prepare(killing)
        before = killing.store.pks()
        wished = min(work.phases, key=lambda phase: died_in[phase])
        if phase := killing.kill(work, wished, drawn.random() / (1 + missed[wished])):
            died_in[phase] += 1
        else:
            missed[wished] += 1  # next time sooner: so quick a phase is hard to hit
        work.complete(killing)
        now = killing.store.pks()
        assert all(pks <= now[table] for table, pks in before.items())
    return died_in, missed


def statuses(killing: Killing) -> Counter[str]:
    return Counter(status for (status,) in killing.store.ask("SELECT status FROM certdash_syncrun"))


def test_a_killed_sync_is_completed_by_the_next(
    killing: Killing, sized: Sized[int], drawn: random.Random, tell: Tell
) -> None:
    wanted = sized(5, 50)
    died_in, missed = kill_often(killing, LATER, wanted, drawn)
    found = statuses(killing)
    assert found["interrupted"] == wanted
    assert found.keys() <= {"interrupted", "success", "unchanged"}  # unchanged: only its closing was cut off
    assert died_in.keys() >= set(PHASES)
    rows = killing.store.facts("demo").total()
    tell(f"{rows:,} live certificates, killed while {dict(died_in)}, {missed.total()} were quicker")


@pytest.mark.parametrize("what", OTHERS)
def test_whatever_else_is_killed_is_completed_by_what_comes_next(
    what: str, killing: Killing, sized: Sized[int], drawn: random.Random, tell: Tell
) -> None:
    died_in, missed = kill_often(killing, OTHERS[what], sized(1, 10), drawn)
    assert statuses(killing).keys() <= {"interrupted", "success", "unchanged", "held"}
    assert ("held" in statuses(killing)) == (what == "an acceptance")
    tell(f"{what} killed while {dict(died_in)}, {missed.total()} were quicker")
