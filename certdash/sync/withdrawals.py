"""When much is missing, nobody is withdrawn until an owner says so."""

from datetime import datetime

from django.db import transaction

from certdash.models import Certificate, Membership, SyncRun, User

from . import bulk
from .apply import Clock, withdraw_now

_FEW = 20


def must_hold(missing: int, before: int, *, empty: bool) -> bool:
    """Whether so much is missing that the answer may be wrong: everything, or more than 20 % and more than 20."""
    if empty:
        return missing > 0
    return missing > _FEW and missing * 5 > before


def accept(run: SyncRun, by: User | None, now: datetime) -> bool:
    """Note that an owner accepts what a held run found missing; false when that was already done."""
    held = SyncRun.objects.filter(pk=run.pk, status=SyncRun.Status.HELD, accepted_at=None)
    return bool(held.update(accepted_at=now, accepted_by=by))


def withdraw_accepted(run: SyncRun, clock: Clock) -> None:
    """Withdraw exactly what the accepted run listed and what is still missing.

    Safe beside a running sync: what that finds again loses its mark in the sync's own transaction. Safe to repeat.
    """
    if run.accepted_at is None:
        raise ValueError("Only an accepted run withdraws what it held.")
    listed = Certificate.objects.filter(missing_in=run, withdrawn_at=None)
    while some := list(listed.values_list("pk", flat=True)[: bulk.CHUNK]):
        with transaction.atomic():
            withdrawn = withdraw_now(run, list(listed.filter(pk__in=some).values_list("pk", flat=True)), clock())
            SyncRun.objects.filter(pk=run.pk).update(withdrawn=run.withdrawn + withdrawn)
            run.app.moved()
        run.withdrawn += withdrawn
    with transaction.atomic():
        Membership.objects.filter(missing_in=run, until=None).update(until=clock(), missing_in=None)
        run.app.moved()
