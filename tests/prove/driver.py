"""An app on a model vendor: runs good and bad, and what must be true after each."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from random import Random
from typing import Any

from django.db import connection, transaction
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from certdash.models import App, Breadth, Certificate, Learner, Membership, SyncRun
from certdash.sync.asking import Scope
from certdash.sync.run import sync_app
from certdash.sync.schedule import unfinished_acceptances
from certdash.sync.withdrawals import accept, withdraw_accepted
from tests.falkor.vendors import ENDPOINT
from tests.prove.history import History, Seen, certificates, gone, signature
from tests.prove.model import (
    MONDAY,
    Plain,
    World,
    body_of,
    facts_of,
    halved,
    spoilt_by,
    truth_of,
    with_a_bad_element,
    with_a_bad_row,
)
from tests.sync.truth import Fact, stored_facts, stored_members, stored_stories

Status = SyncRun.Status
Asked = dict[str, Any]
Elements = list[dict[str, Any]]
Says = bytes | Response

FULL = Scope()
_REFUSED = ["Sales"]
_DISORDER = 0.4  # the share of answers that differ from others of the same content


class Killed(BaseException):
    """The process is gone: from here on it writes nothing."""


def _refused(_: Asked, __: Elements) -> Says:
    return Response(b'{"status": "error", "message": "Not today."}', 500)


def _one_group_refused(asked: Asked, elements: Elements) -> Says:
    return _refused(asked, elements) if asked.get("groups") == _REFUSED else body_of(elements)


FAULTS: dict[str, Callable[[Asked, Elements], Says]] = {
    "500": _refused,
    "cut": lambda _, elements: body_of(elements)[: len(body_of(elements)) // 2],
    "nothing": lambda *_: body_of([]),
    "half": lambda _, elements: body_of(halved(elements)),
    "half of the groups": lambda asked, some: body_of(halved(some) if "groups" in asked else some),
    "a bad row": lambda _, elements: body_of(with_a_bad_row(elements)),
    "a bad element": lambda _, elements: body_of(with_a_bad_element(elements)),
    "one group's 500": _one_group_refused,
}


class Driver:
    """A stored app whose vendor is a `World`, asked over a socket."""

    def __init__(self, server: HTTPServer, app: App) -> None:
        self.app, self.world, self.moment = app, World(), MONDAY
        self.rng = Random(0)
        self.history = History(app)
        self.asked: list[Asked] = []  # in the last run
        self.meanwhile: Callable[[], None] = lambda: None  # happens once, after the next answer was made
        self._says: Callable[[Asked, Elements], Says] = lambda _, elements: body_of(elements)
        self._spoilt: set[tuple[str, str]] = set()  # stories that a bad row stood in, in the last run
        self._told: set[tuple[Any, ...]] = set()
        self._heard: dict[str, Says] | None = None
        server.expect_request(ENDPOINT).respond_with_handler(self._answer)

    def _answer(self, request: Request) -> Response:
        said = self._say(json.loads(request.data))
        return said if isinstance(said, Response) else Response(said, mimetype="application/json")

    def _say(self, asked: Asked) -> Says:
        self.asked.append(asked)
        question = json.dumps(asked)
        if self._heard is not None and question in self._heard:
            return self._heard[question]
        elements = self.world.elements(self.rng if self.rng.random() < _DISORDER else Plain(), asked)
        self._told |= {_row_of(fact) for fact in facts_of(elements)}
        if "groups" not in asked or self.app.breadth == Breadth.GROUPS:  # else it only tells who is in the group
            self._spoilt |= spoilt_by(elements)
        said = self._says(asked, elements)
        if self._heard is not None:
            self._heard[question] = said
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        return said

    # -- Runs ---------------------------------------------------------------------------------------------------

    def sync(self, scope: Scope = FULL) -> SyncRun:
        """A run as things are, and what is true after any."""
        self.moment += timedelta(hours=1)
        self.asked, self._spoilt = [], set()
        before, members = certificates(self.app), _open_memberships(self.app)
        run = sync_app(self.app, scope, clock=lambda: self.moment)
        now = certificates(self.app)
        self.history.look()
        assert {_row_of(fact) for fact in _all_facts(self.app)} <= self._told
        newly = {pk for pk in before if now[pk]["gone"] and not before[pk]["gone"]}
        if run.is_narrow:
            self._assert_narrow(scope, newly)
        else:
            self._assert_asked_an_owner(before, newly, members)
        return run

    def _assert_asked_an_owner(self, before: Seen, newly: set[int], members: dict[int, int]) -> None:
        """Nothing takes away much of what was there but an owner, and then not in a run."""
        now = certificates(self.app)
        outside = {pk for pk in newly if now[pk]["gone"] == "outside"}
        live = {pk for pk in before if not before[pk]["gone"]} - outside
        assert not _much(len(newly - outside), len(live))
        left = Counter(members[pk] for pk in members.keys() - _open_memberships(self.app).keys())
        there = Counter(members.values())
        assert not any(_much(left[group], there[group]) for group in left)

    def _assert_narrow(self, scope: Scope, newly: set[int]) -> None:
        # A story that is asked for by its ID may be listed by its name, which another one has as well.
        assert {asked.get("story", "") for asked in self.asked} <= {scope.story, *self.app.listed_stories}
        questions = [{key: asked[key] for key in ("story", "users") if key in asked} for asked in self.asked]
        heads = [element["story"] for asked in questions for element in self.world.elements(Plain(), asked)]
        stories = {(head["ID"] or "", head["name"]) for head in heads}
        emails = {user.strip().casefold() for user in scope.users if "@" in user}
        rows = Certificate.objects.filter(pk__in=newly).values_list("story__vendor_id", "story__name", "email")
        for vendor_id, name, email in rows:
            assert (vendor_id, name) in stories
            assert not scope.users or email.strip().casefold() in emails

    def sync_with(self, fault: str, scope: Scope = FULL) -> SyncRun:
        """A run into which something goes wrong."""
        before, gone_before, says = signature(self.app, bytes_too=True), gone(self.app), self._says
        self._says, self._heard = FAULTS[fault], {}
        try:
            run = self.sync(scope)
            spoilt = self._spoilt
            if run.status in (Status.PARTIAL, Status.HELD) and not run.is_narrow:
                assert self.sync().status == run.status  # the same bytes are no better the second time
        finally:
            self._says, self._heard = says, None
        if fault in ("500", "cut"):
            assert run.status == Status.FAILED
            assert signature(self.app, bytes_too=True) == before
        if fault == "a bad element":
            assert run.status == (Status.PARTIAL if self.asked else Status.FAILED)
            assert gone(self.app) <= gone_before
        if fault == "a bad row":
            newly = Certificate.objects.filter(pk__in=gone(self.app) - gone_before)
            assert not spoilt & set(newly.values_list("story__vendor_id", "story__name"))
        if fault == "one group's 500" and self.app.breadth == Breadth.GROUPS and _REFUSED in self._groups_asked():
            assert gone(self.app) <= gone_before
        return run

    def _groups_asked(self) -> list[Any]:
        """What the last run asked for by groups: one that is tracked no longer is not refused either."""
        return [asked["groups"] for asked in self.asked if "groups" in asked]

    def sync_killed(self, writes: int, scope: Scope = FULL) -> None:
        """A run whose process ends after so many writes, unless it is done before."""
        self.moment += timedelta(hours=1)
        with dying_after(writes):
            sync_app(self.app, scope, clock=lambda: self.moment)
        self.history.look()

    def accept(self, writes: int | None = None) -> None:
        """An owner accepts what the newest held run missed; the process may end after so many writes."""
        held = self.app.runs.filter(status=Status.HELD).first()
        if held is None:
            return
        self.moment += timedelta(hours=1)
        accept(held, None, self.moment)
        held.refresh_from_db()
        if held.accepted_at:
            with dying_after(writes):
                withdraw_accepted(held, lambda: self.moment)
        self.history.look()

    # -- What must be true --------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Runs, accepting what is held, until one is good: then what is stored is the truth, and all history."""
        for accepted in unfinished_acceptances():  # as the worker does every minute
            withdraw_accepted(accepted, lambda: self.moment)
        run = self.sync()
        for _ in range(3):
            if run.status == Status.HELD:
                self.accept()
                run = self.sync()
        assert run.status in (Status.SUCCESS, Status.UNCHANGED), run.message
        self._assert_true()
        self.history.assert_complete()
        self._assert_idle()

    def _assert_true(self) -> None:
        groups = self.app.groups.filter(tracked=True).values_list("name", flat=True)
        truth = truth_of(self.world, self._questions(list(groups)), list(groups))
        assert stored_facts(self.app) == Counter(truth.facts)
        if self.app.breadth != Breadth.GROUPS:  # a story without a member's certificate does not come back there
            live = {head for head in stored_stories(self.app) if self._is_listed(head)}
            assert live == {head for head in truth.stories if self._is_listed(head)}
        persons = {fact.person for fact in truth.facts}
        whole = self.app.breadth != Breadth.STORIES  # else a member's certificates may all be outside
        members = {name: who if whole else who & persons for name, who in stored_members(self.app).items()}
        assert members == {name: who & persons for name, who in truth.members.items()}
        _assert_named(self.app)

    def _questions(self, groups: list[str]) -> list[Asked]:
        if self.app.breadth == Breadth.GROUPS:
            return [{"groups": [name]} for name in groups]
        if self.app.breadth == Breadth.STORIES:
            return [{"story": story} for story in self.app.listed_stories]
        return [{}]

    def _is_listed(self, head: tuple[str, ...]) -> bool:
        if self.app.breadth != Breadth.STORIES:
            return True
        return bool({text.casefold() for text in head[:2]} & {text.casefold() for text in self.app.listed_stories})

    def _assert_idle(self) -> None:
        """The same in another order is nothing new, and the same bytes are not even noted."""
        for bytes_too in (False, True):
            before = signature(self.app, bytes_too=bytes_too)
            self._heard = {} if self._heard is None else self._heard
            assert self.sync().status == Status.UNCHANGED
            assert signature(self.app, bytes_too=bytes_too) == before
        self._heard = None


