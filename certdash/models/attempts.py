"""Log-ins that are counted, so that nobody can try one password after the other."""

from django.db import models


class LoginAttempts(models.Model):
    """The latest attempts under one key; the key is a digest and tells nobody's name."""

    key = models.CharField(max_length=64, unique=True)
    moments = models.JSONField(default=list)  # seconds since 1970, oldest first
    latest = models.FloatField(default=0, db_index=True)  # the last of them; by it old rows are cleared away

    class Meta:
        verbose_name_plural = "login attempts"

    def __str__(self) -> str:
        return f"attempts {self.pk}"
