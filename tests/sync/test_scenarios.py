"""What a sync makes of every way in which the sandbox misbehaves, on a real socket."""

import json
import logging
import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import transaction
from pytest_django import DjangoDbBlocker

from certdash.models import App, Certificate, Change, Learner, Membership, Rejection, Story, SyncRun
from certdash.sandbox import DEMO, SCENARIOS, Clock, Misbehaving, SandboxApp, Selection, running_server
from certdash.sync.run import sync_app
from certdash.sync.withdrawals import accept, withdraw_accepted
from tests.sync.expected import GROUPS, LATER, MONDAY, SOME, TABLE, THEN, WORLD, Must
from tests.sync.truth import Fact, Truth, assert_true, lines, stored_facts, stored_members
from tests.sync.vendor import new_app

SECRETS = (DEMO.token, f"{DEMO.key}:{DEMO.secret}", DEMO.secret)


def test_the_table_says_of_every_scenario_what_must_happen():
    assert list(TABLE) == list(SCENARIOS)


class Stage:
    """The misbehaving sandbox on a socket, and the truth about its app."""

    def __init__(self, url: str, sandbox: Misbehaving, clock: Clock) -> None:
        self.url, self.sandbox, self.clock = url, sandbox, clock
        self.truth = Truth(WORLD, DEMO.app_id, url)

    def new_app(self, **fields: Any) -> App:
        return new_app(self.url, token=DEMO.token, groups=GROUPS, app_id=DEMO.app_id, **fields)

    def sync(self, app: App, at: datetime) -> SyncRun:
        self.clock.frozen = at
        return sync_app(app, clock=lambda: at)

    def play(self, app: App, name: str, statuses: str, settings: LazySettings) -> SyncRun:
        """Synchronise once for each of these statuses while the scenario is played; gives the last run."""
        must = TABLE[name]
        settings.UPSTREAM_DEADLINE = must.seconds or settings.UPSTREAM_DEADLINE
        self.sandbox.play(SCENARIOS[name])
        expected = statuses.split()
        moments = [THEN - timedelta(days=must.days * later) for later in reversed(range(len(expected)))]
        runs = [self.sync(app, moment) for moment in moments]
        assert [run.status for run in runs] == expected
        assert self.sandbox.calls == must.calls
        self.sandbox.play(None)
        settings.UPSTREAM_DEADLINE = 600
        return runs[-1]


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    clock = Clock(MONDAY)
    sandbox = Misbehaving(SandboxApp(WORLD, clock))
    with running_server(sandbox) as url:
        yield Stage(url, sandbox, clock)
        sandbox.stop()


@pytest.fixture(autouse=True)
def _everything_logged(settings: LazySettings, caplog: pytest.LogCaptureFixture, stage: Stage) -> Iterator[None]:
    settings.UPSTREAM_MAX_BYTES = 2 * 2**20
    caplog.set_level(logging.DEBUG)
    yield
    stage.sandbox.play(None)


def agrees(counted: int, expected: int) -> bool:
    return counted > 0 if expected == SOME else counted == expected


def check_told(run: SyncRun, must: Must) -> None:
    """What the run tells of the answer, whatever was stored before."""
    assert run.status != "failed" or "stored data is unchanged" in run.message
    assert "\n" not in run.message
    assert run.vendor_message == must.vendor
    assert agrees(run.rejected, must.rejected)
    assert agrees(run.repaired, must.repaired)
    places = {re.sub(r".*\]", "", path) for path in run.rejections.values_list("path", flat=True)}
    assert places - {""} == set(must.places.split())


def check_secrets(caplog: pytest.LogCaptureFixture) -> None:
    """The token is in no log and in nothing that a run leaves behind."""
    left = [list(model.objects.values()) for model in (SyncRun, Rejection, Change)]
    text = caplog.text + json.dumps(left, default=str)
    assert [secret for secret in SECRETS if secret in text] == []


# -- Over stored data -------------------------------------------------------------------------------------------


@pytest.fixture(scope="class")
def synchronised(django_db_setup: None, django_db_blocker: DjangoDbBlocker, stage: Stage) -> Iterator[App]:
    """An app that was synchronised once; the transaction of each test lies within the one of this."""
    with django_db_blocker.unblock(), transaction.atomic():
        app = stage.new_app()
        assert stage.sync(app, MONDAY).status == "success"
        assert_true(app, stage.truth, MONDAY)
        yield app
        transaction.set_rollback(True)


def check_stored(before: Counter[Fact], app: App, stage: Stage, must: Must) -> None:
    """Live are only rows of the truth and of before, as many of either as must be."""
    facts, truth = stored_facts(app), Counter(stage.truth.facts(THEN))
    if must.stored == "truth":
        assert facts == truth
    elif must.stored == "before":
        assert facts == before
    check_strange(facts - truth - before, must)
    if must.lacking != SOME:
        assert (truth - facts).total() <= must.lacking or must.stored == "before"


