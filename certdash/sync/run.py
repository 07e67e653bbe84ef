"""One run from its opening to its closing: who may run, and what is written about it."""

import logging
from collections.abc import Iterable
from datetime import timedelta

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from certdash.falkor import FalkorError
from certdash.models import App, CredentialUnreadable, Learner, SyncRun, User

from . import bulk
from .asking import ERASED, NothingToAsk, Scope
from .keeping import Erased
from .lease import LEASE, Clock, LeaseLost, RulesChanged, Stopped
from .work import Work

log = logging.getLogger(__name__)
QUEUE_LEASE = timedelta(minutes=20)  # a request may wait for a worker that does long syncs of other apps

# -- Opening ----------------------------------------------------------------------------------------------------


def open_run(app: App, scope: Scope, by: User | None = None, clock: Clock = timezone.now) -> tuple[SyncRun, bool]:
    """A queued run of the app, and whether it is new: while one is under way, that one is given instead.

    Raises `App.DoesNotExist` when the app is gone.
    """
    while True:
        release_dead_runs(clock, app)
        run = SyncRun(
            app=app, story=scope.story, users=list(scope.users), requested_by=by,
            requested_at=clock(), lease_until=clock() + QUEUE_LEASE,
        )  # fmt: skip
        try:
            with transaction.atomic():
                if scope.users:  # whoever erases now waits, or is waited for
                    App.objects.select_for_update(no_key=True).get(pk=app.pk)
                    run.users = _unnamed(app, scope.users)
                run.save()
        except IntegrityError:
            if under_way := SyncRun.objects.filter(app=app).under_way().first():
                return under_way, False
            App.objects.get(pk=app.pk)
            continue  # the other one ended in between
        return run, True


def _unnamed(app: App, users: Iterable[str]) -> list[str]:
    """Whom a run is for, without the addresses of erased learners."""
    erased = Erased(app)
    return [ERASED if erased.has(Learner.identity_by_email(user)) else user for user in users]


def release_dead_runs(clock: Clock, app: App | None = None) -> None:
    """Close runs (of this app, or all) whose lease is over: their process is gone, and what they had written stays."""
    now = clock()
    dead = SyncRun.objects.filter(lease_until__lt=now).under_way()
    if app is not None:
        dead = dead.filter(app=app)
    dead.filter(phase=SyncRun.Phase.QUEUED).update(
        status=SyncRun.Status.INTERRUPTED,
        finished_at=now,
        message="No worker took up this run in time. Nothing was changed. See that the worker is running.",
    )
    dead.update(
        status=SyncRun.Status.INTERRUPTED,
        finished_at=now,
        message="The process that did this run ended before its work. The next run completes it.",
    )


def claim(run: SyncRun, clock: Clock) -> bool:
    """Take up a queued run; false when somebody else did."""
    queued = SyncRun.objects.filter(pk=run.pk, phase=SyncRun.Phase.QUEUED).under_way()
    now = clock()
    return bool(queued.update(phase=SyncRun.Phase.ASKING, started_at=now, lease_until=now + LEASE))


# -- Doing ------------------------------------------------------------------------------------------------------

_doing: dict[int, SyncRun] = {}  # what the threads of this process do at this moment, by pk


def execute(run: SyncRun, clock: Clock = timezone.now) -> SyncRun:
    """Do an opened run, unless somebody else does it, and close it whatever happens; returns it as stored."""
    if claim(run, clock):
        run.refresh_from_db()
        _doing[run.pk] = run
        try:
            with bulk.much_writing():
                status, message = Work(run, clock).do()
        except (FalkorError, CredentialUnreadable, NothingToAsk) as error:
            run.vendor_message = getattr(error, "vendor_message", "")
            close(run, SyncRun.Status.FAILED, str(error), clock)
        except LeaseLost:
            log.warning("Run %s lost its lease and stopped.", run.pk)
        except Stopped:
            stop(run, clock)
        except RulesChanged:
            reason = "Storing of telephones was switched during this run. The next run completes it."
            close(run, SyncRun.Status.INTERRUPTED, reason, clock)
        except BaseException as error:
            if isinstance(error, Exception):
                reason = "certdash itself stopped during this run; its log says why. The next run completes it."
                close(run, SyncRun.Status.INTERRUPTED, reason, clock)
            else:  # Ctrl-C, or told to end: a query that this cut off may have taken its connection along
                if not connection.in_atomic_block and not connection.is_usable():
                    connection.close()
                stop(run, clock)
            raise
        else:
            close(run, status, message, clock)
        finally:
            del _doing[run.pk]
    run.refresh_from_db()
    return run


def sync_app(app: App, scope: Scope = Scope(), by: User | None = None, clock: Clock = timezone.now) -> SyncRun:  # noqa: B008
    """Synchronise one app in this process. While another run is under way, that one is given as it stands."""
    run, new = open_run(app, scope, by, clock)
    return execute(run, clock) if new else run


# -- Closing ----------------------------------------------------------------------------------------------------

_TOLD = (*SyncRun.COUNTS, "initial", "response_time", "vendor_hash", "vendor_message")


def close(run: SyncRun, status: SyncRun.Status, message: str, clock: Clock) -> None:
    """Write the end of a run, unless its lease was lost: then it is closed already."""
    if run.users and ERASED in _unnamed(run.app, run.users):  # the vendor may quote the address
        run.vendor_message = ""
    SyncRun.objects.filter(pk=run.pk).under_way().update(
        status=status, message=message, finished_at=clock(), **{name: getattr(run, name) for name in _TOLD}
    )


def stop(run: SyncRun, clock: Clock) -> None:
    """Close a run whose process ends in order."""
    reason = "The process that did this run was told to end. The next run completes it."
    close(run, SyncRun.Status.INTERRUPTED, reason, clock)


def stop_all(clock: Clock) -> None:
    """Close what this process still does, where a silent vendor is waited for, say: its thread writes no more."""
    for run in list(_doing.values()):
        stop(run, clock)
