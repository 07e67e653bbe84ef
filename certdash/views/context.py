"""What every template is given: where they stand, how fresh the data is, the views in the navigation."""

from typing import Any, cast

from django.conf import settings
from django.db.models.functions import Lower
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext

from certdash.access import views_for
from certdash.links import apart
from certdash.logs import REFERENCE
from certdash.models import SavedView
from certdash.stats import as_of, overall, worst_first
from certdash.views.page import here, viewer, visible_apps, visible_freshness
from certdash.views.troubles import MOST, troubles

_APPS_TOLD = 12  # one by one in the page head
_VIEWS_PINNED = 15  # in the navigation; all of them are in the list of views


def pinned_views(request: HttpRequest) -> list[SavedView]:
    """The views in the viewer's navigation, by name, asked for once a request."""
    if not hasattr(request, "_pinned_views"):
        views = views_for(viewer(request), visible_apps(request)).filter(pinned_by=viewer(request))
        request._pinned_views = list(views.order_by(Lower("name"), "pk")[:_VIEWS_PINNED])  # type: ignore[attr-defined]
    return cast(list[SavedView], request._pinned_views)  # type: ignore[attr-defined]


def page_context(request: HttpRequest) -> dict[str, Any]:
    """Context of every template: the path and the section of the page, and the freshness in its head."""

    def head() -> dict[str, Any]:
        if not request.user.is_authenticated:
            return {}
        each = visible_freshness(request, getattr(request, "_page_apps", None))
        tone, text = overall(each, timezone.now())
        line = gettext("%(app)s: %(text)s")
        lines = [line % {"app": apart(one.app.name), "text": one.text} for one in worst_first(each)[:_APPS_TOLD]]
        url = reverse("app", args=[each[0].app.slug]) if len(each) == 1 else f"{reverse('overview')}#apps"
        lines.append(gettext("Times in %(zone)s") % {"zone": timezone.get_current_timezone_name()})
        return {
            "tone": tone,
            "text": text,
            "title": "\n".join(lines),
            "url": url,
            "as_of": as_of(each),
            "troubles": SimpleLazyObject(lambda: troubles(request, each)),
            "more_troubles": max(0, sum(bool(one.trouble) for one in each) - MOST),
        }

    return {
        "here": here(request),
        "freshness": SimpleLazyObject(head),
        "has_passwords": not settings.OIDC_ONLY,
        "pinned_views": lambda: pinned_views(request),
        "reference": REFERENCE.get(),
        "section": request.path.split("/")[1] or "overview",
        "time_zone": timezone.get_current_timezone_name(),
    }
