"""What can happen at the model vendor between two runs."""

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.prove.model import CROWD, GROUPS, HEADS, NAMES, PEOPLE, Held, World

LINKS = ("", "https://c.example/1", "https://c.example/2", "<certificate URL>")


@dataclass(frozen=True)
class Awarded:
    story: int
    learner: int
    state: str
    day: int
    url: str
    spelling: int = 0

    def happen(self, world: World) -> None:
        story = world.stories[self.story]
        world.certificates.append(Held(story, self.learner, self.state, self.day, self.url, self.spelling))


@dataclass(frozen=True)
class AwardedToMany:
    story: int

    def happen(self, world: World) -> None:
        story = world.stories[self.story]
        world.certificates += [Held(story, n, "delivered", 1, f"https://c.example/{n}") for n in CROWD]


@dataclass(frozen=True)
class TakenFromMany:
    def happen(self, world: World) -> None:
        world.certificates = [one for one in world.certificates if one.learner not in CROWD]


@dataclass(frozen=True)
class Changed:
    """Some of what is told of one certificate is another (None: as before)."""

    which: int  # counted on from the first after the last
    state: str | None = None
    days_later: int = 0
    url: str | None = None
    spelling: int | None = None
    copies: int | None = None

    def happen(self, world: World) -> None:
        if not world.certificates:
            return
        one = world.certificates[self.which % len(world.certificates)]
        one.day += self.days_later
        for name in ("state", "url", "spelling", "copies"):
            if getattr(self, name) is not None:
                setattr(one, name, getattr(self, name))


@dataclass(frozen=True)
class Removed:
    which: int

    def happen(self, world: World) -> None:
        if world.certificates:
            world.removed.append(world.certificates.pop(self.which % len(world.certificates)))


@dataclass(frozen=True)
class PutBack:
    which: int

    def happen(self, world: World) -> None:
        if world.removed:
            world.certificates.append(world.removed.pop(self.which % len(world.removed)))


@dataclass(frozen=True)
class LearnerChanged:
    learner: int
    firstname: str | None = None
    email: str | None = None

    def happen(self, world: World) -> None:
        told = {"firstname": self.firstname, "email": self.email}
        world.people[self.learner] |= {name: value for name, value in told.items() if value is not None}


@dataclass(frozen=True)
class StoryRenamed:
    story: int
    name: str

    def happen(self, world: World) -> None:
        world.stories[self.story].name = self.name


@dataclass(frozen=True)
class StoryListed:
    """Taken from the list, or put back on it."""

    story: int

    def happen(self, world: World) -> None:
        world.stories[self.story].listed ^= True


@dataclass(frozen=True)
class TypeChanged:
    head: tuple[str, str]

    def happen(self, world: World) -> None:
        world.surveys ^= {self.head}


@dataclass(frozen=True)
class Moved:
    """Who is in a group is decided anew."""

    group: str
    learners: frozenset[int]
    many: bool = False

    def happen(self, world: World) -> None:
        world.members[self.group] = set(self.learners) | (set(CROWD) if self.many else set())


which = st.integers(0, 59)
stories = st.integers(0, len(HEADS) - 1)
learners = st.integers(0, len(PEOPLE) - 1)
states = st.sampled_from(["pending", "delivered", "archived"])
spellings = st.integers(0, 2)
awards = st.builds(Awarded, stories, learners, states, st.integers(0, 3), st.sampled_from(LINKS), spellings)
_emails = st.sampled_from(["", "ann@mail.example", "bo.straße@mail.example", "new@mail.example"])
changes: st.SearchStrategy[Any] = st.one_of(
    awards,
    awards,
    st.builds(Changed, which, st.just("delivered"), st.integers(0, 2), st.sampled_from(LINKS)),
    st.builds(
        Changed, which, st.none() | states, st.integers(0, 2), st.none() | st.sampled_from(LINKS),
        st.none() | spellings, st.none() | st.integers(1, 3),
    ),
    st.builds(Removed, which),
    st.builds(Removed, which),
    st.builds(PutBack, which),
    st.builds(LearnerChanged, learners, st.none() | st.sampled_from(["Ann", "Anna", "Zoë"]), st.none() | _emails),
    st.builds(StoryRenamed, stories, st.sampled_from(NAMES)),
    st.builds(StoryListed, stories),
    st.builds(TypeChanged, st.sampled_from(HEADS)),
    st.builds(Moved, st.sampled_from(GROUPS), st.frozensets(learners), st.booleans()),
    st.builds(AwardedToMany, stories),
    st.just(TakenFromMany()),
)  # fmt: skip
