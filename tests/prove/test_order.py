"""The order of rows never matters: not for what is stored, nor for what history tells."""

from collections import Counter
from collections.abc import Iterable
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer

from certdash.models import App, Certificate, Learner, Membership
from certdash.sync.withdrawals import accept, withdraw_accepted
from tests.prove.driver import Driver, Status, rolled_back
from tests.prove.history import certificates
from tests.prove.model import GROUPS, Held, World
from tests.support.proof import Sized
from tests.sync.vendor import new_app

# So few values that much is alike and pairs in more than one way.
award = st.tuples(
    st.integers(0, 1),  # story
    st.integers(0, 1),  # learner
    st.sampled_from(["pending", "delivered"]),
    st.integers(0, 1),  # day
    st.sampled_from(["", "https://c.example/1", "https://c.example/2"]),
    st.integers(0, 1),  # spelling
)
answers = st.lists(st.lists(award, max_size=6), min_size=2, max_size=4)


def told(app: App) -> tuple[Any, ...]:
    """All that pages tell of an app, without the numbers by which the database knows it."""
    runs = {pk: number for number, pk in enumerate(app.runs.order_by("pk").values_list("pk", flat=True))}
    changes: dict[int, list[Any]] = {}
    for pk, kind, run, before, after in app.changes.order_by("pk").values_list(
        "certificate", "kind", "run", "before", "after"
    ):
        changes.setdefault(pk, []).append((kind, runs[run], sorted(before.items()), sorted(after.items())))
    rows = certificates(app)
    heads = dict(app.stories.values_list("pk", "name"))
    stories = Counter(
        repr((heads[row.pop("story")], runs[row.pop("first_run")], _without_pks(row), changes.get(pk, [])))
        for pk, row in rows.items()
    )
    learners = sorted(Learner.objects.filter(app=app).values_list("identity", "name", "email", "search"))
    members = sorted(Membership.objects.filter(group__app=app).values_list("learner__identity", "since", "until"))
    after = sorted(Certificate.objects.filter(app=app).exclude(delivered_after=None).values_list("delivered_after"))
    return stories, learners, members, after


def _without_pks(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in ("app", "learner")}


def outcome(driver: Driver, steps: Iterable[Iterable[tuple[Any, ...]]], seed: int) -> tuple[Any, ...]:
    """What is told after these answers, given in an order of their own; what is held is accepted."""
    driver.rng, driver.world = Random(seed), World()
    for step in steps:
        driver.world.certificates = [Held(driver.world.stories[story], *rest) for story, *rest in step]
        driver.world.members["Sales"] = {one.learner for one in driver.world.certificates if one.day}
        run = driver.sync()
        if run.status == Status.HELD and accept(run, None, driver.moment):
            run.refresh_from_db()
            withdraw_accepted(run, lambda: driver.moment)
    return told(driver.app)


def test_the_order_of_rows_never_matters(db: None, httpserver: HTTPServer, sized: Sized[Any]) -> None:
    @settings(
        max_examples=sized(25, 1000),
        derandomize=sized(True, False),
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(answers, st.integers(1, 2**16))
    def whatever_the_order(steps: list[Any], seed: int) -> None:
        outcomes = []
        for order in (0, seed):
            httpserver.clear()
            with rolled_back():
                app = new_app(httpserver.url_for(""), groups=GROUPS[:1])
                outcomes.append(outcome(Driver(httpserver, app), steps, order))
        assert outcomes[0] == outcomes[1]

    whatever_the_order()
