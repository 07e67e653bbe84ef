"""Groups: the list of those that owners track, and one with its numbers, its stories and its certificates."""

from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils import timezone

from certdash.access import app_or_404
from certdash.filters import GroupFilter
from certdash.keys import groups_of
from certdash.models import CertificateQuerySet, Group, Membership, Story
from certdash.models.group import with_members
from certdash.models.tally import tallied
from certdash.rows import share_bar
from certdash.stats import by, numbers
from certdash.tables import GroupTable
from certdash.views.certificates import Certificates
from certdash.views.page import List, address, moved, viewer


class Groups(List):
    """The tracked groups of all visible apps, with their numbers."""

    filter_class = GroupFilter
    table_class = GroupTable
    title = "Groups"
    file_name = "groups"

    def queryset(self) -> QuerySet[Any]:
        groups = Group.objects.filter(app__in=self.apps, tracked=True)
        counted = tallied(with_members(groups), "memberships__learner__certificates", Q(memberships__until=None))
        return counted.select_related("app").defer("app__token")


class OneGroup(Certificates):
    """A group. People without a certificate are invisible here: nobody calls its shares completion."""

    template_name: ClassVar[str] = "groups/group.html"
    fixed = ("app", "group")

    def get(self, request: HttpRequest, *_: Any, **__: Any) -> HttpResponseBase:
        self.app = app_or_404(viewer(request), self.kwargs["app"])
        key = self.kwargs["key"]
        named = groups_of([self.app], [key])[key]
        if not named:
            raise Http404("No such group.")
        self.group = named[0]
        if self.group.key != key:
            return moved(request, reverse("group", args=[self.app.slug, self.group.key]))
        self.file_name = f"certificates-{self.app.slug}"
        return super().get(request)

    def certificates(self) -> CertificateQuerySet:
        return super().certificates().in_group([self.group.pk])

    def context(self) -> dict[str, Any]:
        live = self.certificates().live()
        return super().context() | {
            "app": self.app,
            "group": self.group,
            "members": Membership.objects.filter(group=self.group, until=None).count(),
            "numbers": (counted := numbers(live, timezone.now())),
            "share": share_bar(counted.delivered, counted.pending),
            "chart": self.weeks_chart(),
            "breakdown": self._stories(live),
        }

    def _stories(self, live: CertificateQuerySet) -> list[dict[str, Any]]:
        counts = by(live, "story")
        stories = Story.objects.filter(pk__in=counts).order_by("sort_name", "pk")
        return [
            {
                "name": story.name,
                "url": address(self.request.path, [("story", story.key)]),
                "counts": (it := counts[story.pk]),
                "share": share_bar(it.delivered, it.pending),
            }
            for story in stories
        ]
