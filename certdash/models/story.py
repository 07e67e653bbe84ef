"""A story of an app, and the key under which addresses name it."""

import hashlib

from django.db import models
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from .app import App
from .text import sort_bytes

_SLUG_LENGTH = 80


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def name_slug(name: str) -> str:
    """The Unicode slug of a story's or group's name; may be empty."""
    return slugify(name, allow_unicode=True)[:_SLUG_LENGTH].strip("-")


def hashed_slug(name: str) -> str:
    """The slug made unmistakable by a short hash of the name: for names whose slug is empty or not theirs alone."""
    return "-".join(filter(None, [name_slug(name), _digest(name)[:8]]))


class StoryType(models.TextChoices):
    """The documented types; anything else is kept as it came."""

    STORY = "story", _("Story")
    ASSESSMENT = "assessment", _("Assessment")
    SURVEY = "survey", _("Survey")
    SCORM = "scorm", _("SCORM")


_LABELS = {kind.value: kind.label for kind in StoryType}


class Story(models.Model):
    """A story of the vendor. Two stories may carry the same ID; ID and name together identify one."""

    app = models.ForeignKey(App, models.CASCADE, related_name="stories")
    vendor_id = models.CharField(max_length=255, blank=True)
    name = models.TextField()
    type = models.TextField(blank=True)
    identity = models.CharField(max_length=32, editable=False)
    slug = models.CharField(max_length=_SLUG_LENGTH + 9, editable=False)
    sort_name = models.BinaryField(max_length=160, editable=False)
    first_seen_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    # Of the bytes that are applied completely; empty while anything is open. Whoever writes into the story clears it.
    digest = models.CharField(max_length=64, blank=True, editable=False)
    received = models.PositiveBigIntegerField(default=0, editable=False)  # rows in those bytes
    repaired = models.PositiveBigIntegerField(default=0, editable=False)  # of them
    left_out = models.PositiveBigIntegerField(default=0, editable=False)  # beside them, of erased learners

    class Meta:
        verbose_name_plural = "stories"
        constraints = [
            models.UniqueConstraint(fields=["app", "identity"], name="story_once"),
        ]
        # Not unique: who chooses names could make two short hashes meet, and that must not stop a sync.
        indexes = [models.Index(fields=["vendor_id", "slug"], name="story_key")]

    def __str__(self) -> str:
        return self.name

    @property
    def key(self) -> str:
        """The canonical key in addresses."""
        return f"{self.vendor_id}~{self.slug}"

    @property
    def type_label(self) -> str:
        return str(_LABELS.get(self.type, self.type))

    @staticmethod
    def identity_of(vendor_id: str, name: str) -> str:
        """ID and name in one bounded value; an empty ID leaves the name alone to tell stories apart."""
        return _digest(f"{vendor_id}\0{name}")[:32]

    def rename(self, name: str) -> None:
        """Take another name, with what follows from it but the slug, which depends on the neighbours."""
        self.name, self.identity, self.sort_name = (
            name,
            self.identity_of(self.vendor_id, name),
            sort_bytes(name),
        )


def restate_slugs(app: App, vendor_ids: set[str]) -> None:
    """Give the stories of these IDs their slugs: the name's own where it is alone, the hashed one where it is not.

    The outcome depends only on which stories there are, not on the order in which they came: so an address made
    today names the same story after the database was rebuilt.
    """
    by_slug: dict[tuple[str, str], list[Story]] = {}
    for story in Story.objects.filter(app=app):  # IDs can be more than one query may name
        if story.vendor_id in vendor_ids:
            by_slug.setdefault((story.vendor_id, name_slug(story.name)), []).append(story)
    moved = []
    for (_id, slug), namesakes in by_slug.items():
        for story in namesakes:
            wanted = slug if slug and len(namesakes) == 1 else hashed_slug(story.name)
            if story.slug != wanted:
                story.slug = wanted
                moved.append(story)
    Story.objects.bulk_update(moved, ["slug"], batch_size=100)
