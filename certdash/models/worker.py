"""Workers: the background processes, each with its last sign of life."""

from datetime import datetime, timedelta

from django.db import models

BEAT = timedelta(seconds=10)
SILENCE = timedelta(seconds=45)  # after so long without a sign of life a worker counts as gone


class Worker(models.Model):
    """A running worker process. Its row goes when it ends in order, and stays behind when it is killed."""

    name = models.CharField(max_length=120, unique=True)  # machine and process
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name

    def is_alive(self, now: datetime) -> bool:
        return now - self.seen_at < SILENCE
