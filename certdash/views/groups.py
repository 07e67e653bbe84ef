"""Groups: the list of those that owners track, and one with its numbers, its stories and its certificates."""

from functools import cached_property
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy

from certdash.access import app_or_404
from certdash.filters import GroupFilter
from certdash.keys import name_groups
from certdash.models import App, CertificateQuerySet, Group, Membership
from certdash.models.group import with_members
from certdash.stats import by
from certdash.tables import GroupTable, Table
from certdash.views.beginnings import Beginning, no_group
from certdash.views.certificates import CertificatesOf
from certdash.views.page import List, moved, viewer


class Groups(List):
    """The tracked groups of all visible apps, with their numbers."""

    filter_class = GroupFilter
    table_class = GroupTable
    title = gettext_lazy("Groups")
    file_name = "groups"

    def queryset(self) -> QuerySet[Any]:
        groups = Group.objects.filter(app__in=self.apps, tracked=True)
        return with_members(groups).select_related("app").defer("app__token")

    def make_table(self) -> Table:
        return GroupTable(self.filters.qs, self.apps, request=None)

    def beginning(self) -> Beginning:
        return no_group(viewer(self.request), self.apps) if self.apps else super().beginning()


class OneGroup(CertificatesOf):
    """A group. People without a certificate are invisible here: nobody calls its shares completion."""

    template_name: ClassVar[str] = "groups/group.html"
    not_offered = ("app", "group")

    def get(self, request: HttpRequest, *_: Any, **__: Any) -> HttpResponseBase:
        self.app = app_or_404(viewer(request), self.kwargs["app"])
        key = self.kwargs["key"]
        named = name_groups(Group.objects.filter(app=self.app, tracked=True), [key])[key]
        if not named:
            raise Http404("No such group.")
        self.group = named[0]
        if self.group.key != key:
            return moved(request, reverse("group", args=[self.app.slug, self.group.key]))
        self.file_name = f"certificates-{self.app.slug}"
        return super().get(request)

    def listed_apps(self) -> list[App]:
        return [self.app]

    def subject(self) -> str:
        return gettext("Certificates of the group %(group)s") % {"group": self.group.name}

    def certificates(self) -> CertificateQuerySet:
        return super().certificates().in_group([self.group.pk])

    def context(self) -> dict[str, Any]:
        return {
            **super().context(),
            **self.headline(),
            "app": self.app,
            "group": self.group,
            "members": Membership.objects.filter(group=self.group, until=None).count(),
        }

    @cached_property
    def breakdown(self) -> list[dict[str, Any]]:
        """The group by story."""
        counts = by(self.apps, self.certificates().live(), "story")
        return self.broken_down("story", self.filters.visible_stories, counts)
