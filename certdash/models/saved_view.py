"""A page with its filters that somebody keeps under a name."""

from typing import Any

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from .app import App
from .people import Grant, User


def owner_sees(**app: Any) -> Q:
    """As a condition on views: their owner has a role in such an app, alone or in a team, or has every role in all."""
    theirs = Q(user=OuterRef("owner")) | Q(team__members=OuterRef("owner"))
    return Q(owner__is_superuser=True) | Q(Exists(Grant.objects.filter(theirs, **app)))


def is_shared() -> Q:
    """As a condition on views: others may open them. Not without an owner who may get in and see the app."""
    return Q(app__isnull=False, owner__is_active=True) & owner_sees(app=OuterRef("app"))


class SavedView(models.Model):
    """Leads to a list page of ours with the filters and the order that it names; it gives nobody access to anything.

    It is for its owner alone or, with `app`, for everybody who may see that app, as long as the owner does.
    """

    LONGEST_NAME = 100

    owner = models.ForeignKey(User, models.CASCADE, related_name="saved_views")
    name = models.CharField(max_length=LONGEST_NAME)
    # Stays when the name changes: people link to it.
    slug = models.SlugField(max_length=80, unique=True)
    description = models.CharField(max_length=300, blank=True)
    path = models.CharField(max_length=1000)  # of the page, decoded
    query = models.CharField(max_length=3000, blank=True)  # filters and order, encoded
    # Without its app it is its owner's alone again.
    app = models.ForeignKey(App, models.SET_NULL, null=True, blank=True, related_name="shared_views")
    pinned_by = models.ManyToManyField(User, related_name="pinned_views", blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "owner",
                Lower("name"),
                name="view_name_once",
                violation_error_message=_("You have a view of this name."),
            ),
            models.CheckConstraint(condition=~Q(name=""), name="view_has_a_name"),
            # A browser takes two slashes for the name of another host.
            models.CheckConstraint(
                condition=Q(path__startswith="/") & ~Q(path__startswith="//"), name="view_of_a_page_of_ours"
            ),
        ]

    def __str__(self) -> str:
        return self.name
