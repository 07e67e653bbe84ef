"""The worker process: does the jobs of the queue, keeps the schedule, and ends in order when it is told to."""

import signal
import threading
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial

from django.utils import timezone
from huey.consumer import Consumer, Scheduler

from certdash.signs import SignOfLife
from certdash.spool import sweep_spool
from certdash.sync.lease import STOPPING
from certdash.sync.run import stop_all
from certdash.tasks import huey

# Seconds that runs have to stop by themselves, and that the database has for the last words: together, and with the
# time that Python itself takes to end, less than the ten after which others lose patience.
_STOP_SECONDS = 5.5
_LAST_WORDS_SECONDS = 2.0


class _Schedule(Scheduler):  # type: ignore[misc]
    """Does the periodic job in a thread of its own: what is due must not wait until a slow vendor has answered."""

    def enqueue_periodic_tasks(self, now: datetime | None) -> None:
        for task in self.huey.read_periodic(now):
            self.huey.execute(task)


class _Consumer(Consumer):  # type: ignore[misc]
    scheduler_class = _Schedule


def work(tell: Callable[[str], None]) -> None:
    """Work until a signal says to end, and then end within ten seconds with nothing half written.

    To be called in the main thread, which has its signals blocked from then on.
    """
    # Before any thread is started, so that all have them blocked: the signals wait for this one to take them, and
    # neither interrupt a transaction nor reach huey's own handlers, which wait for a run or forget it half done.
    endings = {signal.SIGINT, signal.SIGTERM}
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # as `nohup` wants it
        endings.add(signal.SIGHUP)
    signal.pthread_sigmask(signal.SIG_BLOCK, endings)
    sweep_spool()
    # Two threads: a slow app does not hold up the other ones.
    consumer = _Consumer(huey, workers=2, worker_type="thread", initial_delay=0.1, max_delay=1)
    sign = SignOfLife(alongside=partial(_replace_dead_threads, consumer))
    sign.start()
    consumer.start()
    tell("The worker waits for work. Ctrl-C ends it.")
    signal.sigwait(endings)
    tell("The worker stops what it does and ends. The next one goes on with it.")
    _stop(consumer)
    sign.end(partial(stop_all, timezone.now), _LAST_WORDS_SECONDS)


def _replace_dead_threads(consumer: _Consumer) -> None:
    if not STOPPING.is_set():
        consumer.check_worker_health()


def _stop(consumer: _Consumer) -> None:
    """Take no more jobs, and wait for the threads to close what they do, but only so long."""
    consumer.stop_flag.set()
    STOPPING.set()
    end = time.monotonic() + _STOP_SECONDS
    threads: list[threading.Thread] = [thread for _, thread in consumer.worker_threads]
    for thread in (*threads, consumer.scheduler):
        thread.join(max(0.0, end - time.monotonic()))
