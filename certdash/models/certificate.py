"""Certificates: the vendor's row as sent, and what certdash observed of it."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import connection, models
from django.db.models import ExpressionWrapper, F, Q
from django.db.models.functions import Left
from django.utils.translation import gettext_lazy as _

from .app import App
from .badges import Badge
from .group import Membership
from .learner import Learner
from .story import Story

# Countries and cities can be of any length, an index entry cannot: the index holds their first characters.
PLACE_HEAD = 64


class State(models.TextChoices):
    """The documented states; a certificate of another state keeps the vendor's word in `state_sent`."""

    PENDING = "pending", _("Pending")
    DELIVERED = "delivered", _("Delivered")
    OTHER = "other", _("Other")


BADGES = {
    State.PENDING: Badge("pending", "clock", State.PENDING.label),
    State.DELIVERED: Badge("delivered", "check", State.DELIVERED.label),
}
WITHDRAWN_BADGE = Badge("withdrawn", "struck", _("Withdrawn"))
OUT_OF_SCOPE_BADGE = Badge("withdrawn", "struck", _("Out of scope"))


def is_live(path: str = "") -> Q:
    """As a condition on certificates, or on what leads to them by `path`: the vendor's last word holds them."""
    return Q(**{f"{path}withdrawn_at": None, f"{path}out_of_scope_at": None})


_LIVE = is_live()


class CertificateQuerySet(models.QuerySet["Certificate"]):
    def of(self, some: Iterable[App]) -> "CertificateQuerySet":
        """Of these apps: where every page, number and file begins."""
        pks = [app.pk for app in some]
        if connection.vendor != "sqlite":
            return self.filter(app__in=pks)
        # It would take an app to be the rarest of all conditions, and sort all of its rows. As a sum it is looked up
        # in the index that another condition or the order chose: all of those hold the app.
        return self.alias(of_app=ExpressionWrapper(F("app_id") + 0, models.BigIntegerField())).filter(of_app__in=pks)

    def live(self) -> "CertificateQuerySet":
        """In the vendor's last word."""
        return self.filter(is_live())

    def withdrawn(self) -> "CertificateQuerySet":
        return self.filter(withdrawn_at__isnull=False)

    def gone(self) -> "CertificateQuerySet":
        """Withdrawn, or out of scope."""
        return self.exclude(is_live())

    def pending(self) -> "CertificateQuerySet":
        return self.filter(state=State.PENDING)

    def pending_since(self, moment: datetime) -> "CertificateQuerySet":
        """Pending with a timestamp not after the moment."""
        return self.pending().filter(timestamp__lte=moment)

    def in_place(self, field: str, values: Iterable[str]) -> "CertificateQuerySet":
        """With one of these values of `country` or `city`, found through the index of their first characters."""
        heads = {value[:PLACE_HEAD] for value in values}
        found = self.alias(place_head=Left(field, PLACE_HEAD)).filter(place_head__in=heads)
        # A shorter text is its own head. SQLite must not hear it twice: it would forget the index.
        return found.filter(**{f"{field}__in": values}) if any(len(head) == PLACE_HEAD for head in heads) else found

    def in_group(self, group_ids: Iterable[int]) -> "CertificateQuerySet":
        """Of learners who are in one of these groups now."""
        return self.filter(learner__in=_members(group__in=group_ids))

    def in_no_group_or(self, group_ids: Iterable[int]) -> "CertificateQuerySet":
        """Of learners who are in no tracked group now, or in one of these."""
        return self.filter(~Q(learner__in=_members(group__tracked=True)) | Q(learner__in=_members(group__in=group_ids)))

    def changed(
        self, kinds: Collection[str], since: datetime | None = None, runs: Collection[int] = ()
    ) -> "CertificateQuerySet":
        """With a change of one of these kinds, from a moment on, seen in one of these runs (pks; none given: in any).

        `new` is first sight; `missing` is no change: it is what the given held runs list and what is still missing.
        """
        changes = apps.get_model("certdash", "Change").objects.filter(kind__in=kinds, certificate__isnull=False)
        news = Certificate.objects.filter(initial=False) if "new" in kinds else Certificate.objects.none()
        missing = Certificate.objects.live() if "missing" in kinds else Certificate.objects.none()
        if since is not None:
            changes, news = changes.filter(seen_at__gte=since), news.filter(first_seen_at__gte=since)
        if runs:
            changes, news = changes.filter(run__in=runs), news.filter(first_run__in=runs)
        missing = missing.filter(missing_in__in=runs)
        # No OR: each part has an index of its own.
        return self.filter(pk__in=news.values("pk").union(missing.values("pk"), changes.values("certificate")))


def _members(**of: object) -> models.QuerySet[Any, Any]:
    """The learners who are in such a group now."""
    return Membership.objects.filter(until=None, **of).values("learner")


