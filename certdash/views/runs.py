"""Sync runs: starting one, following it, and what came of it."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils import timezone
from django.utils.dateformat import format as formatted
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from certdash.access import app_or_404, role_in
from certdash.filters import RunFilter
from certdash.links import isolated
from certdash.models import App, Learner, Rejection, Role, Story, SyncRun
from certdash.models.run import RUN_BADGES
from certdash.rows import grouped, person_url, story_url
from certdash.signs import WorkerSign, worker_sign
from certdash.sync.asking import Scope
from certdash.sync.run import open_run
from certdash.tables import ChangeTable, RunTable
from certdash.tables.runs import asked_by, asked_for, duration
from certdash.tasks import enqueue, sync_run
from certdash.views.held import Held, held_of
from certdash.views.page import List, address, page_is_about, viewer, visible_freshness
from certdash.views.segments import segments
from certdash.views.troubles import trouble_of

_LONG = timedelta(seconds=15)  # a worker that is free takes a run up within two
_CHANGES_SHOWN = 10

# -- Starting ---------------------------------------------------------------------------------------------------


@require_POST
def sync_now(request: HttpRequest, slug: str) -> HttpResponse:
    """Synchronises an app as far as it goes."""
    return start(request, app_or_404(viewer(request), slug, Role.MANAGER), Scope())


def start(request: HttpRequest, app: App, scope: Scope) -> HttpResponse:
    """Opens a run for the worker, or joins the one under way and says so, and goes to its page."""
    the_run, new = open_run(app, scope, viewer(request))
    if new:
        enqueue(sync_run, the_run.pk)
    else:
        messages.info(request, _joined(the_run, scope))
    return redirect("run", app.slug, the_run.pk)


def _joined(the_run: SyncRun, scope: Scope) -> str:
    """What whoever wanted another run should know of the one under way."""
    since = timezone.localtime(the_run.started_at or the_run.requested_at)
    told = {
        "moment": formatted(since, gettext("j M Y, H:i:s T")),
        "person": isolated(asked_by(the_run)),
        "what": asked_for(the_run, people=False),  # a message waits in the session until it is read
    }
    running = gettext("This app is being synchronised already, since %(moment)s, by the schedule or a command.")
    if the_run.requested_by:
        running = gettext("This app is being synchronised already, since %(moment)s, asked for by %(person)s.")
    covers = gettext("You follow that run; it covers %(what)s.")
    if not _covers(the_run, scope):
        covers = gettext(
            "You follow that run; it covers only %(what)s. That is not all you asked for: ask again when it has ended."
        )
    return f"{running % told} {covers % told}"


def _covers(the_run: SyncRun, scope: Scope) -> bool:
    """Whether a run asks for all of a scope."""
    stories = not the_run.story or the_run.story == scope.story
    return stories and (not the_run.users or (bool(scope.users) and set(scope.users) <= set(the_run.users)))


# -- The list ---------------------------------------------------------------------------------------------------


class Runs(List):
    """The runs of an app."""

    filter_class = RunFilter
    table_class = RunTable
    template_name = "apps/runs.html"
    title = gettext_lazy("Sync runs")
    file_name = "runs"
    of_vendor = False

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.app = app_or_404(viewer(request), kwargs["slug"])
        return super().dispatch(request, *args, **kwargs)

    def listed_apps(self) -> list[App]:
        return [self.app]

    def queryset(self) -> QuerySet[Any]:
        return SyncRun.objects.filter(app=self.app).shown_at(timezone.now())

    def context(self) -> dict[str, Any]:
        return _rights(self.request, self.app) | {"segments": segments(self, "status", RUN_BADGES, "shown_status")}


def _rights(request: HttpRequest, app: App) -> dict[str, Any]:
    role = role_in(viewer(request), app)
    return {"app": app, "role": role, "may_sync": role in Role.MANAGER.and_above, "may_own": role == Role.OWNER}


# -- One run ----------------------------------------------------------------------------------------------------


@require_safe
def run(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """One run: while it runs the page refreshes itself, and it ends on the result."""
    app, now = app_or_404(viewer(request), slug), timezone.now()
    the_run = get_object_or_404(SyncRun.objects.select_related("requested_by", "accepted_by"), app=app, pk=pk)
    the_run.app = app
    page_is_about(request, [app])
    rights = _rights(request, app)
    held = held_of(the_run, rights["role"], now)
    over = the_run.lease_is_over(now)
    worker = _worker_waited_for(the_run, held, now)
    # An acceptance that no worker takes up may stay so for days.
    goes_on = held is not None and held.accepting and (worker is None or worker.tone == "ok")
    follows = (the_run.is_running and not over) or goes_on
    context = rights | {
        "run": the_run,
        "asked_by": asked_by(the_run),
        "asked_for": asked_for(the_run),
        "subject": _subject(the_run) if the_run.is_narrow else None,
        "over": over,
        "follows": follows,
        # What polls swaps the page's middle; with the end, the head of the page has to follow.
        "has_ended": bool(request.headers.get("HX-Request")) and not follows,
        "held": held,
        "worker": worker,
        "trouble": trouble_of(the_run, app, visible_freshness(request, [app])[0], owns=rights["may_own"]),
    }
    context |= _under_way(the_run, now) if the_run.is_running else _result(the_run, held)
    return render(request, "apps/run.html", context)


def _worker_waited_for(the_run: SyncRun, held: Held | None, now: datetime) -> WorkerSign | None:
    """The worker's sign, where a run or an acceptance waits for it longer than usual."""
    if the_run.is_running and the_run.phase == SyncRun.Phase.QUEUED:
        sign = worker_sign(now)
        return sign if sign.tone != "ok" or now - the_run.requested_at > _LONG else None
    if held and held.accepting and the_run.accepted_at and now - the_run.accepted_at > _LONG:
        return worker_sign(now)
    return None


