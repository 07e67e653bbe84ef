"""`manage.py worker`: does queued syncs, and opens those that are due."""

from typing import Any

from django.core.management.base import BaseCommand

from certdash.tasks import huey


class Command(BaseCommand):
    help = "The background worker: does what pages ask for and synchronises apps by their refresh interval."

    def handle(self, *_: Any, **__: Any) -> None:
        self.stdout.write("The worker waits for work. Ctrl-C ends it.")
        self.stdout.flush()
        # Two threads: a slow app does not hold up the other ones. Database connections are per thread and closed
        # after each job by the hooks in `tasks`.
        huey.create_consumer(
            workers=2, worker_type="thread", initial_delay=0.1, max_delay=1, check_worker_health=True
        ).run()
