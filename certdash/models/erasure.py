"""Learners who were erased: what keeps the next sync from bringing them back tells nobody who they are."""

import hmac

from django.conf import settings
from django.db import models

from .app import App
from .people import User


class Erasure(models.Model):
    """One erased learner of an app, as a digest under a key of its own that is never rotated."""

    app = models.ForeignKey(App, models.CASCADE, related_name="erasures")
    digest = models.CharField(max_length=64, editable=False)
    at = models.DateTimeField()
    by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["app", "digest"], name="erasure_once")]

    def __str__(self) -> str:
        return f"erasure {self.pk} of {self.app_id}"

    @staticmethod
    def digest_of(app: App, identity: str) -> str:
        """Of a learner's identity: the same in a database that was rebuilt, as long as key and slug stay."""
        message = f"{app.slug}\0{identity}".encode()
        return hmac.digest(settings.ERASURE_KEY.encode(), message, "sha256").hex()

    @staticmethod
    def digest_of_key() -> str:
        """Tells whether two installations have the same key, and nothing else of it."""
        return hmac.digest(settings.ERASURE_KEY.encode(), b"the key itself", "sha256").hex()
