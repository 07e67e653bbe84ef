"""What changed in one sync run."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext_lazy

from certdash.access import app_or_404
from certdash.filters import ChangeFilter
from certdash.models import App, Change, SyncRun
from certdash.tables import ChangeTable
from certdash.tables.changes import BADGES
from certdash.views.page import List, address, viewer
from certdash.views.segments import segments


class Changes(List):
    """The changes that a run of an app saw, newest first."""

    filter_class = ChangeFilter
    table_class = ChangeTable
    template_name = "apps/changes.html"
    title = gettext_lazy("Changes")
    of_vendor = False

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.app = app_or_404(viewer(request), kwargs["slug"])
        self.run = get_object_or_404(SyncRun, app=self.app, pk=kwargs["pk"])
        self.file_name = f"changes-{self.app.slug}-{self.run.pk}"
        return super().dispatch(request, *args, **kwargs)

    def listed_apps(self) -> list[App]:
        return [self.app]

    def queryset(self) -> QuerySet[Any]:
        return Change.objects.filter(run=self.run)

    def context(self) -> dict[str, Any]:
        new = [("run", str(self.run.pk)), ("change", "new")]
        return {
            "app": self.app,
            "run": self.run,
            "segments": segments(self, "kind", BADGES),
            "new_url": address(reverse("certificates"), new) if self.run.created else "",
        }
