"""The overview: where every manager begins."""

from datetime import date
from typing import Any

from django.contrib.humanize.templatetags.humanize import intcomma
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from certdash.charts import week_query, weeks_chart
from certdash.models import Certificate, State
from certdash.stats import OVERDUE_DAYS, Numbers, numbers, weeks
from certdash.views.certificates import weeks_table
from certdash.views.page import address, file_response, visible_apps, visible_freshness


def overview(request: HttpRequest) -> HttpResponseBase:
    """Four numbers that are links, certificates per week, and how fresh each app is."""
    apps, now = visible_apps(request), timezone.now()
    live = Certificate.objects.of(apps).live()
    by_week = weeks(apps, live, now)
    if "_export" in request.GET:
        odd = [f"{name}={value}" for name, value in request.GET.items() if name not in ("_export", "_table")]
        odd += [f"_table={value}" for value in request.GET.getlist("_table") if value != "weeks"]
        head, rows = weeks_table(by_week)
        return file_response(request, "certificates-weeks", odd, head, rows, apps)
    context = {
        "tiles": _tiles(numbers(apps, live, now)),
        "chart": weeks_chart(by_week, _rows_of),
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
