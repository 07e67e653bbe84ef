"""A vendor app, with what it takes to ask for its certificates."""

import secrets
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from .secret import SecretField

# What a copy that was read a while ago must not set back: it moves while a form is open, and has ways of its own.
_KEPT = {
    "id", "version", "answered", "unanswered", "aged_out_at", "stores_telephones", "tells_by_telephone",
    "telephones_left",
}  # fmt: skip


class Breadth(models.TextChoices):
    """What an app synchronises: for accounts whose full answer is too slow or too large, only a part of it."""

    EVERYTHING = "everything", _("Everything")
    STORIES = "stories", _("Only listed stories")
    GROUPS = "groups", _("Only the tracked groups")


def _stamp() -> str:
    return secrets.token_hex(16)


class App(models.Model):
    """One app of a vendor account."""

    slug = models.SlugField(max_length=50, unique=True)
    name = models.CharField(max_length=200)
    base_url = models.CharField(max_length=500, help_text=_("The address from the token file, without /v1."))
    app_id = models.CharField(
        _("app ID"),
        max_length=200,
        blank=True,
        help_text=_("ID or name of the app at the vendor; an account with one app can leave it out."),
    )
    token = SecretField()
    refresh_minutes = models.PositiveIntegerField(default=15, help_text=_("Minutes between two scheduled syncs."))
    breadth = models.CharField(max_length=10, choices=Breadth.choices, default=Breadth.EVERYTHING)
    listed_stories = models.JSONField(default=list, blank=True)  # IDs or names; asked for one by one
    # Digests of the questions that full runs have had an answer to: what comes with the first one is old, and no news.
    answered = models.JSONField(default=list, blank=True, editable=False)
    # Digests of those that brought nothing the last time: asked last, so that they keep no others from being asked.
    unanswered = models.JSONField(default=list, blank=True, editable=False)
    stores_telephones = models.BooleanField(default=True)
    # Whether a telephone tells two learners without an e-mail address apart. Once telephones were not stored, it never
    # does so again: who was one learner stays one.
    tells_by_telephone = models.BooleanField(default=True, editable=False)
    telephones_left = models.BooleanField(default=False, editable=False)  # stored ones, which the worker is to remove
    aged_out_at = models.DateTimeField(null=True, blank=True, editable=False)  # when all that was old had gone
    # No two apps have the same, not even when one takes the other's number in a database that was made anew.
    stamp = models.CharField(max_length=32, default=_stamp, editable=False)
    # Moves in every transaction that changes the app's rows; caches are keyed by it.
    version = models.PositiveBigIntegerField(default=0, editable=False)

    class Meta:
        ordering = ["name", "slug"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(refresh_minutes__range=(1, 7 * 24 * 60)), name="app_refresh_within_a_week"
            )
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, **options: Any) -> None:
        """Store the app; of a stored one, without `update_fields`, all but what a sync, a worker or a switch writes."""
        if not self._state.adding and options.get("update_fields") is None:
            options["update_fields"] = [field.name for field in self._meta.concrete_fields if field.name not in _KEPT]
        super().save(**options)

    def moved(self) -> None:
        """Note, in the caller's transaction, that rows of this app change."""
        App.objects.filter(pk=self.pk).update(version=models.F("version") + 1)
