"""Sync runs: starting one, following it, and accepting what it held."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.views.decorators.http import require_POST

from certdash.access import app_or_404, role_in
from certdash.filters import RunFilter
from certdash.models import Role, SyncRun
from certdash.sync.asking import Scope
from certdash.sync.run import open_run
from certdash.sync.withdrawals import accept
from certdash.tables import RunTable
from certdash.tasks import enqueue, sync_run, withdraw_held
from certdash.views.page import List, viewer

_LONG = timedelta(seconds=15)  # a worker that is free takes a run up within two


@require_POST
def sync_now(request: HttpRequest, slug: str) -> HttpResponse:
    """Opens a run for the worker, or joins the one under way, and goes to its page."""
    app = app_or_404(viewer(request), slug, Role.MANAGER)
    run, new = open_run(app, Scope(), viewer(request))
    if new:
        enqueue(sync_run, run.pk)
    else:
        messages.info(request, "This app is being synchronised already: you follow that run.")
    return redirect("run", slug, run.pk)


class Runs(List):
    """The runs of an app."""

    filter_class = RunFilter
    table_class = RunTable
    template_name = "apps/runs.html"
    title = "Sync runs"
    file_name = "runs"
    of_vendor = False

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.app = app_or_404(viewer(request), kwargs["slug"])
        return super().dispatch(request, *args, **kwargs)

    def queryset(self) -> QuerySet[Any]:
        return SyncRun.objects.filter(app=self.app)

    def context(self) -> dict[str, Any]:
        role = role_in(viewer(self.request), self.app)
        return {"app": self.app, "may_sync": role in Role.MANAGER.and_above, "may_own": role == Role.OWNER}


def run(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """One run: while it runs the page refreshes itself, and it ends on the result."""
    app = app_or_404(viewer(request), slug)
    the_run = get_object_or_404(SyncRun.objects.select_related("requested_by", "accepted_by"), app=app, pk=pk)
    role = role_in(viewer(request), app)
    held = the_run.status == SyncRun.Status.HELD and the_run.accepted_at is None
    missing = the_run.missing_certificates.live().count() if held else 0
    members = the_run.missing_memberships.filter(until=None).count() if held else 0
    context = {
        "app": app,
        "run": the_run,
        "over": the_run.lease_is_over(timezone.now()),
        "waits_long": the_run.phase == SyncRun.Phase.QUEUED and timezone.now() - the_run.requested_at > _LONG,
        "facts": _facts(the_run),
        "rejections": the_run.rejections.order_by("pk"),
        "still_missing": missing,
        "still_missing_members": members,
        "may_sync": role in Role.MANAGER.and_above,
        "may_own": role == Role.OWNER,
        "may_accept": role == Role.OWNER and bool(missing or members),
    }
    return render(request, "apps/run.html", context)


_FACTS = {
    "Certificates": "received", "New": "created", "Changed": "changed", "Withdrawn": "withdrawn",
    "Returned": "returned", "Missing": "missing", "Stories new or changed": "stories", "Joined a group": "joined",
    "Left a group": "left", "Set aside": "rejected", "Repaired": "repaired",
}  # fmt: skip


def _facts(the_run: SyncRun) -> list[tuple[str, str]]:
    facts = [(label, f"{getattr(the_run, name):,}") for label, name in _FACTS.items()]
    seconds = "" if the_run.seconds is None else f"{the_run.seconds:.1f} s"
    vendor = "" if the_run.response_time is None else f"{the_run.response_time:.1f} s"
    facts += [("Took", seconds), ("Of it, the vendor’s own", vendor)]
    return [*facts, ("Size", filesizeformat(the_run.size)), ("Vendor’s hash", the_run.vendor_hash)]


@require_POST
def accept_run(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """An owner accepts that what a held run missed is withdrawn."""
    app = app_or_404(viewer(request), slug, Role.OWNER)
    the_run = get_object_or_404(SyncRun, app=app, pk=pk)
    if accept(the_run, viewer(request), timezone.now()):
        enqueue(withdraw_held, the_run.pk)
        messages.success(request, "Accepted: what is still missing will be withdrawn in a moment.")
    else:
        messages.info(request, "There is nothing to accept in this run any more.")
    return redirect("run", slug, pk)
