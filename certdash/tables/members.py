"""Members of groups as rows."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from certdash.models import Membership

from .base import Moment, Table


class MemberTable(Table):
    person = tables.Column(verbose_name=_("Person"), order_by=("learner__sort_name", "pk"))
    group = tables.Column(verbose_name=_("Group"), order_by=("group__slug", "pk"))
    since = tables.Column(verbose_name=_("In it since"), order_by=("since", "pk"))

    row_template = "apps/member_row.html"
    caption = _("People who are missing from a group")
    nothing_text = _("Nobody is missing from a group by this run any more.")
    columns_of_file: ClassVar[dict[str, Callable[[Membership], Any]]] = {
        "app": lambda one: one.group.app.slug,
        "group": lambda one: one.group.name,
        "person": lambda one: one.learner.name,
        "email": lambda one: one.learner.email,
        "since": Moment(lambda one: one.since),
    }

    class Meta:
        order_by = "group"

    def records(self, ids: Sequence[int]) -> Iterable[Membership]:
        related = Membership.objects.filter(pk__in=ids).select_related("learner", "group__app")
        return related.defer("group__app__token")
