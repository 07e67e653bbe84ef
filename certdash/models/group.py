"""Groups that an owner tracks, and who is in them."""

from django.db import models, transaction
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from .app import App
from .learner import Learner
from .story import hashed_slug, name_slug


class Group(models.Model):
    """A group of the vendor, known by its name alone: the vendor never lists groups, so owners name them."""

    LONGEST_NAME = 200

    app = models.ForeignKey(App, models.CASCADE, related_name="groups")
    name = models.CharField(max_length=LONGEST_NAME)
    slug = models.CharField(max_length=89, editable=False)
    tracked = models.BooleanField(default=True)
    # Whether it was answered for since it is tracked, and all who came and were known are stored: who comes later is
    # told as joined.
    answered = models.BooleanField(default=False, editable=False)
    checked_at = models.DateTimeField(null=True, blank=True)  # last time the vendor answered for it
    digest = models.CharField(max_length=64, blank=True, editable=False)  # of the answer that is applied completely

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["app", "name"], name="group_once"),
        ]
        # Not unique: a name can be chosen so that it looks like another one with its hash.
        indexes = [models.Index(fields=["app", "slug"], name="group_key")]

    def __str__(self) -> str:
        return self.name

    @property
    def key(self) -> str:
        """The canonical key in addresses, unique within the app."""
        return self.slug


@transaction.atomic
def track_groups(app: App, names: list[str], *, keep_others: bool = False) -> None:
    """Track exactly these groups (or these too). A group no longer tracked keeps its history, which ends here."""
    app.moved()  # first, as in a sync: so the two wait for each other here and cannot meet crosswise
    if not keep_others:
        _stop_tracking(app.groups.exclude(name__in=names).filter(tracked=True))
    for name in names:
        # A slug of its own until the loop below has seen all the names.
        Group.objects.update_or_create(
            app=app, name=name, defaults={"tracked": True}, create_defaults={"slug": hashed_slug(name)}
        )
    groups = list(app.groups.all())
    slugs = [name_slug(group.name) for group in groups]
    for group, slug in zip(groups, slugs, strict=True):
        alone = slug and slugs.count(slug) == 1
        group.slug = slug if alone else hashed_slug(group.name)
    Group.objects.bulk_update(groups, ["slug"], batch_size=100)


def _stop_tracking(groups: models.QuerySet[Group]) -> None:
    """Nobody is asked any more who is in them: memberships that stay open would keep people here for ever."""
    open_now = Membership.objects.filter(group__in=list(groups), until=None)
    open_now.update(until=Greatest(models.F("since"), timezone.now()), unasked=True, missing_in=None)
    # Tracked again, an equal answer is none that is stored, and the first one says who was there already.
    groups.update(tracked=False, answered=False, digest="")


class Membership(models.Model):
    """A learner was seen in a group, from when until when (open: still seen)."""

    group = models.ForeignKey(Group, models.CASCADE, related_name="memberships", db_index=False)
    learner = models.ForeignKey(Learner, models.CASCADE, related_name="memberships", db_index=False)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)
    initial = models.BooleanField(default=False)  # came with the group's first answer: was there before anybody asked
    unasked = models.BooleanField(default=False, db_default=False)  # ended because the group is no longer tracked
    # The held run in whose answer this learner was missing from the group.
    missing_in = models.ForeignKey(
        "SyncRun", models.SET_NULL, null=True, blank=True, related_name="missing_memberships"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["learner", "group"], condition=models.Q(until=None), name="membership_open_once"
            ),
            models.CheckConstraint(
                condition=models.Q(until=None) | models.Q(until__gte=models.F("since")),
                name="membership_ends_after_it_began",
            ),
        ]
        # With its end, so that who is in which group, from either side, is known without a look at the table.
        indexes = [
            models.Index(fields=["learner", "group", "until"], name="membership_learner"),
            models.Index(fields=["group", "until", "learner"], name="membership_group"),
        ]

    def __str__(self) -> str:
        return f"learner {self.learner_id} in group {self.group_id}"


def with_members(groups: models.QuerySet[Group]) -> models.QuerySet[Group]:
    """The groups by name, with `members`: how many people are in each now."""
    open_now = Membership.objects.filter(group=models.OuterRef("pk"), until=None).order_by().values("group")
    counted = models.Subquery(open_now.annotate(many=models.Count("pk")).values("many"))
    return groups.annotate(members=Coalesce(counted, 0)).order_by("slug")
