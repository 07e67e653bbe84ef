"""A small vendor whose whole world is in plain sight: what it holds, what it says, and what that means by its rules."""

import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from random import Random
from typing import Any

from tests.sync.truth import STATES, TYPES, Fact, Person

MONDAY = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
# Two stories with one ID, two with one name, one without an ID; and what they may be renamed to.
HEADS = (("ID-1", "Story A"), ("ID-1", "Story B"), ("ID-2", "Story A"), ("ID-3", "Story C"), ("", "Story D"))
NAMES = ("Story A", "Story B", "Story C", "story c", "Story E", "Ünïcode – ☃")
GROUPS = ("Sales", "Night shift")
PEOPLE = (
    {"firstname": "Ann", "lastname": "Lee", "email": "ann@mail.example", "city": "Aarhus"},
    {"firstname": "Ann", "lastname": "Lee", "email": "ann.lee@mail.example", "city": "Aarhus"},
    {"firstname": "Bo", "lastname": "Straße", "email": "bo.straße@mail.example"},
    {"firstname": "Cy", "lastname": "Doe", "telephone": "1"},
    {"firstname": "Cy", "lastname": "Doe", "telephone": "2"},
    {"firstname": "", "lastname": ""},
)
CROWD = range(len(PEOPLE), len(PEOPLE) + 30)
_SPELLINGS = (str, str.upper, lambda email: f"  {email} ")
_ZONES = (UTC, timezone(timedelta(hours=2)), timezone(-timedelta(hours=9, minutes=30)))
_EMPTY = dict.fromkeys(("firstname", "lastname", "email", "telephone", "country", "city"), "")


class Plain(Random):
    """Chance that always decides for the first: so an answer that says the same is the same, byte by byte."""

    def random(self) -> float:
        return 1.0

    def randrange(self, *_: Any, **__: Any) -> int:
        return 0

    def choice(self, seq: Any) -> Any:
        return seq[0]

    def shuffle(self, x: Any) -> None:
        """All stays where it is."""


@dataclass
class Story:
    id: str
    name: str
    listed: bool = True


@dataclass(eq=False)
class Held:
    """A certificate: `copies` rows of it are sent; a learner's e-mail is spelt in its own way in each."""

    story: Story
    learner: int
    state: str
    day: int
    url: str
    spelling: int = 0
    copies: int = 1


@dataclass
class World:
    stories: list[Story] = field(default_factory=lambda: [Story(*head) for head in HEADS])
    people: list[dict[str, str]] = field(
        default_factory=lambda: [
            *(_EMPTY | person for person in PEOPLE),
            *(_EMPTY | {"firstname": "One of", "lastname": f"Many {n}", "email": f"{n}@mail.example"} for n in CROWD),
        ]
    )
    certificates: list[Held] = field(default_factory=list)
    removed: list[Held] = field(default_factory=list)
    members: dict[str, set[int]] = field(default_factory=lambda: {name: set() for name in GROUPS})
    surveys: set[tuple[str, str]] = field(default_factory=set)  # ID and name of stories of that type

    def elements(self, rng: Random, asked: dict[str, Any]) -> list[dict[str, Any]]:
        """What is said to a question, in the order and in the ways of writing that chance decides for."""
        said = []
        for story in self.stories:
            if not story.listed or asked.get("story", story.id) not in (story.id, story.name):
                continue
            rows = [self._row(one, rng) for one in self._asked_for(story, asked) for _ in range(one.copies)]
            rng.shuffle(rows)
            if not rows and (asked.get("groups") or asked.get("users")):
                continue
            cut = rng.randrange(len(rows) + 1)  # a story may come in two elements
            said += [self._element(story, part, rng) for part in ((rows[:cut], rows[cut:]) if cut else (rows,))]
        rng.shuffle(said)
        return said

    def _asked_for(self, story: Story, asked: dict[str, Any]) -> Iterator[Held]:
        learners = set(range(len(self.people)))
        if "groups" in asked:
            learners &= set().union(*(self.members[name] for name in asked["groups"]))
        if "users" in asked:
            users = {user.strip().casefold() for user in asked["users"]}
            learners &= {number for number, person in enumerate(self.people) if users & _names(person)}
        return (one for one in self.certificates if one.story is story and one.learner in learners)

    def _element(self, story: Story, rows: list[Any], rng: Random) -> dict[str, Any]:
        kind = "survey" if (story.id, story.name) in self.surveys else "story"
        head: dict[str, Any] = {"name": story.name, "type": rng.choice((kind, kind.title())), "ID": story.id}
        if not story.id and rng.random() < 0.5:
            head["ID"] = None
        return {"story": head, "certificates": rows}

    def _row(self, one: Held, rng: Random) -> dict[str, Any]:
        person = self.people[one.learner]
        moment = (MONDAY + timedelta(days=one.day)).astimezone(rng.choice(_ZONES))
        state = rng.choice((one.state, one.state.title())) if one.state in STATES else one.state
        certificate = {"timestamp": moment.isoformat(), "state": state, "url": one.url}
        return person | {"email": _SPELLINGS[one.spelling](person["email"]), "certificate": certificate}


