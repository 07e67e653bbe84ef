"""What pages and files show of a record, worked out so that templates need no logic."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.dateformat import format as formatted
from django.utils.formats import number_format
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import get_language, gettext, ngettext

from certdash.links import safe_link
from certdash.models import App, Badge, Breadth, Certificate, Membership, State, Story

_MINUTE, _SHORTEST_MONTH = timedelta(minutes=1), timedelta(days=28)
_SOME_DAY = datetime(2026, 1, 1, tzinfo=UTC)


def utc(moment: datetime | None) -> str:
    """A moment as files show it: ISO 8601 in UTC, fractions kept when there are any; empty for none."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else ""


def day(of: date) -> str:
    """A day in the reader's language: 24 Nov 2026."""
    return _day(of, get_language())


@lru_cache(maxsize=4096)  # many rows of a page are of one day
def _day(of: date, _language: str | None) -> str:
    return formatted(of, gettext("j M Y"))


def clock(moment: datetime) -> str:
    """A moment in the reader's time zone and language: 24 Nov 2026, 09:04."""
    return formatted(timezone.localtime(moment), gettext("j M Y, H:i"))


def zoned(moment: datetime) -> str:
    """The same with its zone, for a sentence: 24 Nov 2026, 09:04 CET."""
    return formatted(timezone.localtime(moment), gettext("j M Y, H:i T"))


def exactly(moment: datetime) -> str:
    """A moment to its second, with its zone, for a title: 24 November 2026, 09:04:12 CET."""
    return formatted(timezone.localtime(moment), gettext("j F Y, H:i:s T"))


def grouped(of: int) -> str:
    """A number in the reader's language, in groups of digits: 1,284."""
    return _grouped(of, get_language())


@lru_cache(maxsize=4096)  # a matrix has thousands, most of them small
def _grouped(of: int, _language: str | None) -> str:
    return number_format(of, force_grouping=True)


def ago(moment: datetime, now: datetime) -> str:
    """The time between in its largest unit: 11 days."""
    passed = now - moment
    if passed < _MINUTE:
        return gettext("less than a minute")
    if passed < _SHORTEST_MONTH:
        return _ago(timedelta(days=passed.days) or passed // _MINUTE * _MINUTE, get_language())
    return timesince(moment, now, depth=1).replace("\xa0", " ")


@lru_cache(maxsize=4096)
def _ago(passed: timedelta, _language: str | None) -> str:
    """Below a month it does not matter when it was."""
    return timesince(_SOME_DAY, _SOME_DAY + passed, depth=1).replace("\xa0", " ")


def span(time: timedelta, now: datetime) -> str:
    """A time in days; one of less than a day in its largest unit."""
    if time.days > 0:
        return _days(time.days, get_language())
    return ago(now - time, now)


@lru_cache(maxsize=4096)  # many rows of a page are of one age
def _days(many: int, _language: str | None) -> str:
    return ngettext("%(many)s day", "%(many)s days", many) % {"many": grouped(many)}


def cut(text: str, most: int) -> str:
    """The text in at most so many characters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def story_url(app: App, story: Story) -> str:
    return _story_url(app.slug, story.key)


@lru_cache(maxsize=4096)  # a page shows few stories, each many times
def _story_url(slug: str, key: str) -> str:
    return reverse("story", args=[slug, key])


def person_url(learner: int) -> str:
    return f"{_people_url()}{learner}/"


@cache
def _people_url() -> str:
    """What the addresses of all people begin with: a page shows too many of them to reverse each."""
    return reverse("people")


@dataclass
class CertificateRow:
    """A certificate as pages and files show it."""

    certificate: Certificate
    group_names: list[str]
    now: datetime

    def __getitem__(self, name: str) -> Any:
        """Templates look for a key before they look for an attribute: a failure for each name of each row."""
        return getattr(self, name)

    @property
    def id(self) -> str:
        return str(self.certificate.pk)

    @cached_property
    def person_name(self) -> str:
        return self.certificate.person_name or gettext("(no name)")

    @property
    def pick(self) -> SafeString:
        """What ticking the row does."""
        person, story = cut(self.person_name, 60), cut(self.story_name, 60)
        return format_html(gettext("Select <bdi>{person}</bdi>, <bdi>{story}</bdi>"), person=person, story=story)

    @property
    def email(self) -> str:
        return self.certificate.email

    @property
    def telephone(self) -> str:
        """Empty as soon as the app stores none, also while the worker has not removed it yet."""
        return self.certificate.telephone if self.certificate.app.stores_telephones else ""

    @property
    def learner_url(self) -> str:
        return person_url(self.certificate.learner_id)

    @cached_property
    def story_name(self) -> str:
        return self.certificate.story.name or gettext("(no name)")

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

    @cached_property
    def waiting(self) -> str:
        """How long a live certificate has been pending, by its timestamp; or since when it is gone."""
        certificate = self.certificate
        if certificate.withdrawn_at is not None:
            return gettext("on %(day)s") % {"day": day(timezone.localtime(certificate.withdrawn_at).date())}
        if certificate.out_of_scope_at is not None:
            return gettext("since %(day)s") % {"day": day(timezone.localtime(certificate.out_of_scope_at).date())}
        if certificate.state != State.PENDING or certificate.timestamp > self.now:
            return ""
        return gettext("for %(time)s") % {"time": span(self.now - certificate.timestamp, self.now)}

    @property
    def waiting_title(self) -> str:
        """The moment since which it is gone, with its zone; a pending one's is that of the award."""
        gone_at = self.certificate.withdrawn_at or self.certificate.out_of_scope_at
        return exactly(gone_at) if gone_at else ""

    @property
    def delivery(self) -> str:
        """How long it took from pending to delivered, where both were observed."""
        took = self.certificate.delivered_after
        if took is None or self.certificate.state != State.DELIVERED:
            return ""
        return gettext("after %(time)s") % {"time": span(took, self.now)}

    @property
    def awarded(self) -> datetime:
        return self.certificate.timestamp

    @cached_property
    def awarded_ago(self) -> str:
        if self.certificate.state == State.PENDING or self.awarded > self.now:
            return ""
        return gettext("%(time)s ago") % {"time": ago(self.awarded, self.now)}

    @property
    def groups(self) -> str:
        return "; ".join(self.group_names)

    @cached_property
    def places(self) -> list[str]:
        return [place for place in (self.certificate.city, self.certificate.country) if place]

    @property
    def place(self) -> str:
        return ", ".join(self.places)

    @cached_property
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
    percent: int  # delivered, rounded down: 100 is all
    label: str


def breadth_words(app: App, groups: int) -> str:
    """What an app synchronises, of so many tracked groups; empty when it is everything."""
    if app.breadth == Breadth.STORIES:
        many = len(app.listed_stories)
        return ngettext("only %(many)s listed story", "only %(many)s listed stories", many) % {"many": grouped(many)}
    if app.breadth == Breadth.GROUPS:
        told = ngettext(
            "only the people of %(many)s tracked group", "only the people of %(many)s tracked groups", groups
        )
        return told % {"many": grouped(groups)}
    return ""


def share_bar(delivered: int, pending: int) -> ShareBar | None:
    """A slim stacked bar; None when there is nothing to show."""
    if not delivered + pending:
        return None
    total = delivered + pending
    width = 100 * delivered / total
    label = gettext("%(delivered)s delivered, %(pending)s pending")
    told = label % {"delivered": grouped(delivered), "pending": grouped(pending)}
    return ShareBar(f"{width:.2f}", f"{100 - width:.2f}", 100 * delivered // total, told)
