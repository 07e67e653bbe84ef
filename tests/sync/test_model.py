"""Whatever happens at the vendor and on the way: the next good run stores the vendor's truth, and all history."""

from contextlib import ExitStack
from itertools import count
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from pytest_httpserver import HTTPServer

from certdash.falkor import client
from certdash.models import Breadth, SyncRun
from certdash.models.group import track_groups
from certdash.sync import bulk
from certdash.sync.asking import Scope
from tests.prove.changes import Awarded, AwardedToMany, Moved, TakenFromMany, awards, changes
from tests.prove.driver import FAULTS, FULL, Driver, rolled_back
from tests.prove.model import GROUPS
from tests.support.proof import Sized
from tests.sync.vendor import new_app

happenings = st.lists(changes, min_size=1, max_size=5)
begun_with = st.lists(awards, min_size=3, max_size=12)
stories = st.sampled_from(["ID-1", "Story A", "story c", "ID-9"])
users = st.sampled_from([" ANN@mail.example", "bo.STRASSE@mail.example", "Cy Doe", "nobody@mail.example"])
narrow = st.one_of(
    stories.map(Scope),
    users.map(lambda user: Scope(users=(user,))),
    st.tuples(stories, users, users).map(lambda drawn: Scope(drawn[0], drawn[1:])),
)
faults = st.sampled_from(sorted(FAULTS))
numbers = count()


class Model(RuleBasedStateMachine):
    """The vendor changes, things go wrong, and now and then a run is good."""

    server: HTTPServer
    breadths: tuple[Breadth, ...]

    def __init__(self) -> None:
        super().__init__()
        self.example = ExitStack()
        self.example.enter_context(rolled_back())
        self.server.clear()
        app = new_app(self.server.url_for(""), f"app-{next(numbers)}", groups=GROUPS[:1])
        self.driver = Driver(self.server, app)

    @initialize(data=st.data(), seed=st.integers(0, 2**16), first=begun_with, members=st.frozensets(st.integers(0, 5)))
    def begin(self, data: Any, seed: int, first: list[Any], members: frozenset[int]) -> None:
        self.driver.rng = Random(seed)
        self.scope_is(data.draw(st.sampled_from(self.breadths)), ["ID-1", "story c"])
        self.happens([*first, Moved("Sales", members)])

    def happens(self, some: list[Any]) -> None:
        for change in some:
            change.happen(self.driver.world)

    def teardown(self) -> None:
        with self.example:
            self.driver.settle()

    # -- Runs, after what happened at the vendor ----------------------------------------------------------------

    @rule(some=happenings)
    def settle(self, some: list[Any]) -> None:
        self.happens(some)
        self.driver.settle()

    @rule(some=happenings)
    def sync(self, some: list[Any]) -> None:
        self.happens(some)
        self.driver.sync()

    @rule(some=happenings, scope=narrow)
    def sync_narrowly(self, some: list[Any], scope: Scope) -> None:
        self.happens(some)
        self.driver.sync(scope)

    @rule(some=happenings, fault=faults, scope=st.just(FULL) | narrow)
    def sync_with_a_fault(self, some: list[Any], fault: str, scope: Scope) -> None:
        self.happens(some)
        self.driver.sync_with(fault, scope)

    @rule(some=happenings, writes=st.integers(0, 40), settled=st.booleans())
    def sync_and_die(self, some: list[Any], writes: int, settled: bool) -> None:
        self.happens(some)
        self.driver.sync_killed(writes)
        if settled:  # by the same answer
            self.driver.settle()

    @rule(some=happenings)
    def sync_while_it_happens(self, some: list[Any]) -> None:
        self.driver.meanwhile = lambda: self.happens(some)
        self.driver.sync()

    # -- The owner ----------------------------------------------------------------------------------------------

    @rule(writes=st.none() | st.integers(0, 12))
    def accept(self, writes: int | None) -> None:
        self.driver.accept(writes)

    @rule(groups=st.sets(st.sampled_from(GROUPS), min_size=1))
    def track(self, groups: set[str]) -> None:
        track_groups(self.driver.app, sorted(groups))

    @precondition(lambda self: len(self.breadths) > 1)
    @rule(data=st.data(), listed=st.sets(stories, min_size=1))
    def rescope(self, data: Any, listed: set[str]) -> None:
        self.scope_is(data.draw(st.sampled_from(self.breadths)), sorted(listed))

    def scope_is(self, breadth: Breadth, listed: list[str]) -> None:
        self.driver.app.breadth, self.driver.app.listed_stories = breadth, listed
        self.driver.app.save()


@pytest.fixture
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Failed calls are tried again at once, few rows are many transactions as else thousands are, and nobody waits."""
    monkeypatch.setattr(client, "BACKOFF_SECONDS", 0.0)
    monkeypatch.setattr(bulk, "PART", 2)
    monkeypatch.setattr(bulk, "ROWS", 4)
    monkeypatch.setattr(bulk, "_PAUSE", 0.0)


@pytest.mark.parametrize("breadths", [(Breadth.EVERYTHING,), tuple(Breadth)], ids=["everything", "any part"])
def test_the_next_good_run_stores_the_truth_and_history_is_complete(
    breadths: tuple[Breadth, ...], db: None, httpserver: HTTPServer, quickly: None, sized: Sized[Any]
) -> None:
    machine = type("Machine", (Model,), {"server": httpserver, "breadths": breadths})
    bounded = settings(
        max_examples=sized(12, 300),
        stateful_step_count=sized(12, 25),
        derandomize=sized(True, False),  # in the short form the same every time
        deadline=None,
        database=None,
        phases=sized((Phase.generate,), (Phase.generate, Phase.shrink)),  # to shrink what failed takes minutes
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=bounded)


def test_a_crowd_that_leaves_beside_news_stays_until_an_owner_says_so(
    db: None, httpserver: HTTPServer, quickly: None
) -> None:
    driver = Driver(httpserver, new_app(httpserver.url_for(""), groups=GROUPS))
    held = SyncRun.Status.HELD

    def happens(*some: Any) -> None:
        for change in some:
            change.happen(driver.world)

    def found() -> tuple[str, int, int]:
        run = driver.sync()
        return run.status, run.created, run.missing

    happens(AwardedToMany(0), *(Awarded(3, learner, "pending", learner, "") for learner in range(5)))
    driver.settle()
    crowd = [one for one in driver.world.certificates if one.story is driver.world.stories[0]]
    happens(TakenFromMany(), AwardedToMany(2))
    assert found() == (held, 30, 30)
    happens(AwardedToMany(4))  # so many news that the lack is small beside them
    assert found() == (held, 30, 30)
    driver.world.certificates += crowd[:4]
    assert found() == (held, 0, 26)
    driver.accept(writes=1)  # and the process dies
    driver.world.certificates += crowd[4:6]
    assert driver.sync().returned == 0
    assert driver.sync().status == SyncRun.Status.UNCHANGED
    driver.settle()
    happens(TakenFromMany())
    assert found() == (held, 0, 66)
    driver.accept()
    driver.settle()