def _names(person: dict[str, str]) -> set[str]:
    return {person["email"].strip().casefold(), f"{person['firstname']} {person['lastname']}".strip().casefold()}


# -- What an answer means ---------------------------------------------------------------------------------------


def facts_of(elements: Iterable[dict[str, Any]]) -> set[Fact]:
    """The certificates that are told; identical rows are one."""
    told = set()
    for element in elements:
        story = element["story"]
        head = story["ID"] or "", story["name"], story["type"].lower()
        assert head[2] in TYPES
        for row in element["certificates"]:
            about, one = [row[name] for name in _EMPTY], row["certificate"]
            state = one["state"].lower() if one["state"].lower() in STATES else one["state"]
            moment = datetime.fromisoformat(one["timestamp"]).astimezone(UTC)
            told.add(Fact._make([*head, *about, state, moment, one["url"]]))
    return told


@dataclass
class Truth:
    """What must be stored as live once everything was asked for: rows, heads of stories, persons by group."""

    facts: set[Fact]
    stories: set[tuple[str, str, str]]
    members: dict[str, set[Person]]


def truth_of(world: World, questions: Collection[dict[str, Any]], groups: Collection[str]) -> Truth:
    """What the answers to these questions hold together, and who comes back for each of the groups."""
    answers = [element for asked in questions for element in world.elements(Plain(), asked)]
    heads = [element["story"] for element in answers]
    members = {name: facts_of(world.elements(Plain(), {"groups": [name]})) for name in groups}
    return Truth(
        facts_of(answers),
        {(head["ID"] or "", head["name"], head["type"].lower()) for head in heads},
        {name: {fact.person for fact in facts} for name, facts in members.items()},
    )


# -- What goes wrong --------------------------------------------------------------------------------------------


def halved(elements: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every other row is missing, and with it the story of which it was the only one."""
    kept = [element | {"certificates": element["certificates"][::2]} for element in elements]
    return kept[::2]


def with_a_bad_row(elements: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first row's timestamp is none."""
    for element in elements:
        if element["certificates"]:
            first, *rest = element["certificates"]
            element["certificates"] = [first | {"certificate": first["certificate"] | {"timestamp": "soon"}}, *rest]
            break
    return elements


def spoilt_by(elements: list[dict[str, Any]]) -> set[tuple[str, str]]:
    """ID and name of the story in which that row stands."""
    heads = [element["story"] for element in elements if element["certificates"]]
    return {(head["ID"] or "", head["name"]) for head in heads[:1]}


def with_a_bad_element(elements: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first story has no name."""
    return [{"story": {"ID": "ID-1"}, "certificates": []}, *elements[1:]]


def body_of(elements: Iterable[dict[str, Any]]) -> bytes:
    """A good envelope around them."""
    return json.dumps({"status": "success", "data": list(elements), "hash": "5cd3", "response_time": 0.3}).encode()
