"""Sync runs: what was asked, what came of it, and which rows could not be understood."""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .app import App
from .badges import Badge


class SyncRunQuerySet(models.QuerySet["SyncRun"]):
    def under_way(self) -> "SyncRunQuerySet":
        return self.filter(status=SyncRun.Status.RUNNING)

    def full(self) -> "SyncRunQuerySet":
        """Runs that asked for everything; narrow runs say nothing of the rest of the app."""
        return self.filter(story="", users=[])

    def settled(self) -> "SyncRunQuerySet":
        """Complete runs that left nothing for an owner to decide."""
        return self.complete().exclude(status=SyncRun.Status.HELD, accepted_at=None)

    def complete(self) -> "SyncRunQuerySet":
        """Runs that went through the whole of an answer."""
        return self.filter(status__in=SyncRun.COMPLETE)

    def shown_at(self, now: datetime) -> "SyncRunQuerySet":
        """With `shown_status`: as `SyncRun.status_at` tells it."""
        lost = models.When(status=SyncRun.Status.RUNNING, lease_until__lt=now, then=models.Value(SyncRun.NO_SIGN))
        return self.annotate(shown_status=models.Case(lost, default=models.F("status")))

    def newest_of_each(self, apps: Iterable[App]) -> "SyncRunQuerySet":
        """Per app the newest of these runs, in one query."""
        newest = self.filter(app=models.OuterRef("pk")).order_by("-id").values("pk")[:1]
        ids = App.objects.filter(pk__in=[app.pk for app in apps]).values_list(models.Subquery(newest), flat=True)
        return self.filter(pk__in=ids)


