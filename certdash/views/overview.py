"""The overview: where every manager begins."""

from datetime import date
from typing import Any

from django.contrib.humanize.templatetags.humanize import intcomma
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from certdash.charts import week_query, weeks_chart
from certdash.models import Certificate, State
from certdash.stats import OVERDUE_DAYS, Numbers, numbers, weeks
from certdash.views.page import address, visible_apps, visible_freshness


def overview(request: HttpRequest) -> HttpResponse:
    """Four numbers that are links, certificates per week, and how fresh each app is."""
    apps, now = visible_apps(request), timezone.now()
    live = Certificate.objects.of(apps).live()
    context = {
        "tiles": _tiles(numbers(live, now)),
        "chart": weeks_chart(weeks(live, now), _rows_of),
        "fresh": visible_freshness(request),
        "apps": apps,
    }
    return render(request, "overview.html", context)


def _rows_of(first: date, last: date) -> str:
    return address(reverse("certificates"), week_query(first, last))


def _tiles(counted: Numbers) -> list[dict[str, Any]]:
    def tile(
        label: str, number: int, note: str, query: list[tuple[str, str]], icon: str = "", tone: str = ""
    ) -> dict[str, Any]:
        url = address(reverse("certificates"), query)
        return {"label": label, "number": intcomma(number), "note": note, "url": url, "icon": icon, "tone": tone}

    percent = f"{100 * counted.delivered / counted.total:.1f} % of all" if counted.total else "none yet"
    pending = [("state", State.PENDING.value)]
    return [
        tile("Certificates", counted.total, f"{counted.recent:,} dated in the last 7 days", []),
        tile("Delivered", counted.delivered, percent, [("state", State.DELIVERED.value)], "check", "delivered"),
        tile("Pending", counted.pending, "awarded, not delivered yet", pending, "clock", "pending"),
        tile(
            f"Pending over {OVERDUE_DAYS} days", counted.overdue, "by their date",
            [("pending_days", str(OVERDUE_DAYS))], "clock", "pending",
        ),
    ]  # fmt: skip
