"""Whose run it is: every write renews the run's lease, and none happens once it is lost or the process must stop."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F

from certdash.models import App, SyncRun

from .keeping import Keeping

LEASE = timedelta(minutes=3)  # longer than the longest time without a sign of life: a read of the vendor's answer
Clock = Callable[[], datetime]
_SECONDS = 1.0  # between two notes of progress

# Set when this process is told to end: every run in it then stops before its next write.
STOPPING = threading.Event()


class LeaseLost(Exception):
    """Another process closed this run as interrupted; it must not write any more."""


class Stopped(Exception):
    """This process was told to end."""


class RulesChanged(Exception):
    """Storing of telephones was switched: what this run has planned is no longer what the app keeps."""


class Lease:
    """One run's right to write."""

    def __init__(self, run: SyncRun, clock: Clock) -> None:
        self.run, self.app, self.clock = run, run.app, clock
        self._version = self._version_stored()  # before anything that this run plans with is read
        self.keeping = Keeping(self.app)
        self._told = 0.0

    def renew(self, **progress: Any) -> None:
        """Extend the lease and note progress. Raises `LeaseLost` or `Stopped`."""
        if STOPPING.is_set():
            raise Stopped
        ours = SyncRun.objects.filter(pk=self.run.pk, status=SyncRun.Status.RUNNING)
        counts = {name: getattr(self.run, name) for name in SyncRun.COUNTS}  # all that is known, should it be killed
        if not ours.update(lease_until=self.clock() + LEASE, **counts, **progress):
            raise LeaseLost
        self._told = time.monotonic()

    def tell(self, **progress: Any) -> None:
        """Renew, unless that was a moment ago."""
        if time.monotonic() - self._told > _SECONDS:
            self.renew(**progress)

    @contextmanager
    def writing(self) -> Iterator[datetime]:
        """A transaction that changes the app's rows and holds the lease while it does; gives its moment.

        Raises `LeaseLost`, `Stopped` or `RulesChanged`.
        """
        with transaction.atomic():
            self.renew()
            rules = {name: getattr(self.app, name) for name in ("stores_telephones", "tells_by_telephone")}
            if not App.objects.filter(pk=self.app.pk, **rules).update(version=F("version") + 1):
                raise RulesChanged
            self._version += 1
            yield self.clock()

    def is_alone(self) -> bool:
        """In a transaction that holds the run: whether nobody else has changed rows of the app since it began.

        Else bytes that were compared before may say something else than what is stored now: of somebody who was
        erased and whose erasure was lifted again, nothing but this tells.
        """
        return self._version_stored() == self._version

    def _version_stored(self) -> int:
        return App.objects.values_list("version", flat=True).get(pk=self.app.pk)
