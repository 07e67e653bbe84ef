"""The delivery clock: how long certificates take from pending to delivered, and where they are stuck."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy

from certdash.filters import StoryFilter
from certdash.models import Certificate, Story
from certdash.stats.delivery import ENOUGH_OBSERVED, USUAL_DAYS, clocks
from certdash.tables import DeliveryTable, Table
from certdash.views.page import List


class Delivery(List):
    """Stories by the time that was observed, with their pending certificates that take longer than usual."""

    filter_class = StoryFilter
    table_class = DeliveryTable
    template_name: ClassVar[str] = "delivery/list.html"
    title = gettext_lazy("Delivery clock")
    file_name = "delivery"

    def queryset(self) -> QuerySet[Any]:
        self.clocks = clocks(self.apps, Certificate.objects.of(self.apps), timezone.now())
        return Story.objects.filter(pk__in=[*self.clocks]).select_related("app").defer("app__token")

    def make_table(self) -> Table:
        return DeliveryTable(self.filters.qs, self.clocks, request=None)

    def context(self) -> dict[str, Any]:
        return {"usual_days": USUAL_DAYS, "enough_observed": ENOUGH_OBSERVED}
