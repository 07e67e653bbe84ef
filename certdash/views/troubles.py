"""When an app has no new data: what happened, what that means for the numbers, and what to do."""

from collections.abc import Sequence
from typing import NamedTuple

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext

from certdash.access import apps_for
from certdash.falkor.errors import what_and_advice
from certdash.models import App, Role, SyncRun
from certdash.rows import zoned
from certdash.stats import Freshness, worst_first
from certdash.views.page import viewer

MOST = 3  # cards above a page


class Trouble(NamedTuple):
    """A card: `detail` is ours, `said` the vendor's word. `url` leads to what tells more."""

    what: str
    detail: str
    meaning: str
    remedy: str
    url: str = ""
    label: str = ""
    said: str = ""
    tone: str = "warning"


def troubles(request: HttpRequest, each: Sequence[Freshness]) -> list[Trouble]:
    """Of each of these apps that is stale, the worst first, and not more than a page has room for."""
    stale = [one for one in worst_first(each) if one.trouble][:MOST]
    if not stale:
        return []
    owned = set(apps_for(viewer(request), Role.OWNER).values_list("pk", flat=True))
    return [_trouble(one, owns=one.app.pk in owned) for one in stale]


def _trouble(fresh: Freshness, *, owns: bool) -> Trouble:
    app, run = fresh.app, fresh.told_by
    name = {"app": app.name}
    url, label = reverse("app", args=[app.slug]), gettext("See the app")
    if run:
        url, label = reverse("run", args=[app.slug, run.pk]), gettext("See the sync run")
    if fresh.trouble == "failed" and run:
        detail, advice = what_and_advice(run.message)
        what = gettext("%(app)s could not be synchronised") % name
        meaning, said = _as_of_last(fresh), run.vendor_message
        return Trouble(what, detail, meaning, _remedy(advice, owns=owns), url, label, said, "danger")
    if fresh.trouble == "held":
        what = gettext("Much was missing when %(app)s was synchronised") % name
        meaning = gettext("What is new is in the numbers. What was missing still counts, until an owner has decided.")
        remedy = gettext("Look at what is missing, and decide.") if owns else gettext("An owner of the app can decide.")
        return Trouble(what, "", meaning, remedy, url, label)
    if fresh.trouble == "slow":
        what = gettext("%(app)s is being synchronised for longer than usual") % name
        return Trouble(what, "", _as_of_last(fresh), gettext("The run tells how far it is."), url, label)
    what = gettext("%(app)s has not been synchronised when it should have been") % name
    remedy = gettext("The worker may not be running: whoever looks after certdash can start it.")
    return Trouble(what, "", _as_of_last(fresh), remedy, url, label)


def _as_of_last(fresh: Freshness) -> str:
    if fresh.in_parts:
        return gettext(
            "A part of the vendor’s answer is among the numbers and the rest is not: "
            "until a sync goes through, stories are of different moments."
        )
    if fresh.checked_at is None:
        return gettext("There is no data of this app yet.")
    told = gettext("You see the last good data, of %(moment)s: what happened at the vendor since then is missing.")
    return told % {"moment": zoned(fresh.checked_at)}


def _remedy(advice: str, *, owns: bool) -> str:
    again = gettext("certdash goes on trying by itself.")
    if owns:
        return f"{advice} {again}".strip()
    return gettext("An owner of the app can look into it; certdash goes on trying by itself.")


def trouble_of(run: SyncRun, app: App, fresh: Freshness, *, owns: bool) -> Trouble | None:
    """Of a run that did not go through, for its own page."""
    if run.status not in (SyncRun.Status.FAILED, SyncRun.Status.INTERRUPTED):
        return None
    what, advice = what_and_advice(run.message)
    what = what or run.get_status_display()
    url, label = (reverse("app_connection", args=[app.slug]), gettext("Look at the connection")) if owns else ("", "")
    if run.finished_at and fresh.checked_at and fresh.checked_at > run.finished_at:
        meaning = gettext("It means nothing for the numbers any more: a later sync has gone through, at %(moment)s.")
        told = meaning % {"moment": zoned(fresh.checked_at)}
        return Trouble(what, "", told, gettext("Nothing is left to do."), said=run.vendor_message)
    remedy = _remedy(advice, owns=owns)
    return Trouble(what, "", _as_of_last(fresh), remedy, url, label, run.vendor_message, "danger")
