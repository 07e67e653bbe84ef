"""Who did what: rows that are added and never changed."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from .app import App
from .people import User


class AuditKind(models.TextChoices):
    """What is written down. Never what somebody typed, and nothing of learners."""

    LOGIN = "login", _("Logged in")
    LOGIN_FAILED = "login_failed", _("Log-in failed")
    DOWNLOAD = "download", _("Downloaded")
    ACCESS_GIVEN = "access_given", _("Access given")
    ACCESS_TAKEN = "access_taken", _("Access taken away")
    CREDENTIALS = "credentials", _("Connection changed")
    ACCEPTED = "accepted", _("Withdrawals accepted")
    ERASED = "erased", _("Learner erased")
    ERASURE_LIFTED = "lifted", _("Erasure lifted")
    TELEPHONES = "telephones", _("Storing of telephones switched")
    PERSON = "person", _("Account changed")
    TEAM = "team", _("Team changed")


class AuditQuerySet(models.QuerySet["AuditEntry"]):
    def bulk_create(self, *entries: Any, **options: Any) -> list["AuditEntry"]:
        if options.get("update_conflicts"):
            raise TypeError("What was written down stays as it is.")
        return super().bulk_create(*entries, **options)

    def update(self, **_: Any) -> int:
        raise TypeError("What was written down stays as it is.")

    def delete(self) -> tuple[int, dict[str, int]]:
        raise TypeError("What was written down stays.")


class AuditEntry(models.Model):
    """One event. App and person are also kept by name: they may be gone when it is read."""

    at = models.DateTimeField()
    kind = models.CharField(max_length=12, choices=AuditKind.choices)
    # Without constraints: nothing that is removed elsewhere may change a row here.
    app = models.ForeignKey(App, models.DO_NOTHING, null=True, blank=True, related_name="+", db_constraint=False)
    app_name = models.CharField(max_length=200, blank=True)
    person = models.ForeignKey(User, models.DO_NOTHING, null=True, blank=True, related_name="+", db_constraint=False)
    person_name = models.CharField(max_length=150, blank=True)  # the user name; empty: nobody of ours, or a command
    details = models.JSONField(default=dict)  # words and numbers of our own, by name

    objects = AuditQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        base_manager_name = "objects"  # the other one would let everything through
        indexes = [models.Index(fields=["app", "-id"], name="audit_app")]
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.kind}"

    def save(self, **options: Any) -> None:
        """Add the entry. Raises `TypeError` for one that is stored already."""
        if not self._state.adding:
            raise TypeError("What was written down stays as it is.")
        super().save(**options | {"force_insert": True})  # also of an entry that was made with a stored one's id

    def delete(self, *_: Any, **__: Any) -> tuple[int, dict[str, int]]:
        raise TypeError("What was written down stays.")
