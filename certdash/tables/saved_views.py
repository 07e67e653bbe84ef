"""Saved views as rows."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

import django_tables2 as tables
from django.conf import settings
from django.db.models import Model, QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from certdash.models import App
from certdash.saved_views import told

from .base import Moment, Table


class SavedViewTable(Table):
    """Of views annotated with `sort_name`, `owner_name` and, of the apps that the viewer may see, `shared_with`."""

    name = tables.Column(verbose_name=_("View"), order_by=("sort_name", "pk"))
    leads_to = tables.Column(verbose_name=_("Leads to"), order_by=("path", "query", "pk"))
    owner = tables.Column(verbose_name=_("Owner"), order_by=("owner_name", "sort_name", "pk"))
    shared_with = tables.Column(verbose_name=_("For"), order_by=("shared_with", "sort_name", "pk"))
    changed = tables.Column(verbose_name=_("Changed"), order_by=("changed_at", "pk"))
    actions = tables.Column(verbose_name="", orderable=False)

    row_template = "views/row.html"  # the forms in it need the page's CSRF token
    caption = _("Saved views")
    empty_text = _("No view fits these filters.")
    nothing_text = _("There is no view yet. Filter a list, then “Save this view” keeps it under a name.")
    columns_of_file: ClassVar[dict[str, Callable[[Any], Any]]] = {
        "name": lambda view: view.name,
        "description": lambda view: view.description,
        "address": lambda view: f"{settings.PUBLIC_URL.rstrip('/')}{reverse('view', args=[view.slug])}",
        "owner": lambda view: view.owner.username,
        "app": lambda view: view.app.slug if view.shared_with else "",
        "changed": Moment(lambda view: view.changed_at),
    }

    class Meta:
        order_by = "name"
        attrs = {"class": "views"}

    def __init__(self, data: QuerySet[Any], apps: Sequence[App], **kwargs: Any) -> None:
        """`apps`: those that the reader may see."""
        super().__init__(data, **kwargs)
        self.apps = apps

    def records(self, ids: Sequence[int]) -> Iterable[Model]:
        views: QuerySet[Any] = self.data.data
        return views.filter(pk__in=ids).select_related("owner", "app").defer("app__token")

    def rows_of(self, ids: Sequence[int]) -> list[Any]:
        rows = super().rows_of(ids)
        for view, kept in zip(rows, told(rows, self.apps), strict=True):
            view.kept = kept
        return rows