def check_strange(facts: Counter[Fact], must: Must) -> None:
    """So many of them, and one that is as it came."""
    assert agrees(facts.total(), must.strange)
    alike = (all(re.fullmatch(it, getattr(fact, name), re.DOTALL) for name, it in must.holds.items()) for fact in facts)
    assert any(alike) or not must.holds


def accept_held(app: App) -> None:
    withheld = app.runs.filter(status="held").first()
    assert accept(withheld, None, LATER)
    withheld.refresh_from_db()
    withdraw_accepted(withheld, lambda: LATER)


@pytest.mark.usefixtures("synchronised", "db")
class TestOverStoredData:
    @pytest.mark.parametrize("name", TABLE)
    def test_the_run_does_what_it_must_and_the_next_good_one_knows_the_truth(
        self, name, synchronised, stage, settings, caplog
    ):
        app, must = synchronised, TABLE[name]
        before, facts, members = lines(app), stored_facts(app), stored_members(app)
        run = stage.play(app, name, must.status, settings)
        check_told(run, must)
        assert must.says in run.message
        assert agrees(run.missing, must.missing)
        assert agrees(run.missing_members, must.missing_members)
        assert agrees(run.left, must.left)
        check_stored(facts, app, stage, must)
        if must.members:
            assert stored_members(app) == (members if must.members == "before" else stage.truth.members(GROUPS, THEN))
        after = lines(app)
        assert must.stored != "before" or after == before
        good = stage.sync(app, LATER)
        assert good.status == ("held" if must.accept else "success")
        assert agrees(good.returned, must.back)
        if must.accept:
            accept_held(app)
            assert stage.sync(app, LATER).status in {"success", "unchanged"}
        assert_true(app, stage.truth, LATER)
        assert before.keys() <= after.keys() <= lines(app).keys()
        if must.stored != "before":
            assert stage.sync(app, LATER).status == "unchanged"
        check_secrets(caplog)


# -- Over nothing -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TABLE)
def test_over_an_empty_database_nothing_wrong_is_stored(name, db, stage, settings, caplog):
    app, must = stage.new_app(), TABLE[name]
    run = stage.play(app, name, must.first, settings)
    check_told(run, must)
    facts, truth = stored_facts(app), Counter(stage.truth.facts(THEN))
    if must.stored == "truth":
        assert facts == truth
    check_strange(facts - truth, must)
    assert must.stored == "truth" or agrees((truth - facts).total(), must.lacking)
    if run.status == "failed" and must.stored == "before":
        assert not any(model.objects.exists() for model in (Story, Learner, Certificate, Membership))
    settle(app, stage)
    assert_true(app, stage.truth, LATER)
    check_secrets(caplog)


def settle(app: App, stage: Stage) -> None:
    """Good answers, and an owner who accepts what they lack."""
    if stage.sync(app, LATER).status == "held":
        accept_held(app)
        stage.sync(app, LATER)
    assert stage.sync(app, LATER).status == "unchanged"


# -- Where only a part is synchronised --------------------------------------------------------------------------

LISTED = ["WK1D-EGZD-8PCF", "EV72-RQZY-80AH", "6SNY-4YZF-QGQ6"]  # of the second two stories; the third is renamed
PARTS = {
    "stories": [Selection(story=listed) for listed in LISTED],
    "groups": [Selection(groups=[group]) for group in GROUPS],
}
# Status of the run, where stories are listed and where only groups are asked for.
OF_PARTS = {
    "server-error": ("failed", "failed"),
    "cut-length": ("failed", "failed"),
    "fails-every-other-time": ("success", "success"),
    "groups-fail": ("partial", "failed"),
    "groups-nobody": ("held", "held"),
    "groups-ignored": ("success", "success"),
    "elements-strange": ("partial", "partial"),
    "heads-spoilt": ("partial", "partial"),
    "rows-strange": ("partial", "partial"),
    "no-data": ("held", "held"),
    "no-certificates": ("held", "held"),
    "half-missing": ("held", "success"),  # of the members no more than 20 are missing
    "story-renamed": ("success", "success"),
    "one-id": ("held", "held"),
    "shuffled": ("success", "success"),
}


@pytest.mark.parametrize("breadth", PARTS)
@pytest.mark.parametrize("name", OF_PARTS)
def test_a_part_survives_it_as_well_as_the_whole(name, breadth, db, stage, settings, caplog):
    app = stage.new_app(breadth=breadth, listed_stories=LISTED)
    assert stage.sync(app, MONDAY).status == "success"
    before, truth = stored_facts(app), stage.truth
    stage.sandbox.play(SCENARIOS[name])
    run = stage.sync(app, THEN)
    stage.sandbox.play(None)
    assert run.status == OF_PARTS[name][list(PARTS).index(breadth)], run.message
    assert run.status != "failed" or stored_facts(app) == before
    assert not (run.missing and run.withdrawn)
    settle(app, stage)
    assert stored_facts(app) == Counter(set().union(*(truth.facts(LATER, part) for part in PARTS[breadth])))
    check_secrets(caplog)
