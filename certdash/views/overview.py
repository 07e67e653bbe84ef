"""The overview: where every manager begins."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateformat import format as formatted
from django.utils.formats import number_format
from django.utils.translation import gettext, gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from certdash.charts import age_label, age_query, ages_chart, week_query, weeks_chart
from certdash.exports import About
from certdash.models import App, Certificate, CertificateQuerySet, State
from certdash.rows import grouped, share_bar, story_url, utc
from certdash.stats import (
    OVERDUE_AGE,
    OVERDUE_DAYS,
    Age,
    Numbers,
    WeekChange,
    ages,
    most_pending,
    newly_overdue,
    news,
    states,
    week_change,
    weeks,
    worst_first,
)
from certdash.views.certificates import weeks_table
from certdash.views.page import SmallTable, address, file_response, viewer, visible_apps, visible_freshness
from certdash.visits import is_opened, last_visit, note_visit

_APPS_TOLD = 8
_COUNTED = gettext_lazy(
    "What came less what went since %(moment)s, as syncs saw it. "
    "What an app’s first sync found is not counted: it had been there."
)


@require_safe
def overview(request: HttpRequest) -> HttpResponseBase:
    """The numbers, what is pending, what is new since the last visit, and how fresh each app is."""
    apps, now = visible_apps(request), timezone.now()
    live = Certificate.objects.of(apps).live()
    if "_export" in request.GET:
        return _file(request, apps, live, now)
    page = render(request, "overview.html", _told(request, apps, live, now))
    if is_opened(request):
        note_visit(page, viewer(request), now)
    return page


def _told(request: HttpRequest, apps: Sequence[App], live: CertificateQuerySet, now: datetime) -> dict[str, Any]:
    if not apps:
        return {"apps": apps}
    since = last_visit(viewer(request), now)
    each = worst_first(visible_freshness(request))
    by_age = ages(apps, live, now)
    return {
        "tiles": _tiles(apps, live, by_age, now),
        "chart": weeks_chart(weeks(apps, live, now), lambda *days: _rows(week_query(*days))),
        "ages": ages_chart(by_age, lambda age: _rows(age_query(age) or _PENDING)),
        "stories": _stories(apps, live),
        "since": since,
        "news": (new := _news(apps, since)),
        "has_news": any(one["count"] for one in new),
        "fresh": each[:_APPS_TOLD],
        "apps": apps,
    }


_PENDING = [("state", State.PENDING.value)]


def _rows(query: list[tuple[str, str]]) -> str:
    return address(reverse("certificates"), query)


def _file(request: HttpRequest, apps: Sequence[App], live: CertificateQuerySet, now: datetime) -> HttpResponseBase:
    """One of the charts' tables; the weeks when the address does not say which."""
    asked = request.GET.getlist("_table")
    odd = [f"{name}={value}" for name, value in request.GET.items() if name not in ("_export", "_table")]
    if len(asked) > 1 or {*asked} - {"weeks", "ages"}:
        odd += [f"_table={value}" for value in asked]
    if asked == ["ages"]:
        about = About(gettext("Certificates ages"))
        return file_response(request, "certificates-ages", odd, *ages_table(ages(apps, live, now)), apps, about=about)
    about = About(gettext("Certificates weeks"))
    return file_response(request, "certificates-weeks", odd, *weeks_table(weeks(apps, live, now)), apps, about=about)


def ages_table(counted: Sequence[Age]) -> SmallTable:
    """The table beside the chart, as a file."""
    return ("pending for", "pending"), [(age_label(age), age.pending) for age in counted]


# -- Tiles ------------------------------------------------------------------------------------------------------


def _tiles(
    apps: Sequence[App], live: CertificateQuerySet, by_age: Sequence[Age], now: datetime
) -> list[dict[str, Any]]:
    counted, change = _numbers(apps, live, by_age), week_change(apps, now)
    if not counted.total:
        return _tiles_with(counted, dict.fromkeys(("total", "delivered", "pending", "overdue"), ("", "")))
    late = newly_overdue(apps, live, change.since, now)
    notes = {name: _note(getattr(change, name), change) for name in ("total", "delivered", "pending")}
    words = ngettext("%(many)s of them since %(day)s", "%(many)s of them since %(day)s", late)
    if not late:
        words = gettext("none of them since %(day)s")
    told = ngettext(
        "So many of these reached the age of %(days)s day since then: they are dated %(day)s or later.",
        "So many of these reached the age of %(days)s days since then: they are dated %(day)s or later.",
        OVERDUE_DAYS,
    ) % {"days": OVERDUE_DAYS, "day": formatted(change.since - OVERDUE_AGE, gettext("l j F"))}
    delta = words % {"many": grouped(late), "day": _day(change.since)}
    return _tiles_with(counted, notes | {"overdue": (delta, told)})


