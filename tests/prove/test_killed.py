"""`kill -9` at whatever moment of a sync: the next run completes it, and nothing is lost or damaged."""

import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from certdash.sandbox import DEMO, running_server
from tests.prove.model import facts_of
from tests.prove.served import Turning
from tests.prove.setting_up import NewApp, set_up
from tests.prove.store import Store
from tests.support.installation import Installation, Running
from tests.support.proof import Sized, Tell

GROUPS = ("Engineering", "Managers")
PHASES = ("downloading", "comparing", "withdrawing")
SECONDS = 120
RUNS = 10
_LOOK = "SELECT phase FROM certdash_syncrun WHERE status = 'running'"


class Killing:
    """An app on a vendor who says something else each turn, and syncs of it that die."""

    def __init__(self, installation: Installation, vendor: Turning, url: str) -> None:
        self.installation, self.vendor, self.url = installation, vendor, url
        self.store = Store(installation)
        self.spans: dict[str, float] = {}  # seconds of each phase in a run that was left alone

    def turn(self) -> None:
        self.vendor.turn_to(self.vendor.turn + 1)

    def sync(self) -> None:
        """A run that is left alone; then what is stored is the vendor's truth."""
        report = json.loads(self.installation.manage("sync", "demo", "--json").stdout)
        assert report["status"] in ("success", "unchanged")
        truth = facts_of(self.vendor.elements(self.url, app=DEMO.app_id))
        assert self.store.facts() == Counter(truth)
        members = {name: facts_of(self.vendor.elements(self.url, app=DEMO.app_id, groups=[name])) for name in GROUPS}
        assert self.store.members() == {name: {fact.person for fact in facts} for name, facts in members.items()}
        self.store.assert_sound()

    def measure(self) -> None:
        """See how long each phase of a run takes that has as much to write as those that will die.

        On a busy machine a look may come too late for a phase: then at another run.
        """
        for _ in range(RUNS):
            self.turn()
            began: dict[str, float] = {}
            with self._running():
                while phase := self._phase():
                    began.setdefault(phase, time.monotonic())
                ended = time.monotonic()
            ends = [*list(began.values())[1:], ended]
            self.spans |= {phase: end - begin for (phase, begin), end in zip(began.items(), ends, strict=True)}
            if self.spans.keys() >= set(PHASES):
                return
        raise AssertionError(f"Of {PHASES} only {self.spans.keys()} were seen in {RUNS} runs.")

    def kill(self, phase: str, share: float) -> str:
        """Let a sync die when a share of a phase has passed; gives the phase in which it did, "" when it was over."""
        with self._running() as running:
            while self._phase() not in ("", phase):
                time.sleep(0.001)
            time.sleep(share * self.spans[phase])
            running.kill()
            died_in = self._phase()
        self.store.end_leases()
        return died_in

    @contextmanager
    def _running(self) -> Iterator[Running]:
        """A sync that has sent its question."""
        self.vendor.sending.clear()
        running = self.installation.start("sync", "demo", "--json")
        assert self.vendor.sending.wait(SECONDS)
        yield running
        running.kill()

    def _phase(self) -> str:
        """What the run does now; "" when it is over. An answer that comes is downloaded before that is noted."""
        found = self.store.ask(_LOOK)
        phase = str(found[0][0]) if found else ""
        return "downloading" if phase == "asking" else phase


@pytest.fixture
def killing(installation: Installation, sized: Sized[int]) -> Iterator[Killing]:
    vendor = Turning(sized(2_700, 27_000), pace=0.01)
    with running_server(vendor) as url:
        set_up(installation, [NewApp("demo", url, DEMO.token, DEMO.app_id, GROUPS)])
        yield Killing(installation, vendor, url)


def test_a_killed_sync_is_completed_by_the_next(
    killing: Killing, sized: Sized[int], drawn: random.Random, tell: Tell
) -> None:
    killing.sync()
    killing.measure()
    wanted, died_in, missed = sized(5, 50), Counter[str](), Counter[str]()
    while died_in.total() < wanted:
        assert missed.total() <= wanted, died_in
        killing.turn()
        before = killing.store.pks()
        wished = min(PHASES, key=lambda phase: died_in[phase])
        if phase := killing.kill(wished, drawn.random() / (1 + missed[wished])):
            died_in[phase] += 1
        else:
            missed[wished] += 1  # next time sooner: so quick a phase is hard to hit
        killing.sync()
        now = killing.store.pks()
        assert all(pks <= now[table] for table, pks in before.items())
    statuses = Counter(status for (status,) in killing.store.ask("SELECT status FROM certdash_syncrun"))
    assert statuses["interrupted"] == wanted
    assert statuses.keys() <= {"interrupted", "success", "unchanged"}  # unchanged: only its closing was cut off
    assert died_in.keys() >= set(PHASES)
    rows = killing.store.facts().total()
    tell(f"{rows:,} live certificates, killed while {dict(died_in)}, {missed.total()} were quicker")
