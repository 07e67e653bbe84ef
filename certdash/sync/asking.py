"""What a run asks the vendor for: one call, or several where an app synchronises only a part."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from certdash.models import App, Breadth, Group, Learner, Story

ERASED = "(erased)"  # in the place of the address of somebody who was erased


class Scope(NamedTuple):
    """How far a run goes: as far as its app, or only one story or some users, by the endpoint's own parameters."""

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


class Call(NamedTuple):
    """One call for rows: `ask` are the parameters of `FalkorClient.certificates`."""

    ask: dict[str, Any]
    group: Group | None = None  # whose members come back

    def __str__(self) -> str:
        return f"The group “{self.group}”" if self.group else f"The story “{self.ask['story']}”"

    @property
    def place(self) -> str:
        """What the place of a row begins with, where answers to several calls have such a place."""
        return f"group {self.group}: " if self.group else f"story {self.ask['story']}: "


class NothingToAsk(Exception):
    """The app's breadth leaves nothing to ask for. `why`: a reason and a remedy, without what came of it."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(f"{reason} Nothing was changed. {remedy}")
        self.why = f"{reason} {remedy}"


def calls_of(app: App, scope: Scope) -> list[Call]:
    """The calls of a run. Raises `NothingToAsk`."""
    if scope.users and set(scope.users) == {ERASED}:
        raise NothingToAsk("Whoever this run is for was erased from this app.", "An owner can lift the erasure.")
    scope = scope._replace(users=tuple(user for user in scope.users if user != ERASED))
    ask: dict[str, Any] = {"app": app.app_id, "story": scope.story, "users": scope.users}
    if app.breadth == Breadth.STORIES:
        return [Call(ask | {"story": story}) for story in _listed(app, scope)]
    if app.breadth == Breadth.GROUPS:
        groups = list(app.groups.filter(tracked=True))
        if not groups:
            raise NothingToAsk(
                "Only the tracked groups of this app are synchronised, and there is none.",
                "An owner can name the groups to track.",
            )
        return [Call(ask | {"groups": [group.name]}, group) for group in groups]
    return [Call(ask)]


def _listed(app: App, scope: Scope) -> list[str]:
    """The listed stories that a run asks for, as they are listed: one may be asked for by its ID and listed by name."""
    if not scope.story:
        listed = app.listed_stories
    else:
        names = _names(app, scope.story)
        listed = [story for story in app.listed_stories if any(same_story(story, name) for name in names)]
    if not listed:
        raise not_listed("this is none of them" if scope.story else "none is listed")
    return list(listed)


def not_listed(what: str) -> NothingToAsk:
    """What to raise when the list of an app does not hold what was asked for."""
    return NothingToAsk(
        f"Only listed stories of this app are synchronised, and {what}.", "An owner can change the list."
    )


def _names(app: App, story: str) -> set[str]:
    """All that is known to name the story of this ID or name."""
    known = Story.objects.filter(app=app).values_list("vendor_id", "name")
    return {story}.union(*(both for both in known if any(same_story(story, one) for one in both)))


def question_of(app: App, call: Call) -> str:
    """A digest of what a call asks for; of a narrow one, of what a full run asks for in its place."""
    story = call.ask.get("story", "") if app.breadth == Breadth.STORIES else ""
    return _digest(app, story, call.ask.get("groups", []))


def in_turn(app: App, calls: Sequence[Call]) -> list[Call]:
    """The same calls, those last that brought nothing the last time, the latest of them at the end.

    A run may give up before it has asked all: so each has its turn.
    """
    turns = {question: turn for turn, question in enumerate(app.unanswered)}
    return sorted(calls, key=lambda call: turns.get(question_of(app, call), -1))


def was_answered(app: App, call: Call) -> bool:
    """Whether a full run knows the answer already, by itself or as a part of everything."""
    return not {question_of(app, call), _digest(app)}.isdisjoint(app.answered)


def _digest(app: App, story: str = "", groups: Sequence[str] = ()) -> str:
    asked = json.dumps([app.app_id, story.strip().casefold(), list(groups)])
    return hashlib.sha256(asked.encode()).hexdigest()[:16]


def same_story(one: str, other: str) -> bool:
    """Whether two texts name the same story; the vendor's own rule is not documented, so without case."""
    return one.strip().casefold() == other.strip().casefold()
