"""Everybody whom a held run lists as missing from a group, for the owner who decides about them."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy

from certdash.access import app_or_404
from certdash.filters import MemberFilter
from certdash.models import App, Role, SyncRun
from certdash.tables import MemberTable
from certdash.views.held import missing_members
from certdash.views.page import List, viewer


class Members(List):
    """Who is still missing from a group by a held run. Whoever may not accept it does not see the page."""

    filter_class = MemberFilter
    table_class = MemberTable
    template_name = "apps/members.html"
    title = gettext_lazy("Missing from a group")
    of_vendor = False

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.app = app_or_404(viewer(request), kwargs["slug"], Role.OWNER)
        self.run = get_object_or_404(SyncRun, app=self.app, pk=kwargs["pk"])
        self.file_name = f"members-{self.app.slug}-{self.run.pk}"
        return super().dispatch(request, *args, **kwargs)

    def listed_apps(self) -> list[App]:
        return [self.app]

    def queryset(self) -> QuerySet[Any]:
        return missing_members(self.run)

    def context(self) -> dict[str, Any]:
        return {"app": self.app, "run": self.run}
