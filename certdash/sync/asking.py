"""What a run asks the vendor for: one call, or several where an app synchronises only a part."""

from typing import Any, NamedTuple

from certdash.models import App, Breadth, Group, Learner


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


class NothingToAsk(Exception):
    """The app's breadth leaves nothing to ask for; the text says what to do."""


def calls_of(app: App, scope: Scope) -> list[Call]:
    """The calls of a run. Raises `NothingToAsk`."""
    ask: dict[str, Any] = {"app": app.app_id, "story": scope.story, "users": scope.users}
    if app.breadth == Breadth.STORIES:
        listed = [story for story in app.listed_stories if not scope.story or same_story(scope.story, story)]
        if not listed:
            raise NothingToAsk(
                "Only listed stories of this app are synchronised, and this is none of them. "
                "Nothing was changed. An owner can list it."
            )
        return [Call(ask | {"story": story}) for story in listed]
    if app.breadth == Breadth.GROUPS:
        groups = list(app.groups.filter(tracked=True))
        if not groups:
            raise NothingToAsk(
                "Only the tracked groups of this app are synchronised, and there is none. "
                "Nothing was changed. An owner can name the groups to track."
            )
        return [Call(ask | {"groups": [group.name]}, group) for group in groups]
    return [Call(ask)]


def same_story(one: str, other: str) -> bool:
    """Whether two texts name the same story; the vendor's own rule is not documented, so without case."""
    return one.strip().casefold() == other.strip().casefold()
