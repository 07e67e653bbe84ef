"""What certdash must hold: the sandbox's own word by the endpoint's rules, with nothing of certdash's reading it."""

from collections import Counter
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from certdash.models import App, Certificate, Group, Membership, Story
from certdash.sandbox import CertificateItem, Selection, StoryItem, World
from certdash.sandbox.world import EVERYTHING

STATES = {"pending", "delivered"}
TYPES = {"story", "assessment", "survey", "scorm"}

#: What tells two learners apart: the e-mail address, else everything else about the person.
Person = tuple[str, ...]


class Fact(NamedTuple):
    """One certificate with its story, its learner's details, its state in lower case and its moment in UTC."""

    story_id: str
    story: str
    type: str
    firstname: str
    lastname: str
    email: str
    telephone: str
    country: str
    city: str
    state: str
    timestamp: datetime
    url: str

    @property
    def person(self) -> Person:
        email = self.email.strip().casefold()
        return (email,) if email else (self.firstname, self.lastname, self.telephone, self.country, self.city)


def _word(text: str, documented: set[str]) -> str:
    return text.lower() if text.lower() in documented else text


class SmallWorld(World):
    """A world with only some of the stories, which works out only once what it says at a moment: both save time."""

    def __init__(self, origin: date, certificates: int, seed: int, without: Container[str]) -> None:
        super().__init__(origin, certificates, seed)
        self._plans = [plan for plan in self._plans if plan.story.name not in without]
        self._said: dict[str, list[tuple[StoryItem, list[CertificateItem]]]] = {}

    def stream(
        self, app_id: str, now: datetime, base_url: str, selection: Selection = EVERYTHING
    ) -> Iterator[tuple[StoryItem, Iterator[CertificateItem]]]:
        question = repr((app_id, now, base_url, selection))
        if question not in self._said:
            told = super().stream(app_id, now, base_url, selection)
            self._said[question] = [(story, list(items)) for story, items in told]
        return ((story, iter(items)) for story, items in self._said[question])


@dataclass(frozen=True)
class Truth:
    """What a world says of one app under one address."""

    world: World
    app_id: str
    url: str

    def facts(self, at: datetime, selection: Selection = EVERYTHING) -> set[Fact]:
        """Every certificate; identical rows are one."""
        told: set[Fact] = set()
        for story, items in self.world.rows(self.app_id, at, self.url, selection):
            head = story["ID"], story["name"], _word(story["type"], TYPES)
            for item in items:
                about, one = [str(each) for each in item.values() if isinstance(each, str)], item["certificate"]
                moment = datetime.fromisoformat(one["timestamp"]).astimezone(UTC)
                told.add(Fact(*head, *about, _word(one["state"], STATES), moment, one["url"]))
        return told

    def stories(self, at: datetime) -> set[tuple[str, str, str]]:
        """ID, name and type of every story, with certificates or without."""
        heads = (story for story, _ in self.world.rows(self.app_id, at, self.url))
        return {(head["ID"], head["name"], _word(head["type"], TYPES)) for head in heads}

    def members(self, groups: Iterable[str], at: datetime) -> dict[str, set[Person]]:
        """Who comes back for each group."""
        asked = {name: self.facts(at, Selection(groups=[name])) for name in groups}
        return {name: {fact.person for fact in facts} for name, facts in asked.items()}


# -- What is stored ---------------------------------------------------------------------------------------------

_COLUMNS = (
    "story__vendor_id", "story__name", "story__type",
    "firstname", "lastname", "email", "telephone", "country", "city", "state", "timestamp", "url",
)  # fmt: skip


def stored_facts(app: App) -> Counter[Fact]:
    """Every live certificate, each as often as it is stored."""
    rows = Certificate.objects.filter(app=app).live().values_list("state_sent", *_COLUMNS)
    facts = (Fact(*row) if not sent else Fact(*row)._replace(state=sent) for sent, *row in rows)
    return Counter(facts)


def stored_stories(app: App) -> Counter[tuple[str, ...]]:
    """ID, name and type of every story that is not withdrawn."""
    return Counter(Story.objects.filter(app=app, withdrawn_at=None).values_list("vendor_id", "name", "type"))


def stored_people(app: App) -> dict[int, Person]:
    """Who each learner with a live certificate is, by pk; asserts that a learner is one person and the other way."""
    rows = Certificate.objects.filter(app=app).live().values_list("learner", *_COLUMNS)
    told = {(learner, Fact(*row).person) for learner, *row in rows}
    people = dict(told)
    assert len(people) == len(told) == len(set(people.values()))
    return people


def stored_members(app: App) -> dict[str, set[Person]]:
    """Who is in each tracked group now."""
    people = stored_people(app)
    members: dict[str, set[Person]] = {group.name: set() for group in Group.objects.filter(app=app, tracked=True)}
    now = Membership.objects.filter(group__app=app, group__tracked=True, until=None)
    for name, learner in now.values_list("group__name", "learner"):
        members[name].add(people.get(learner, ("nobody with a certificate", str(learner))))
    return members


def lines(app: App) -> dict[int, dict[str, Any]]:
    """Every certificate by pk, withdrawn ones too, as it is stored but for what only marks it as missing."""
    rows = Certificate.objects.filter(app=app).values()
    return {row["id"]: {name: value for name, value in row.items() if name != "missing_in_id"} for row in rows}


def assert_true(app: App, truth: Truth, at: datetime) -> None:
    """What is stored as live equals the vendor's truth: certificates, stories, learners and members."""
    facts = truth.facts(at)
    stored = stored_facts(app)
    assert stored - Counter(facts) == Counter()
    assert Counter(facts) - stored == Counter()
    assert stored_stories(app) == Counter(truth.stories(at))
    assert set(stored_people(app).values()) == {fact.person for fact in facts}
    assert stored_members(app) == truth.members(stored_members(app), at)
