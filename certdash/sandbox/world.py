"""The fake vendor's world: what its apps contain at a moment, the same on every machine."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypedDict

from certdash.sandbox.awards import ZONE, Award, Plan, local_moment, withdrawals
from certdash.sandbox.catalogue import APPS, App, Story
from certdash.sandbox.people import Learner, learner

CERTIFICATES_PER_LEARNER = 4
KEY_FORM = re.compile(r"(\d\d)-(\d{8})-\d{4,}-[0-9a-f]{10}", re.ASCII)


class StoryItem(TypedDict):
    """The `story` object of the answer."""

    name: str
    type: str
    ID: str


class CertificateState(TypedDict):
    """The `certificate` object of a certificate item; `url` is empty while there is none."""

    timestamp: str
    state: str
    url: str


class CertificateItem(TypedDict):
    """One certificate with its learner, as in the answer."""

    firstname: str
    lastname: str
    email: str
    telephone: str
    country: str
    city: str
    certificate: CertificateState


@dataclass(frozen=True)
class Selection:
    """What an answer is narrowed to: `story` an ID or a name, `groups` names, `users` names or e-mails.

    None, or an empty collection, does not narrow. Values of one field are alternatives; the fields add up.
    """

    story: str | None = None
    groups: Collection[str] = ()
    users: Collection[str] = ()


EVERYTHING = Selection()


class World:
    """A vendor with two apps. Its content at a moment depends on the arguments and the moment only.

    `certificates` of both apps together were awarded on the 182 days before `origin` (the vendor's local
    days), and about `certificates / 182` are awarded on every later day, for ever. What was once awarded
    stays, unless it is withdrawn. Raises ValueError when `certificates` is negative.
    """

    def __init__(self, origin: date, certificates: int, seed: int) -> None:
        if certificates < 0:
            raise ValueError("A world cannot have fewer than 0 certificates.")
        self.origin, self.certificates, self.seed = origin, certificates, seed
        self._plans = self._make_plans()

    def rows(
        self, app_id: str, now: datetime, base_url: str, selection: Selection = EVERYTHING
    ) -> Iterator[tuple[StoryItem, list[CertificateItem]]]:
        """What the endpoint answers at `now` (aware), story by story, with permalinks below `base_url`.

        Raises KeyError when there is no app with this ID.
        """
        for story, certificates in self.stream(app_id, now, base_url, selection):
            yield story, list(certificates)

    def stream(
        self, app_id: str, now: datetime, base_url: str, selection: Selection = EVERYTHING
    ) -> Iterator[tuple[StoryItem, Iterator[CertificateItem]]]:
        """The same as `rows`, one certificate at a time."""
        plans = [plan for plan in self._plans if plan.app.app_id == app_id]
        if not plans:
            raise KeyError(app_id)
        view = _View(self, now, base_url, selection)
        for plan in plans:
            item = view.story(plan.story)
            if selection.story is None or selection.story in (item["ID"], item["name"]):
                yield item, view.certificates(plan)

    def certificate(self, key: str, now: datetime, base_url: str) -> tuple[StoryItem, CertificateItem] | None:
        """The certificate behind the permalink `<base_url>/certificates/<key>`, or None.

        There is none while a certificate is pending, and none any more once it is withdrawn.
        """
        form = KEY_FORM.fullmatch(key)
        if not form or int(form[1]) >= len(self._plans):
            return None
        plan, view = self._plans[int(form[1])], _View(self, now, base_url, EVERYTHING)
        for award in view.awards(plan, day=form[2]):
            if award.key == key and view.is_delivered(award):
                return view.story(plan.story), view.certificate(award, learner(self.seed, award.learner))
        return None

    def withdrawn(self, now: datetime) -> dict[int, set[int]]:
        """By number of the plan, the numbers of its awards that are withdrawn at `now` (aware)."""
        return withdrawals(self._plans, self.origin, self.seed, int(now.timestamp()))

    def _make_plans(self) -> list[Plan]:
        whole = sum(app.share for app in APPS)
        plans: list[Plan] = []
        share, given, first = 0.0, 0, 0
        for app in APPS:
            weights = sum(story.weight for story in app.stories)
            people = max(20, self.certificates * app.share // (whole * CERTIFICATES_PER_LEARNER))
            learners = range(first, first + people)
            for story in app.stories:
                share += app.share * story.weight / (whole * weights)
                total = round(self.certificates * share) - given
                given += total
                plan = Plan(len(plans), app, story, total, learners, self.origin, self.seed)
                plans.append(plan)
            # A twentieth of the people of an app also learn in the next one.
            first += people - people // 20
        return plans


class _View:
    """The world at one moment, for one reader."""

    def __init__(self, world: World, now: datetime, base_url: str, selection: Selection) -> None:
        self._world, self._base_url = world, base_url
        self._now, self._today = int(now.timestamp()), now.astimezone(ZONE).date()
        self._withdrawn = world.withdrawn(now)
        self._groups = frozenset(selection.groups)
        self._users = frozenset(text.strip().casefold() for text in selection.users)

    def story(self, story: Story) -> StoryItem:
        name = story.name
        if story.rename:
            day = self._world.origin + timedelta(story.rename.day)
            name = story.rename.name if local_moment(day, 10) <= self._now else name
        return {"name": name, "type": story.type, "ID": story.ID}

    def certificates(self, plan: Plan) -> Iterator[CertificateItem]:
        for award in self.awards(plan):
            person = learner(self._world.seed, award.learner)
            if self._wants(plan.app, person):
                yield self.certificate(award, person)

    def awards(self, plan: Plan, day: str = "") -> Iterator[Award]:
        """What is awarded and not withdrawn: all of it, or that of one `day` (YYYYMMDD)."""
        withdrawn = self._withdrawn.get(plan.number, set())
        for draw in plan.draws(self._today):
            if not day or f"{draw.day:%Y%m%d}" == day:
                for number, award in enumerate(plan.awards(draw), draw.first):
                    if award.awarded <= self._now and number not in withdrawn:
                        yield award

    def is_delivered(self, award: Award) -> bool:
        return award.delivered is not None and award.delivered <= self._now

    def certificate(self, award: Award, person: Learner) -> CertificateItem:
        stamp, state, url = award.awarded, "pending", ""
        if award.delivered is not None and award.delivered <= self._now:
            # What the timestamp means is not documented: here it is either moment.
            stamp = award.delivered if award.stamped_on_delivery else award.awarded
            state, url = "delivered", f"{self._base_url}/certificates/{award.key}"
        return {
            "firstname": person.firstname,
            "lastname": person.lastname,
            "email": person.email,
            "telephone": person.telephone,
            "country": person.country,
            "city": person.city,
            "certificate": {
                "timestamp": datetime.fromtimestamp(stamp, ZONE).isoformat(),
                "state": state,
                "url": url,
            },
        }

    def _wants(self, app: App, person: Learner) -> bool:
        if self._users and not person.answers_to(self._users):
            return False
        return not self._groups or any(
            group.name in self._groups and lot * 100 < group.percent * 256
            for group, lot in zip(app.groups, person.lots, strict=False)
        )
