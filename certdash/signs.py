"""Signs of life: the worker gives them, pages show the last one."""

import logging
import os
import secrets
import socket
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import Error, connections
from django.db.models import Q
from django.utils import timezone
from django.utils.dateformat import format as formatted
from django.utils.translation import gettext, ngettext

from certdash.models import Worker
from certdash.models.worker import BEAT
from certdash.rows import zoned

_KEPT = timedelta(days=1)  # rows of workers that were killed

log = logging.getLogger(__name__)

# -- Given ------------------------------------------------------------------------------------------------------


class SignOfLife:
    """This process's row among the workers, kept fresh by a thread of its own until the end, which it tells, too.

    `alongside`: done with every beat. A database that is away for a while costs one line in the log.
    """

    def __init__(self, alongside: Callable[[], None] = lambda: None, beat: timedelta = BEAT) -> None:
        self.name = f"{socket.gethostname()[:80]}:{os.getpid()}:{secrets.token_hex(4)}"
        self._alongside, self._seconds = alongside, beat.total_seconds()
        self._started_at = timezone.now()
        self._away = False
        self._last: Callable[[], None] = lambda: None
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._live, name="sign of life", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self, last: Callable[[], None], seconds: float) -> None:
        """Take the row away after a `last` work on the database, and wait for both, but only so long."""
        self._last = last
        self._ending.set()
        self._thread.join(seconds)

    def _live(self) -> None:
        self._tell(self._beat)
        while not self._ending.wait(self._seconds):
            self._tell(self._beat)
            self._alongside()
        self._tell(self._last)
        self._tell(self._leave)

    def _tell(self, say: Callable[[], None]) -> None:
        try:
            try:
                say()
            finally:
                connections.close_all()  # a waiting thread holds no connection
        except Error as error:
            if not self._away:
                log.warning("The worker cannot give a sign of life and goes on trying: %s", error)
            self._away = True
        else:
            self._away = False

    def _beat(self) -> None:
        now = timezone.now()
        if not Worker.objects.filter(name=self.name).update(seen_at=now):
            Worker.objects.create(name=self.name, started_at=self._started_at, seen_at=now)
            Worker.objects.filter(Q(seen_at__lt=now - _KEPT) | Q(ended_at__isnull=False)).delete()

    def _leave(self) -> None:
        now = timezone.now()
        Worker.objects.filter(name=self.name).update(seen_at=now, ended_at=now)


# -- Shown ------------------------------------------------------------------------------------------------------


class WorkerSign(NamedTuple):
    """How the worker is, in sentences for a page. `tone`: ok, stale (there was one), or none (there never was)."""

    tone: str
    what: str
    meaning: str = ""
    seen_at: datetime | None = None

    @property
    def text(self) -> str:
        return f"{self.what} {self.meaning}".strip()


def worker_sign(now: datetime) -> WorkerSign:
    """The newest sign of life of all workers."""
    signs = Worker.objects.order_by("-seen_at")
    if alive := [worker for worker in signs if worker.is_alive(now)]:
        seen_at = alive[0].seen_at
        told = ngettext(
            "The worker is running: last sign of life %(time)s.",
            "%(many)s workers are running: last sign of life %(time)s.",
            len(alive),
        )
        return WorkerSign("ok", told % {"many": len(alive), "time": _ago(now - seen_at)}, seen_at=seen_at)
    if last := signs.first():
        what = gettext("No worker is running: last sign of life %(moment)s.") % {"moment": _clock(last.seen_at, now)}
        meaning = gettext("Nothing is synchronised by itself, and what pages ask for waits until it runs again.")
        return WorkerSign("stale", what, meaning, last.seen_at)
    meaning = gettext("Nothing is synchronised by itself, and what pages ask for waits until one runs.")
    return WorkerSign("none", gettext("No worker has ever run."), meaning)


def _ago(time: timedelta) -> str:
    seconds = int(time.total_seconds())
    if seconds < 2:
        return gettext("just now")
    return ngettext("%(many)s second ago", "%(many)s seconds ago", seconds) % {"many": seconds}


def _clock(moment: datetime, now: datetime) -> str:
    local = timezone.localtime(moment)
    is_this_year = local.year == timezone.localtime(now).year
    return formatted(local, gettext("j M, H:i T")) if is_this_year else zoned(moment)
