"""Sync runs as rows, and the words for who asked for one, for what, and how long it took."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

import django_tables2 as tables
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from certdash.links import isolated
from certdash.models import App, Breadth, Story, SyncRun
from certdash.rows import grouped

from .base import Moment, NumberColumn, Table


class RunTable(Table):
    status = tables.Column(verbose_name=_("Status"), order_by=("status", "-pk"))
    started = tables.Column(verbose_name=_("Started"), order_by="pk")
    message = tables.Column(verbose_name=_("What it did"), order_by=("message", "-pk"))
    took = NumberColumn(_("Took"))
    received = NumberColumn(_("Received"))
    created = NumberColumn(_("New"))
    changed = NumberColumn(_("Changed"))
    withdrawn = NumberColumn(_("Withdrawn"))
    size = NumberColumn(_("Size"))

    row_template = "apps/run_row.html"
    caption = _("Sync runs")
    empty_text = _("No run of this app has this status.")
    nothing_text = _("This app has not been synchronised yet.")
    columns_of_file: ClassVar[dict[str, Callable[[Any], Any]]] = {
        "run": lambda run: run.pk,
        "status": lambda run: run.shown_status,
        "requested": Moment(lambda run: run.requested_at),
        "requested_by": lambda run: "" if run.requested_by is None else run.requested_by.username,
        "story": lambda run: run.story,
        "users": lambda run: run.users,
        "started": Moment(lambda run: run.started_at),
        "finished": Moment(lambda run: run.finished_at),
        "seconds": lambda run: "" if run.seconds is None else run.seconds,
        "received": lambda run: run.received,
        "created": lambda run: run.created,
        "changed": lambda run: run.changed,
        "withdrawn": lambda run: run.withdrawn,
        "returned": lambda run: run.returned,
        "out_of_scope": lambda run: run.out_of_scope,
        "missing": lambda run: run.missing,
        "stories": lambda run: run.stories,
        "joined": lambda run: run.joined,
        "left": lambda run: run.left,
        "rejected": lambda run: run.rejected,
        "repaired": lambda run: run.repaired,
        "bytes": lambda run: run.size,
        "hash": lambda run: run.vendor_hash,
        "message": lambda run: run.message,
    }

    class Meta:
        order_by = "-started"
        attrs = {"class": "runs"}

    def order_took(self, runs: QuerySet[SyncRun], downwards: bool) -> tuple[QuerySet[SyncRun], bool]:
        """What has not ended comes last."""
        took = F("finished_at") - F("started_at")
        ordered = took.desc(nulls_last=True) if downwards else took.asc(nulls_last=True)
        return runs.order_by(ordered, "-pk"), True

    def records(self, ids: Sequence[int]) -> Iterable[SyncRun]:
        return SyncRun.objects.filter(pk__in=ids).select_related("app", "requested_by").defer("app__token")

    def rows_of(self, ids: Sequence[int]) -> list[Any]:
        return told(super().rows_of(ids))


def told(these: Iterable[Any]) -> list[Any]:
    """These runs of one app, each with its status of this moment as `shown_status` and its badge as `shown`, and the
    words `asked_by`, `asked_for` and `took` (empty while it runs)."""
    runs, now = list(these), timezone.now()
    names = _story_names(runs[0].app, {run.story for run in runs if run.story}) if runs else {}
    for run in runs:
        run.shown, run.shown_status = run.badge_at(now), run.status_at(now)
        run.asked_by = asked_by(run)
        run.asked_for = asked_for(run, names)
        run.took = "" if run.seconds is None else duration(run.seconds)
    return runs


def asked_by(run: SyncRun) -> str:
    """The person who asked for the run; without one it was the schedule or a command, which are not told apart."""
    return gettext("schedule or command") if run.requested_by is None else str(run.requested_by)


def asked_for(run: SyncRun, names: dict[str, str] | None = None, *, people: bool = True) -> str:
    """What a run covers, as part of a sentence. `names`: of the stories that runs may name by their ID.

    Without `people` no learner is named.
    """
    if not run.is_narrow:
        whole = run.app.breadth == Breadth.EVERYTHING
        return gettext("everything") if whole else gettext("everything in the app’s scope")
    told = _story_names(run.app, {run.story}) if names is None and run.story else names or {}
    whose = _asked_users(run.users, named=people)
    if not run.story:
        return whose
    covered = gettext("the story “%(story)s” of %(people)s") if whose else gettext("the story “%(story)s”")
    return covered % {"story": isolated(told.get(run.story, run.story)), "people": whose}


def _asked_users(users: list[str], *, named: bool) -> str:
    if not users:
        return ""
    if not named:
        return ngettext("%(many)s learner", "%(many)s learners", len(users)) % {"many": grouped(len(users))}
    first, others = isolated(str(users[0])), len(users) - 1
    if not others:
        return first
    some = ngettext("%(first)s and %(others)s more", "%(first)s and %(others)s more", others)
    return some % {"first": first, "others": grouped(others)}


def _story_names(app: App, asked: set[str]) -> dict[str, str]:
    """The names of stories that are asked for by an ID which is theirs alone."""
    named: dict[str, list[str]] = {}
    for vendor_id, name in Story.objects.filter(Q(vendor_id__in=asked), app=app).values_list("vendor_id", "name"):
        named.setdefault(vendor_id, []).append(name)
    return {vendor_id: names[0] for vendor_id, names in named.items() if len(names) == 1 and names[0]}


def duration(seconds: float) -> str:
    """A time span in its two largest units, as people say it."""
    if seconds < 0.05:
        return gettext("under %(seconds)s s") % {"seconds": number_format(0.1, 1)}
    if seconds < 60:
        return gettext("%(seconds)s s") % {"seconds": number_format(round(seconds, 1), 1)}
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return gettext("%(hours)s h %(minutes)s min") % {"hours": grouped(hours), "minutes": minutes}
    return gettext("%(minutes)s min %(seconds)s s") % {"minutes": minutes, "seconds": rest}
