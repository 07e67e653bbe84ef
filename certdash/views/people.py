"""People: learners by name, and one over all stories."""

from functools import cached_property
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_safe

from certdash.fields import is_page_number
from certdash.filters import LearnerFilter
from certdash.models import App, CertificateQuerySet, Learner, Role
from certdash.rows import group_names
from certdash.stats import by
from certdash.tables import PersonTable
from certdash.timeline import timeline
from certdash.views.certificates import CertificatesOf
from certdash.views.page import PAGE_SIZE, List, page_is_about, visible_apps
from certdash.views.refresh import of_person

_EVENTS_SHOWN = 5
_LAST_PAGE = 200  # of the timeline


class People(List):
    """The learners of all visible apps."""

    filter_class = LearnerFilter
    table_class = PersonTable
    title = gettext_lazy("People")
    file_name = "people"

    def queryset(self) -> QuerySet[Any]:
        return Learner.objects.filter(app__in=self.apps)


def person_everywhere(request: HttpRequest, pk: int) -> list[Learner]:
    """The learner, with the app, and after it those of the same e-mail in the viewer's other apps.

    Raises `Http404` when the learner is foreign.
    """
    visible = Learner.objects.filter(app__in=visible_apps(request)).select_related("app").defer("app__token")
    same = visible.filter(identity__in=Learner.objects.filter(pk=pk).values("identity"))
    found = sorted(same, key=lambda one: one.pk != pk)
    if not found or found[0].pk != pk:
        raise Http404("No such person.")
    return found if found[0].email.strip() else found[:1]


def person_or_404(request: HttpRequest, pk: int) -> Learner:
    """The learner, with the app. Raises `Http404` when they are foreign."""
    return person_everywhere(request, pk)[0]


class OnePerson(CertificatesOf):
    """A learner of one app, with the same e-mail's learners in the viewer's other apps."""

    template_name: ClassVar[str] = "people/person.html"
    file_name = "certificates-person"
    not_offered = ("app", "group", "q", "country", "city")

    def get(self, request: HttpRequest, *_: Any, **__: Any) -> HttpResponseBase:
        self.learner, *self.elsewhere = person_everywhere(request, self.kwargs["pk"])
        return super().get(request)

    def listed_apps(self) -> list[App]:
        return [self.learner.app]

    def subject(self) -> str:
        return gettext("Certificates of %(name)s") % {"name": self.learner.name or self.learner.email}

    def certificates(self) -> CertificateQuerySet:
        return super().certificates().filter(learner=self.learner)

    def context(self) -> dict[str, Any]:
        events = timeline(self.learner, 0, _EVENTS_SHOWN + 1)
        shared = of_person(self, self.learner)
        return {
            **super().context(),
            **self.headline(),
            "learner": self.learner,
            "app": self.learner.app,
            "may_erase": shared["role"] == Role.OWNER,
            "groups": self._groups(),
            "elsewhere": self.elsewhere,
            "events": events[:_EVENTS_SHOWN],
            "more_events": len(events) > _EVENTS_SHOWN,
            **shared,
        }

    def _groups(self) -> list[str]:
        """The tracked groups this learner is in now, which their rows know, too."""
        shown = self.table.page.object_list
        return shown[0].record.group_names if len(shown) else group_names([self.learner.pk])[self.learner.pk]

    @cached_property
    def breakdown(self) -> list[dict[str, Any]]:
        """The person by story."""
        counts = by(self.apps, self.certificates().live(), "story")
        return self.broken_down("story", self.filters.visible_stories, counts)


@require_safe
def person_timeline(request: HttpRequest, pk: int) -> HttpResponse:
    """All that was seen of a person, newest first, in pages."""
    learner = person_or_404(request, pk)
    page_is_about(request, [learner.app])
    asked = request.GET.get("page", "1")
    page = int(asked) if is_page_number(asked, _LAST_PAGE) else 1
    events = timeline(learner, (page - 1) * PAGE_SIZE, PAGE_SIZE + 1)
    context = {
        "learner": learner,
        "app": learner.app,
        "events": events[:PAGE_SIZE],
        "page": page,
        "newer": page - 1,
        "older": page + 1 if len(events) > PAGE_SIZE and page < _LAST_PAGE else None,
        "ignored": [f"{name}={it}" for name, it in request.GET.items() if it and (name, it) != ("page", f"{page}")],
    }
    return render(request, "people/timeline.html", context)
