"""What was written down: of an app for its owners, of everything for superusers."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext_lazy

from certdash.access import app_or_404, superuser_or_404
from certdash.filters import AuditFilter
from certdash.models import App, AuditEntry, AuditKind, Role
from certdash.tables import AppAuditTable, AuditTable
from certdash.views.page import List, viewer


class Audit(List):
    """Everything that was written down, newest first."""

    filter_class = AuditFilter
    table_class = AuditTable
    template_name = "audit/list.html"
    title = gettext_lazy("Audit")
    file_name = "audit"
    of_vendor = False

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self._check(request, **kwargs)
        return super().dispatch(request, *args, **kwargs)

    def _check(self, request: HttpRequest) -> None:
        superuser_or_404(viewer(request))

    def queryset(self) -> QuerySet[Any]:
        return AuditEntry.objects.all()

    def context(self) -> dict[str, Any]:
        return {"kinds": AuditKind.choices}


class AppAudit(Audit):
    """What was written down of one app."""

    table_class = AppAuditTable

    def _check(self, request: HttpRequest, slug: str = "") -> None:
        self.app = app_or_404(viewer(request), slug, Role.OWNER)
        self.file_name = f"audit-{self.app.slug}"

    def listed_apps(self) -> list[App]:
        return [self.app]

    def queryset(self) -> QuerySet[Any]:
        return AuditEntry.objects.filter(app=self.app)

    def context(self) -> dict[str, Any]:
        return super().context() | {"app": self.app}
