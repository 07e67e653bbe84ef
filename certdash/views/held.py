"""Held runs: what one lists as missing, and an owner's acceptance."""

from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from operator import or_

from django.contrib import messages
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_POST

from certdash.access import app_or_404
from certdash.audit import note
from certdash.models import AuditKind, Membership, Role, SyncRun
from certdash.rows import CertificateRow, grouped
from certdash.sync.withdrawals import accept
from certdash.tasks import enqueue, withdraw_held
from certdash.views.page import address, viewer

_SHOWN = 20


@dataclass
class Held:
    """What a held run lists and what is still missing; an owner who may accept it sees the first of each."""

    certificates: int
    members: int
    url: str  # of the certificates
    accepting: bool  # accepted, and the worker is not through with it
    may_accept: bool
    rows: list[CertificateRow] = field(default_factory=list)
    memberships: list[Membership] = field(default_factory=list)
    newer: SyncRun | None = None  # the held run that took its place

    @property
    def what(self) -> str:
        """What is missing, in words."""
        certificates = ngettext("%(many)s certificate", "%(many)s certificates", self.certificates)
        members = ngettext("%(many)s group member", "%(many)s group members", self.members)
        told = {
            "certificates": certificates % {"many": grouped(self.certificates)},
            "members": members % {"many": grouped(self.members)},
        }
        if self.certificates and self.members:
            return gettext("%(certificates)s and %(members)s") % told
        return told["certificates" if self.certificates else "members"] if self.certificates or self.members else ""

    @property
    def acceptance(self) -> str:
        """What accepting does, as the button says it."""
        withdraw = ngettext("withdraw %(many)s certificate", "withdraw %(many)s certificates", self.certificates)
        leave = ngettext("let %(many)s group member leave", "let %(many)s group members leave", self.members)
        told = {
            "withdraw": withdraw % {"many": grouped(self.certificates)},
            "leave": leave % {"many": grouped(self.members)},
        }
        if self.certificates and self.members:
            return gettext("Accept: %(withdraw)s and %(leave)s") % told
        return gettext("Accept: %(what)s") % {"what": told["withdraw" if self.certificates else "leave"]}


def held_of(run: SyncRun, role: Role | None, now: datetime) -> Held | None:
    """None of a run that holds nothing back."""
    if run.status != SyncRun.Status.HELD:
        return None
    certificates = run.missing_certificates.live()
    memberships = missing_members(run)
    url = address(reverse("certificates"), [("run", str(run.pk)), ("change", "missing")])
    held = Held(certificates.count(), memberships.count(), url, accepting=False, may_accept=False)
    listed = bool(held.certificates or held.members)
    held.accepting = listed and run.accepted_at is not None
    held.may_accept = listed and run.accepted_at is None and role == Role.OWNER
    if held.may_accept:
        first = certificates.select_related("app", "story").defer("app__token").order_by("-timestamp", "-pk")[:_SHOWN]
        held.rows = [CertificateRow(one, [], now) for one in first]
        held.memberships = list(memberships.select_related("group", "learner").order_by("group__slug", "pk")[:_SHOWN])
    if not listed and run.accepted_at is None:
        held.newer = _newer(run)
    return held


def missing_members(run: SyncRun) -> QuerySet[Membership]:
    """Who was missing from a group in this run and has neither come back nor left since."""
    return run.missing_memberships.filter(until=None)


def _newer(run: SyncRun) -> SyncRun | None:
    """The last of the held runs that followed and list what this one did, without a run in between that found it."""
    later = SyncRun.objects.filter(app=run.app_id, pk__gt=run.pk).full().complete()
    kinds = [Q(**{f"{kind}__gt": 0}) for kind in ("missing", "missing_members") if getattr(run, kind)]
    lists_it = Q(status=SyncRun.Status.HELD) & reduce(or_, kinds)
    held = later.filter(lists_it)
    if found := later.exclude(lists_it).order_by("pk").first():
        held = held.filter(pk__lt=found.pk)
    return held.order_by("-pk").first()


@require_POST
def accept_run(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """An owner accepts that what a held run missed is withdrawn."""
    app = app_or_404(viewer(request), slug, Role.OWNER)
    the_run = get_object_or_404(SyncRun, app=app, pk=pk)
    with transaction.atomic():
        accepted = accept(the_run, viewer(request), timezone.now())
        if accepted:
            missing = the_run.missing_certificates.live().count()
            note(AuditKind.ACCEPTED, app, viewer(request), run=pk, certificates=missing)
    if accepted:
        enqueue(withdraw_held, the_run.pk)
        messages.success(request, gettext("Accepted: what is still missing will be withdrawn in a moment."))
    else:
        messages.info(request, gettext("There is nothing to accept in this run any more."))
    return redirect("run", slug, pk)