class SyncRun(models.Model):
    """One synchronisation of one app: written before the first byte is asked for, closed whatever happens."""

    class Status(models.TextChoices):
        RUNNING = "running", _("Running")
        SUCCESS = "success", _("Success")
        UNCHANGED = "unchanged", _("Unchanged")
        PARTIAL = "partial", _("Partial")
        HELD = "held", _("Held")
        FAILED = "failed", _("Failed")
        INTERRUPTED = "interrupted", _("Interrupted")

    class Phase(models.TextChoices):
        """What a running run does, in words that follow "is"."""

        QUEUED = "queued", _("waiting for the worker")
        ASKING = "asking", _("asking the vendor")
        DOWNLOADING = "downloading", _("downloading")
        COMPARING = "comparing", _("comparing stories")
        GROUPS = "groups", _("asking who is in the groups")
        WITHDRAWING = "withdrawing", _("looking at what is missing")

    COUNTS = (
        "received", "created", "changed", "withdrawn", "returned", "out_of_scope", "missing", "missing_members",
        "stories", "joined", "left", "rejected", "repaired", "left_out", "size",
    )  # fmt: skip
    COMPLETE = (Status.SUCCESS, Status.UNCHANGED, Status.PARTIAL, Status.HELD)
    NO_SIGN = "lost"  # what filters and files call a run that is running by its status, and its lease is over
    LOST = Badge("danger", "alert", _("No sign of life"))  # the same

    app = models.ForeignKey(App, models.CASCADE, related_name="runs", db_index=False)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    story = models.TextField(blank=True)  # narrow runs: the `story` and `users` parameters of the endpoint
    users = models.JSONField(default=list, blank=True)

    status = models.CharField(max_length=11, choices=Status.choices, default=Status.RUNNING)
    phase = models.CharField(max_length=11, choices=Phase.choices, default=Phase.QUEUED)
    progress_done = models.PositiveBigIntegerField(default=0)  # bytes while downloading, stories while comparing
    progress_total = models.PositiveBigIntegerField(default=0)
    lease_until = models.DateTimeField()
    requested_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    applying_since = models.DateTimeField(null=True, blank=True)  # first write of data
    finished_at = models.DateTimeField(null=True, blank=True)

    initial = models.BooleanField(default=False)  # nobody had asked for any of it before
    received = models.PositiveBigIntegerField(default=0)  # of certificates, as the six after it
    created = models.PositiveBigIntegerField(default=0)
    changed = models.PositiveBigIntegerField(default=0)
    withdrawn = models.PositiveBigIntegerField(default=0)
    returned = models.PositiveBigIntegerField(default=0)
    out_of_scope = models.PositiveBigIntegerField(default=0)
    missing = models.PositiveBigIntegerField(default=0)  # held back from withdrawal
    stories = models.PositiveBigIntegerField(default=0)  # new, renamed, withdrawn, returned or of another type
    joined = models.PositiveBigIntegerField(default=0)  # learners who are in a group now
    left = models.PositiveBigIntegerField(default=0)  # learners who are not any more
    missing_members = models.PositiveBigIntegerField(default=0)  # held back from leaving their groups
    rejected = models.PositiveBigIntegerField(default=0)
    repaired = models.PositiveBigIntegerField(default=0)
    left_out = models.PositiveBigIntegerField(default=0)  # rows of erased learners; not among the received
    size = models.PositiveBigIntegerField(default=0)  # decompressed bytes of all answers
    response_time = models.FloatField(null=True, blank=True)  # seconds, as the vendor tells them
    vendor_hash = models.TextField(blank=True)  # shown, never trusted
    vendor_message = models.TextField(blank=True)  # as it came
    message = models.TextField(blank=True)  # one sentence a manager understands

    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="accepted_runs"
    )

    objects = SyncRunQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["app"],
                condition=Q(status="running"),
                name="one_run_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(status="running", finished_at=None) | (~Q(status="running") & Q(finished_at__isnull=False)),
                name="run_finished_when_not_running",
            ),
        ]
        indexes = [
            models.Index(fields=["app", "-id"], name="run_newest"),
            # Nearly all runs find nothing new, and every page asks for the last one that did.
            models.Index(fields=["app", "-id"], condition=~Q(status="unchanged"), name="run_news"),
        ]

    def __str__(self) -> str:
        return f"run {self.pk} of {self.app_id}"

    @property
    def is_running(self) -> bool:
        return self.status == self.Status.RUNNING

    @property
    def is_narrow(self) -> bool:
        return bool(self.story or self.users)

    @property
    def badge(self) -> Badge:
        """Of the status as it is stored: `badge_at` also tells a running run that has died."""
        return RUN_BADGES[self.status]

    def badge_at(self, now: datetime) -> Badge:
        return RUN_BADGES[self.status_at(now)]

    def status_at(self, now: datetime) -> str:
        """The status, or `NO_SIGN` of a running run that has died: what lists, filters and files tell."""
        return self.NO_SIGN if self.lease_is_over(now) else self.status

    @property
    def seconds(self) -> float | None:
        """How long it took, from its start to its end."""
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()

    def lease_is_over(self, now: datetime) -> bool:
        """A running run whose deadline passed has died: whoever notices may close it as interrupted."""
        return self.is_running and self.lease_until < now


# By what `status_at` tells.
RUN_BADGES: dict[str, Badge] = {
    SyncRun.Status.RUNNING: Badge("neutral", "sync", SyncRun.Status.RUNNING.label),
    SyncRun.NO_SIGN: SyncRun.LOST,
    SyncRun.Status.SUCCESS: Badge("success", "check", SyncRun.Status.SUCCESS.label),
    SyncRun.Status.UNCHANGED: Badge("success", "check", SyncRun.Status.UNCHANGED.label),
    SyncRun.Status.PARTIAL: Badge("warning", "alert", SyncRun.Status.PARTIAL.label),
    SyncRun.Status.HELD: Badge("warning", "clock", SyncRun.Status.HELD.label),
    SyncRun.Status.FAILED: Badge("danger", "alert", SyncRun.Status.FAILED.label),
    SyncRun.Status.INTERRUPTED: Badge("danger", "alert", SyncRun.Status.INTERRUPTED.label),
}


class Rejection(models.Model):
    """A row that could not be understood: where it stood and why, and its shape without what it said."""

    KEPT_PER_RUN = 200  # all are counted in the run

    run = models.ForeignKey(SyncRun, models.CASCADE, related_name="rejections")
    path = models.TextField()  # data[3].certificates[17].certificate.timestamp
    reason = models.TextField()
    excerpt = models.TextField(blank=True)  # the row with every letter and digit masked

    def __str__(self) -> str:
        return self.path