def _numbers(apps: Sequence[App], live: CertificateQuerySet, by_age: Sequence[Age]) -> Numbers:
    by_state = states(apps, live)
    overdue = sum(age.pending for age in by_age if age.days >= OVERDUE_DAYS)
    pending, delivered = by_state.get(State.PENDING, 0), by_state.get(State.DELIVERED, 0)
    return Numbers(sum(by_state.values()), delivered, pending, overdue)


def _note(more: int, change: WeekChange) -> tuple[str, str]:
    """How many more than a week ago, and what that counts."""
    words = gettext("%(difference)s since %(day)s") if more else gettext("no change since %(day)s")
    delta = {"difference": f"{'+' if more > 0 else '−'}{grouped(abs(more))}", "day": _day(change.since)}
    return words % delta, _COUNTED % {"moment": formatted(change.since, gettext("l j F, H:i T"))}


def _day(since: datetime) -> str:
    return formatted(since, gettext("D\u00a0j\u00a0M"))


def _tiles_with(counted: Numbers, notes: dict[str, tuple[str, str]]) -> list[dict[str, Any]]:
    def tile(name: str, label: str, query: list[tuple[str, str]], icon: str = "", note: str = "") -> dict[str, Any]:
        delta, title = notes[name]
        return {
            "label": label, "number": grouped(getattr(counted, name)), "url": _rows(query), "icon": icon, "note": note,
            "tone": "delivered" if icon == "check" else "pending", "delta": delta, "delta_title": title,
        }  # fmt: skip

    percent = none = gettext("none yet")
    if counted.total:
        share = number_format(round(100 * counted.delivered / counted.total, 1), 1)
        percent = gettext("%(share)s %% of all") % {"share": share}
    late = ngettext("Pending over %(days)s day", "Pending over %(days)s days", OVERDUE_DAYS) % {"days": OVERDUE_DAYS}
    return [
        tile("total", gettext("Certificates"), [], note="" if counted.total else none),
        tile("delivered", gettext("Delivered"), [("state", State.DELIVERED.value)], "check", percent),
        tile("pending", gettext("Pending"), _PENDING, "clock"),
        tile("overdue", late, [("pending_days", f"{OVERDUE_DAYS}")], "clock"),
    ]


# -- Cards ------------------------------------------------------------------------------------------------------


def _stories(apps: Sequence[App], live: CertificateQuerySet) -> list[dict[str, Any]]:
    """The stories with most pending, each with the way to its page and to its pending ones."""
    return [
        {
            "story": story,
            "url": story_url(story.app, story),
            "pending": counts.pending,
            "pending_url": address(story_url(story.app, story), _PENDING),
            "share": share_bar(counts.delivered, counts.pending),
        }
        for story, counts in most_pending(apps, live)
    ]


# What the list of a kind of news needs beside it, to hold exactly what is counted.
_ONLY = {"withdrawn": [("withdrawn", "only")]}


def _news(apps: Sequence[App], since: datetime | None) -> list[dict[str, Any]]:
    """What was seen since somebody was here last, each kind with its list; nothing for who is here first."""
    if since is None:
        return []
    counted = news(apps, since)
    words = {
        "new": ngettext("new certificate", "new certificates", counted.new),
        "delivered": ngettext("now delivered", "now delivered", counted.delivered),
        "withdrawn": ngettext("withdrawn", "withdrawn", counted.withdrawn),
        "link": ngettext("link changed", "links changed", counted.link),
    }
    return [
        {
            "count": getattr(counted, kind),
            "words": told,
            "url": _rows([("change", kind), ("changed_from", utc(since)), *_ONLY.get(kind, ())]),
        }
        for kind, told in words.items()
    ]
