"""What pages and files show of a record, worked out so that templates need no logic."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.urls import reverse
from django.utils import timezone
from django.utils.timesince import timesince

from certdash.links import safe_link
from certdash.models import App, Badge, Breadth, Certificate, Membership, State, Story


def utc(moment: datetime | None) -> str:
    """A moment as files show it: ISO 8601 in UTC, fractions kept when there are any; empty for none."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else ""


def ago(moment: datetime, now: datetime) -> str:
    """The time between in its largest unit: 11 days."""
    if now - moment < timedelta(minutes=1):
        return "less than a minute"
    return timesince(moment, now, depth=1).replace("\xa0", " ")


def span(time: timedelta, now: datetime) -> str:
    """A time in days; one of less than a day in its largest unit."""
    if time.days > 0:
        return f"{time.days:,} day{'' if time.days == 1 else 's'}"
    return ago(now - time, now)


def story_url(app: App, story: Story) -> str:
    return reverse("story", args=[app.slug, story.key])


@dataclass(slots=True)
class CertificateRow:
    """A certificate as pages and files show it."""

    certificate: Certificate
    group_names: list[str]
    now: datetime

    @property
    def person_name(self) -> str:
        return self.certificate.person_name or "(no name)"

    @property
    def email(self) -> str:
        return self.certificate.email

    @property
    def learner_url(self) -> str:
        return reverse("person", args=[self.certificate.learner_id])

    @property
    def story_name(self) -> str:
        return self.certificate.story.name or "(no name)"

    @property
    def story_url(self) -> str:
        return story_url(self.certificate.app, self.certificate.story)

    @property
    def type_label(self) -> str:
        return self.certificate.story.type_label

    @property
    def app_name(self) -> str:
        return self.certificate.app.name

    @property
    def badge(self) -> Badge:
        return self.certificate.badge

    @property
    def waiting(self) -> str:
        """How long a live certificate has been pending, by its timestamp; or since when it is gone."""
        certificate = self.certificate
        if certificate.withdrawn_at is not None:
            return f"on {timezone.localtime(certificate.withdrawn_at):%-d %b %Y}"
        if certificate.out_of_scope_at is not None:
            return f"since {timezone.localtime(certificate.out_of_scope_at):%-d %b %Y}"
        if certificate.state != State.PENDING or certificate.timestamp > self.now:
            return ""
        return f"for {span(self.now - certificate.timestamp, self.now)}"

    @property
    def delivery(self) -> str:
        """How long it took from pending to delivered, where both were observed."""
        took = self.certificate.delivered_after
        if took is None or self.certificate.state != State.DELIVERED:
            return ""
        return f"after {span(took, self.now)}"

    @property
    def awarded(self) -> datetime:
        return self.certificate.timestamp

    @property
    def awarded_ago(self) -> str:
        if self.certificate.state == State.PENDING or self.awarded > self.now:
            return ""
        return f"{ago(self.awarded, self.now)} ago"

    @property
    def places(self) -> list[str]:
        return [place for place in (self.certificate.city, self.certificate.country) if place]

    @property
    def place(self) -> str:
        return ", ".join(self.places)

    @property
    def open_url(self) -> str:
        return safe_link(self.certificate.url)

    @property
    def link_text(self) -> str:
        return "" if self.open_url else self.certificate.url


def group_names(learners: Iterable[int]) -> dict[int, list[str]]:
    """The tracked groups each of these learners is in now, by name."""
    names: dict[int, list[str]] = defaultdict(list)
    memberships = Membership.objects.filter(learner__in=learners, until=None, group__tracked=True)
    for learner, name in memberships.order_by("group__name").values_list("learner", "group__name"):
        names[learner].append(name)
    return names


@dataclass(slots=True)
class ShareBar:
    """Delivered and pending as parts of a hundred, as text."""

    delivered_width: str
    pending_width: str
    label: str


def breadth_words(app: App, groups: int) -> str:
    """What an app synchronises, of so many tracked groups; empty when it is everything."""
    if app.breadth == Breadth.STORIES:
        return f"only {_many(len(app.listed_stories), 'listed story', 'listed stories')}"
    if app.breadth == Breadth.GROUPS:
        return f"only the people of {_many(groups, 'tracked group', 'tracked groups')}"
    return ""


def _many(count: int, one: str, several: str) -> str:
    return f"{count:,} {one if count == 1 else several}"


def share_bar(delivered: int, pending: int) -> ShareBar | None:
    """A slim stacked bar; None when there is nothing to show."""
    if not delivered + pending:
        return None
    width = 100 * delivered / (delivered + pending)
    return ShareBar(f"{width:.2f}", f"{100 - width:.2f}", f"{delivered:,} delivered, {pending:,} pending")