def _much(gone: int, of: int) -> bool:
    return gone > 20 and gone * 5 > of


def _open_memberships(app: App) -> dict[int, int]:
    """The group of each, by pk."""
    return dict(Membership.objects.filter(group__app=app, until=None).values_list("pk", "group"))


def _assert_named(app: App) -> None:
    """Every learner goes by the name of the newest row, of several by the smallest."""
    told = Certificate.objects.filter(app=app).values_list("learner", "timestamp", "firstname", "lastname")
    names: dict[int, list[tuple[datetime, str]]] = {}
    for learner, timestamp, firstname, lastname in told:
        names.setdefault(learner, []).append((timestamp, f"{firstname} {lastname}".strip()))
    newest = {learner: min(name for at, name in rows if at == max(rows)[0]) for learner, rows in names.items()}
    assert dict(Learner.objects.filter(app=app).values_list("pk", "name")) == newest


def _row_of(fact: Fact) -> tuple[Any, ...]:
    """Without the story's name and type, which may have changed since."""
    return (fact.story_id, *fact[3:])


def _all_facts(app: App) -> Iterator[Fact]:
    names = ("firstname", "lastname", "email", "telephone", "country", "city", "state", "timestamp", "url")
    columns = ("state_sent", "story__vendor_id", "story__name", "story__type", *names)
    for sent, *row in Certificate.objects.filter(app=app).values_list(*columns):
        fact = Fact(*row)
        yield fact._replace(state=sent) if sent else fact


@contextmanager
def dying_after(writes: int | None) -> Iterator[None]:
    """The block ends as if the process did, after so many writes; None: it lives."""
    left = writes

    def execute(run: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal left
        if left is not None and sql.startswith(("INSERT", "UPDATE", "DELETE")):
            if not left:
                raise Killed
            left -= 1
        return run(sql, params, many, context)

    with connection.execute_wrapper(execute):
        try:
            yield
        except Killed:
            return


@contextmanager
def rolled_back() -> Iterator[None]:
    """An example of many in one test: nothing of it stays in the database."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
