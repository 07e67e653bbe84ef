"""People: learners by name, and one over all stories."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase

from certdash.access import role_in
from certdash.filters import LearnerFilter
from certdash.models import App, CertificateQuerySet, Learner, Role
from certdash.rows import group_names
from certdash.tables import PersonTable
from certdash.views.certificates import Certificates
from certdash.views.page import List, viewer, visible_apps
from certdash.views.refresh import of_person


class People(List):
    """The learners of all visible apps."""

    filter_class = LearnerFilter
    table_class = PersonTable
    title = "People"
    file_name = "people"

    def queryset(self) -> QuerySet[Any]:
        return Learner.objects.filter(app__in=self.apps)


class OnePerson(Certificates):
    """A learner of one app, with the same e-mail's learners in the viewer's other apps."""

    template_name: ClassVar[str] = "people/person.html"
    file_name = "certificates-person"
    not_offered = ("app", "group", "q", "country", "city")

    def get(self, request: HttpRequest, *_: Any, **__: Any) -> HttpResponseBase:
        learners = Learner.objects.filter(app__in=visible_apps(request))
        found = learners.filter(pk=self.kwargs["pk"]).select_related("app").first()
        if found is None:
            raise Http404("No such person.")
        self.learner = found
        return super().get(request)

    def listed_apps(self) -> list[App]:
        return [self.learner.app]

    def certificates(self) -> CertificateQuerySet:
        return super().certificates().filter(learner=self.learner)

    def context(self) -> dict[str, Any]:
        elsewhere = Learner.objects.filter(identity=self.learner.identity, app__in=visible_apps(self.request))
        return {
            **super().context(),
            **self.head(),
            "learner": self.learner,
            "app": self.learner.app,
            "may_erase": role_in(viewer(self.request), self.learner.app) == Role.OWNER,
            "groups": group_names([self.learner.pk])[self.learner.pk],
            "elsewhere": elsewhere.exclude(pk=self.learner.pk).select_related("app")
            if self.learner.email.strip()
            else [],
            **of_person(self, self.learner),
        }
