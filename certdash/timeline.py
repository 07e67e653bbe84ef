"""What was seen of a learner, newest first: certificates that came and changed, and groups joined and left."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import islice

from django.db.models import Q
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from certdash.links import safe_link
from certdash.models import App, Badge, Certificate, Change, Learner, Membership, Story
from certdash.rows import story_url
from certdash.tables.changes import ChangeRow, Field

_NEW = Badge("success", "plus", _("New"))
_JOINED, _LEFT = Badge("neutral", "group", _("Joined")), Badge("withdrawn", "group", _("Left"))
_UNASKED = Badge("neutral", "group", _("No longer tracked"))


@dataclass(slots=True)
class Event:
    """One thing that was seen, in words; `what` is our sentence, `fields` hold the vendor's text."""

    at: datetime
    badge: Badge
    what: str = ""
    name: str = ""  # of the story or the group
    url: str = ""  # of its page
    link: str = ""  # of a new certificate, where it may be followed
    fields: Sequence[Field] = ()
    run_url: str = ""  # of the run that saw it, while it is kept


def timeline(learner: Learner, first: int, many: int) -> list[Event]:
    """So many events of this learner (with its app), the newest ones after the first so many; in three queries.

    What was there when the app, or a group, was first asked for is no event.
    """
    end = first + many
    sources = (_changes(learner, end), _new(learner, end), _memberships(learner, end))
    newest_first = merge(*sources, key=lambda event: event.at, reverse=True)
    return list(islice(newest_first, first, end))


def _changes(learner: Learner, end: int) -> Iterator[Event]:
    changes = Change.objects.filter(certificate__learner=learner).order_by("-seen_at", "-pk")
    for change in changes.select_related("story")[:end]:
        change.app = learner.app
        row = ChangeRow(change)
        yield Event(
            change.seen_at, row.badge, row.what, *_of_story(learner.app, change.story), fields=row.fields,
            run_url=_run_url(learner.app, change.run_id),
        )  # fmt: skip


def _new(learner: Learner, end: int) -> Iterator[Event]:
    news = Certificate.objects.filter(learner=learner, initial=False).order_by("-first_seen_at", "-pk")
    for certificate in news.select_related("story")[:end]:
        yield Event(
            certificate.first_seen_at, _NEW, gettext("First seen."), *_of_story(learner.app, certificate.story),
            link=safe_link(certificate.url), run_url=_run_url(learner.app, certificate.first_run_id),
        )  # fmt: skip


def _memberships(learner: Learner, end: int) -> list[Event]:
    told = Membership.objects.filter(Q(initial=False) | Q(until__isnull=False), learner=learner)
    told = told.select_related("group").order_by(Coalesce("until", "since").desc(), "-pk")
    return sorted(_joined_and_left(learner.app, told[:end]), key=lambda event: event.at, reverse=True)


def _joined_and_left(app: App, memberships: Iterable[Membership]) -> Iterator[Event]:
    for membership in memberships:
        group = membership.group
        url = reverse("group", args=[app.slug, group.key]) if group.tracked else ""
        if not membership.initial:
            yield Event(membership.since, _JOINED, gettext("Seen in the group."), group.name, url)
        if membership.until is None:
            continue
        if membership.unasked:
            unasked = gettext("The group is no longer tracked: since then nobody asks who is in it.")
            yield Event(membership.until, _UNASKED, unasked, group.name, url)
        else:
            yield Event(membership.until, _LEFT, gettext("No longer seen in the group."), group.name, url)


def _of_story(app: App, story: Story) -> tuple[str, str]:
    return story.name or gettext("(no name)"), story_url(app, story)


def _run_url(app: App, run: int | None) -> str:
    return reverse("run", args=[app.slug, run]) if run else ""
