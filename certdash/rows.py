"""What pages and files show of a record, worked out so that templates need no logic."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.urls import reverse
from django.utils import timezone
from django.utils.timesince import timesince

from certdash.links import safe_link
from certdash.models import App, Badge, Certificate, Membership, State, Story


def utc(moment: datetime | None) -> str:
    """A moment as files show it: ISO 8601 in UTC, fractions kept when there are any; empty for none."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else ""


def ago(moment: datetime, now: datetime) -> str:
    """The time between in its largest unit: 11 days."""
    if now - moment < timedelta(minutes=1):
        return "less than a minute"
    return timesince(moment, now, depth=1).replace("\xa0", " ")


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
        """How long a live certificate has been pending, by its timestamp; or when it was withdrawn."""
        if self.certificate.withdrawn_at is not None:
            return f"on {timezone.localtime(self.certificate.withdrawn_at):%-d %b %Y}"
        if self.certificate.state != State.PENDING or self.certificate.timestamp > self.now:
            return ""
        if days := (self.now - self.certificate.timestamp).days:
            return f"for {days:,} day{'' if days == 1 else 's'}"
        return f"for {ago(self.certificate.timestamp, self.now)}"

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


def share_bar(delivered: int, pending: int) -> ShareBar | None:
    """A slim stacked bar; None when there is nothing to show."""
    if not delivered + pending:
        return None
    width = 100 * delivered / (delivered + pending)
    return ShareBar(f"{width:.2f}", f"{100 - width:.2f}", f"{delivered:,} delivered, {pending:,} pending")