class Certificate(models.Model):
    """One certificate of one learner for one story. There is no ID and no expiry at the vendor."""

    app = models.ForeignKey(App, models.CASCADE, related_name="certificates", db_index=False)
    story = models.ForeignKey(Story, models.CASCADE, related_name="certificates", db_index=False)
    learner = models.ForeignKey(Learner, models.CASCADE, related_name="certificates", db_index=False)

    firstname = models.TextField(blank=True)
    lastname = models.TextField(blank=True)
    email = models.TextField(blank=True)
    telephone = models.TextField(blank=True)
    country = models.TextField(blank=True)
    city = models.TextField(blank=True)
    state = models.CharField(max_length=9, choices=State.choices)
    state_sent = models.TextField(blank=True)  # only of an undocumented state
    timestamp = models.DateTimeField()  # the vendor's current one, of undocumented meaning
    url = models.TextField(blank=True)
    sort_name = models.BinaryField(max_length=160, editable=False)

    first_seen_at = models.DateTimeField()
    # Without a constraint: the database would look through all certificates for every run that is removed.
    first_run = models.ForeignKey(
        "SyncRun", models.SET_NULL, null=True, blank=True, related_name="first_seen", db_index=False,
        db_constraint=False,
    )  # fmt: skip
    initial = models.BooleanField()  # came with the first answer to a question: old, not news
    changed_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    # Since when it is not asked for any more: its story is no longer listed, or its learner in no tracked group.
    out_of_scope_at = models.DateTimeField(null=True, blank=True)
    # Observed, from the first sight as pending to the first sight as delivered; None when pending was not seen.
    delivered_after = models.DurationField(null=True, blank=True)
    # The held run in whose answer this certificate was missing.
    missing_in = models.ForeignKey(
        "SyncRun", models.SET_NULL, null=True, blank=True, related_name="missing_certificates", db_index=False
    )

    objects = CertificateQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=State.values), name="certificate_state_known"),
            models.CheckConstraint(
                condition=Q(state=State.OTHER, state_sent__gt="") | (~Q(state=State.OTHER) & Q(state_sent="")),
                name="certificate_state_sent_when_undocumented",
            ),
        ]
        indexes = [
            # Those that lists are read from hold live certificates only, and the app, so that rows are found, counted
            # and skipped over without a look at the table.
            models.Index(fields=["-timestamp", "-id", "app"], condition=_LIVE, name="certificate_newest"),
            models.Index(fields=["state", "-timestamp", "-id", "app"], condition=_LIVE, name="certificate_state"),
            models.Index(fields=["sort_name", "id", "app"], condition=_LIVE, name="certificate_sorted"),
            models.Index(
                Left("country", PLACE_HEAD),
                F("timestamp").desc(),
                F("id").desc(),
                F("app"),
                condition=_LIVE,
                name="certificate_country",
            ),
            models.Index(
                Left("city", PLACE_HEAD),
                F("timestamp").desc(),
                F("id").desc(),
                F("app"),
                condition=_LIVE,
                name="certificate_city",
            ),
            # These two hold those that are gone, too: a sync reads a story whole, and a person's page shows them. Of a
            # group all live ones are looked up before the newest are shown, so they are found without the table.
            models.Index(fields=["story", "state", "-timestamp", "-id"], name="certificate_story"),
            models.Index(
                fields=["learner", "-timestamp", "-id", "app", "withdrawn_at", "out_of_scope_at"],
                name="certificate_learner",
            ),
            models.Index(
                fields=["-withdrawn_at", "app"], condition=Q(withdrawn_at__isnull=False), name="certificate_withdrawn"
            ),
            # How long deliveries took where pending was observed, without a look at the table.
            models.Index(
                fields=["story", "delivered_after", "state", "app"],
                condition=_LIVE & Q(delivered_after__isnull=False),
                name="certificate_delivery",
            ),
            # What a run brought; the many of a first run are no news.
            models.Index(fields=["first_run"], condition=Q(initial=False), name="certificate_news"),
            models.Index(fields=["first_seen_at", "app"], condition=Q(initial=False), name="certificate_first_seen"),
            models.Index(fields=["missing_in"], condition=Q(missing_in__isnull=False), name="certificate_missing"),
        ]

    def __str__(self) -> str:
        return f"certificate {self.pk}"

    @property
    def person_name(self) -> str:
        """The name as this row tells it."""
        return f"{self.firstname} {self.lastname}".strip()

    @property
    def state_word(self) -> str:
        """The state as files show it: lower case when documented, else as sent."""
        return self.state_sent or self.state

    @property
    def badge(self) -> Badge:
        """A certificate that is gone shows that first: its state is no longer the vendor's word."""
        if self.withdrawn_at is not None:
            return WITHDRAWN_BADGE
        if self.out_of_scope_at is not None:
            return OUT_OF_SCOPE_BADGE
        return BADGES.get(State(self.state)) or Badge("other", "dot", self.state_sent)
