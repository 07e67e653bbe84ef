"""What is old enough goes: withdrawn certificates with their history, ended memberships, reports of runs.

And with the last of it the learner, whichever of it went last.
"""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, Max, OuterRef, QuerySet

from certdash.models import App, Certificate, Learner, Membership, SyncRun

from . import bulk
from .learners import rename_learners
from .lease import STOPPING
from .withdrawals import still_listed

_EVERY = timedelta(days=1)


def apps_to_age_out(now: datetime) -> QuerySet[App]:
    """Apps of which what is old has not gone for a day, and that are not synchronised at this moment."""
    waiting = App.objects.exclude(aged_out_at__gt=now - _EVERY)
    return waiting.exclude(pk__in=SyncRun.objects.under_way().values("app"))


def age_out(app: App, now: datetime) -> None:
    """Remove of an app what is older than it is kept, in short transactions; what a sync still needs stays.

    Leaves an app alone while it is synchronised, and stops when the process is told to end: both goes on later.
    """
    before = now - timedelta(days=settings.KEEP_DAYS)
    gone = Certificate.objects.filter(app=app, missing_in=None)
    runs = _old_runs(app, before)
    done = (
        _remove_all(app, gone.filter(withdrawn_at__lt=before), _remove_certificates)
        and _remove_all(app, gone.filter(out_of_scope_at__lt=before), _remove_certificates)
        and _remove_all(app, Membership.objects.filter(group__app=app, until__lt=before), _remove)
        and _remove_all(app, _left_over(app), _remove)
    )
    if done:
        _forget_first_sight(app, runs)
        done = _remove_all(app, runs, _remove)
    if done:
        App.objects.filter(pk=app.pk).update(aged_out_at=now)


def _remove_all(app: App, old: QuerySet[Any], remove: Any) -> bool:
    """Remove rows a chunk a transaction, until there are none; False when it had to stop before."""
    with bulk.overwriting():
        while some := list(old.order_by("pk").values_list("pk", flat=True)[: bulk.CHUNK]):
            with transaction.atomic():
                app.moved()
                # A run plans with what it has read. One that begins at this very moment and receives such a row again
                # is cut off by the database, and run again at once.
                if STOPPING.is_set() or SyncRun.objects.filter(app=app).under_way().exists():
                    return False
                remove(old.filter(pk__in=some))
    return True


def _remove(rows: QuerySet[Any]) -> None:
    rows.delete()


def _remove_certificates(rows: QuerySet[Certificate]) -> None:
    """A story's digest stays: it speaks of the vendor's bytes, in which these rows no longer are."""
    learners = set(rows.values_list("learner", flat=True))
    rows.delete()
    rename_learners(learners)  # of what is left


def _left_over(app: App) -> QuerySet[Learner]:
    """Learners of whom nothing is known any more but, at most, that they have left groups."""
    rows = Certificate.objects.filter(learner=OuterRef("pk"))
    now_in = Membership.objects.filter(learner=OuterRef("pk"), until=None, group__tracked=True)
    return Learner.objects.filter(~Exists(rows), ~Exists(now_in), app=app)


def _old_runs(app: App, before: datetime) -> QuerySet[SyncRun]:
    """Reports that nothing is compared with any more."""
    runs = SyncRun.objects.filter(app=app)
    of_full = runs.full().order_by().values("status").annotate(newest=Max("pk")).values("newest")
    # The last one that left nothing to decide, which may be an accepted one; and the last one at all.
    settled, last = runs.full().settled().order_by("-pk")[:1], runs.order_by("-pk")[:1]
    needed = {*of_full.values_list("newest", flat=True), *(run.pk for run in (*settled, *last))}
    return runs.filter(requested_at__lt=before).exclude(still_listed()).exclude(pk__in=needed)


def _forget_first_sight(app: App, runs: QuerySet[SyncRun]) -> None:
    """An app's first run may have seen a million certificates; what came later is little."""
    seen = Certificate.objects.filter(app=app, initial=True, first_run__in=runs.filter(created__gt=0))
    while some := list(seen.values_list("pk", flat=True)[: bulk.PART]):
        with transaction.atomic():
            app.moved()
            bulk.update(Certificate, ("first_run", "id"), ((None, pk) for pk in some))
