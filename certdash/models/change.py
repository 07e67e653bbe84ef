"""What happened to certificates and stories after they were first seen."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from .app import App
from .certificate import Certificate
from .run import SyncRun
from .story import Story


class Change(models.Model):
    """One observed change. First sight is no change: it is a column of the certificate."""

    class Kind(models.TextChoices):
        DELIVERED = "delivered", _("Delivered")
        STATE = "state", _("State changed")  # any other change of state
        LINK = "link", _("Link changed")
        TIMESTAMP = "timestamp", _("Timestamp changed")
        DETAILS = "details", _("Details changed")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        OUTSIDE = "outside", _("Out of scope")  # not asked for any more, so nothing is known of it
        RETURNED = "returned", _("Returned")
        RENAMED = "renamed", _("Story renamed")

    app = models.ForeignKey(App, models.CASCADE, related_name="changes", db_index=False)
    run = models.ForeignKey(SyncRun, models.SET_NULL, null=True, related_name="changes")
    story = models.ForeignKey(Story, models.CASCADE, related_name="changes")
    certificate = models.ForeignKey(Certificate, models.CASCADE, null=True, blank=True, related_name="changes")
    kind = models.CharField(max_length=9, choices=Kind.choices)
    seen_at = models.DateTimeField()
    before = models.JSONField(default=dict, blank=True)  # the fields that changed, as they were
    after = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind="renamed", certificate=None)
                | (~models.Q(kind="renamed") & models.Q(certificate__isnull=False)),
                name="change_of_a_story_or_a_certificate",
            )
        ]
        indexes = [models.Index(fields=["app", "kind", "seen_at"], name="change_kind")]

    def __str__(self) -> str:
        return f"{self.kind} at {self.seen_at:%Y-%m-%d %H:%M}"