def _under_way(the_run: SyncRun, now: datetime) -> dict[str, Any]:
    """How far a run is. Numbers stand apart: a screen reader is told the phase only."""
    done, total = the_run.progress_done, the_run.progress_total
    if the_run.phase == SyncRun.Phase.DOWNLOADING:
        numbers = filesizeformat(done)
    else:
        told = gettext("%(done)s of %(total)s") % {"done": grouped(done), "total": grouped(total)}
        numbers = told if total else ""
    return {"numbers": numbers, "lasts": duration((now - the_run.requested_at).total_seconds())}


def _result(the_run: SyncRun, held: Held | None) -> dict[str, Any]:
    changes = the_run.changes.order_by("-pk")
    first = changes.values_list("pk", flat=True)[:_CHANGES_SHOWN]
    return {
        "facts": _facts(the_run, held),
        "erased_since": the_run.app.erasures.filter(at__gte=the_run.requested_at).exists(),
        "measures": _measures(the_run),
        "changes": ChangeTable(changes).rows_of(list(first)),
        "changes_total": changes.count(),
        "new_url": _rows_of(the_run, "new") if the_run.created and not the_run.initial else "",
        "rejections": list(the_run.rejections.order_by("pk")[: Rejection.KEPT_PER_RUN]),
    }


class Fact(NamedTuple):
    label: str | Promise
    text: str
    url: str = ""  # of the rows that are counted


def _subject(the_run: SyncRun) -> Fact | None:
    """The page of the story or person that a narrow run asks for, or of all stories of that ID, where there is one."""
    app = the_run.app
    if the_run.users:
        first, *others = the_run.users
        learner = None if others else app.learners.filter(identity=Learner.identity_by_email(first)).first()
        return Fact(learner.name or gettext("(no name)"), "", person_url(learner.pk)) if learner else None
    stories = list(Story.objects.filter(Q(vendor_id=the_run.story) | Q(name=the_run.story), app=app)[:2])
    if len(stories) == 1:
        return Fact(stories[0].name or gettext("(no name)"), "", story_url(app, stories[0]))
    if {story.vendor_id for story in stories} != {the_run.story}:
        return None
    label = gettext("the stories of ID %(id)s") % {"id": the_run.story}
    return Fact(label, "", reverse("story", args=[app.slug, the_run.story]))


# Field of the run: label, the `change` that finds what is counted, and whether it is told when there is none.
_FACTS = {
    "received": (gettext_lazy("Received"), "", True),
    "created": (gettext_lazy("New"), "new", True),
    "changed": (gettext_lazy("Changed"), "changed", True),
    "withdrawn": (gettext_lazy("Withdrawn"), "withdrawn", True),
    "returned": (gettext_lazy("Returned"), "returned", False),
    "out_of_scope": (gettext_lazy("Out of scope"), "outside", False),
    "missing": (gettext_lazy("Missing"), "missing", False),
    "stories": (gettext_lazy("Stories new or changed"), "", False),
    "joined": (gettext_lazy("Joined a group"), "", False),
    "left": (gettext_lazy("Left a group"), "", False),
    "missing_members": (gettext_lazy("Missing in a group"), "", False),
    "rejected": (gettext_lazy("Set aside"), "", False),
    "repaired": (gettext_lazy("Repaired"), "", False),
    "left_out": (gettext_lazy("Left out, of erased learners"), "", False),
}


def _facts(the_run: SyncRun, held: Held | None) -> list[Fact]:
    """The counts of a run, each a link to its rows where these can be told."""
    facts = []
    for name, (label, change, always) in _FACTS.items():
        count = getattr(the_run, name)
        found = count and change and not (change == "new" and the_run.initial)
        if change == "missing":  # some of them may have come back
            found = held is not None and held.certificates == count
        url = "#rejected" if name == "rejected" else _rows_of(the_run, change) if found else ""
        if count or always:
            facts.append(Fact(label, grouped(count), url))
    return facts


def _rows_of(the_run: SyncRun, change: str) -> str:
    return address(reverse("certificates"), [("run", str(the_run.pk)), ("change", change)])


def _measures(the_run: SyncRun) -> list[Fact]:
    vendor = "" if the_run.response_time is None else duration(the_run.response_time)
    took = "" if the_run.seconds is None else duration(the_run.seconds)
    told = {
        gettext("Took"): took,
        gettext("Of it, the vendor’s own"): vendor,
        gettext("Size"): filesizeformat(the_run.size) if the_run.size else "",
        gettext("Vendor’s hash"): the_run.vendor_hash,
    }
    return [Fact(label, text) for label, text in told.items() if text]
