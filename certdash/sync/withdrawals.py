"""When much is missing, nobody is withdrawn until an owner says so."""

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q

from certdash.models import Certificate, Membership, SyncRun, User

from . import bulk
from .apply import Clock, withdraw_now
from .groups import leave

_FEW = 20


def must_hold(missing: int, before: int, *, empty: bool) -> bool:
    """Whether so much is missing that the answer may be wrong: everything, or more than 20 % and more than 20."""
    if empty:
        return missing > 0
    return missing > _FEW and missing * 5 > before


def accept(run: SyncRun, by: User | None, now: datetime) -> bool:
    """Note that an owner accepts what a held run found missing.

    False when that was already done, or when nothing of it is missing any more: it came back, or a newer held run
    lists it.
    """
    held = SyncRun.objects.filter(pk=run.pk, status=SyncRun.Status.HELD, accepted_at=None)
    return bool(held.filter(still_listed()).update(accepted_at=now, accepted_by=by))


def still_listed() -> Q:
    """As a condition on runs: something that the run found missing is still so."""
    certificates = Certificate.objects.filter(missing_in=OuterRef("pk"), withdrawn_at=None)
    memberships = Membership.objects.filter(missing_in=OuterRef("pk"), until=None)
    return Q(Exists(certificates)) | Q(Exists(memberships))


def withdraw_accepted(run: SyncRun, clock: Clock) -> None:
    """Withdraw exactly what the accepted run listed and what is still missing.

    Safe beside a running sync: what that finds again loses its mark in the sync's own transaction. Safe to repeat.
    """
    if run.accepted_at is None:
        raise ValueError("Only an accepted run withdraws what it held.")
    listed = Certificate.objects.filter(missing_in=run, withdrawn_at=None)
    while some := list(listed.values_list("pk", flat=True)[: bulk.CHUNK]):
        with transaction.atomic():
            run.app.moved()  # first, as in a sync: so the two wait for each other here and cannot meet crosswise
            withdrawn = withdraw_now(run, list(listed.filter(pk__in=some).values_list("pk", flat=True)), clock())
            SyncRun.objects.filter(pk=run.pk).update(withdrawn=F("withdrawn") + withdrawn)
    with transaction.atomic():
        run.app.moved()
        leave(Membership.objects.filter(missing_in=run), clock())
