"""Workers: the background processes, each with its last sign of life."""

from datetime import datetime, timedelta

from django.db import models

BEAT = timedelta(seconds=10)
SILENCE = timedelta(seconds=45)  # after so long without a sign of life a worker counts as gone


class Worker(models.Model):
    """A worker process. Its row outlives it, for its last sign of life, until another worker starts."""

    name = models.CharField(max_length=120, unique=True)  # machine and process
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)  # in order; one that was killed only falls silent

    def __str__(self) -> str:
        return self.name

    def is_alive(self, now: datetime) -> bool:
        return self.ended_at is None and now - self.seen_at < SILENCE
