"""`manage.py worker`: does queued syncs, and opens those that are due."""

from contextlib import suppress
from typing import Any

from django.core.management.base import BaseCommand

from certdash.worker import work


class Command(BaseCommand):
    help = "The background worker: does what pages ask for and synchronises apps by their refresh interval."

    def handle(self, *_: Any, **__: Any) -> None:
        work(self._tell)

    def _tell(self, line: str) -> None:
        with suppress(OSError):  # whoever read it has gone, perhaps with the terminal that now ends this process
            self.stdout.write(line)
            self.stdout.flush()
