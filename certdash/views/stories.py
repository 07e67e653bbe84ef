"""Stories: the list of them, and one with its numbers, its groups and its certificates."""

from functools import cached_property
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy

from certdash.filters import StoryFilter
from certdash.keys import name_stories, stories_of_same_id
from certdash.models import App, CertificateQuerySet, Story
from certdash.rows import span, story_url
from certdash.stats import by
from certdash.stats.delivery import observed
from certdash.tables import StoryTable, Table
from certdash.views.certificates import CertificatesOf
from certdash.views.page import List, address, moved, visible_app
from certdash.views.refresh import of_story


class Stories(List):
    """The stories of all visible apps, with their numbers."""

    filter_class = StoryFilter
    table_class = StoryTable
    template_name: ClassVar[str] = "stories/list.html"
    title = gettext_lazy("Stories")
    file_name = "stories"

    def queryset(self) -> QuerySet[Any]:
        return Story.objects.filter(app__in=self.apps).select_related("app").defer("app__token")

    def make_table(self) -> Table:
        return StoryTable(self.filters.qs, self.apps, request=None)


class OneStory(CertificatesOf):
    """A story. Its key may be outdated, or only an ID that several stories share."""

    template_name: ClassVar[str] = "stories/story.html"
    not_offered = ("app", "story", "type")

    def get(self, request: HttpRequest, *_: Any, **__: Any) -> HttpResponseBase:
        self.app = visible_app(request, self.kwargs["app"])
        key = self.kwargs["key"]
        self.stories = stories = list(Story.objects.filter(app=self.app).order_by("sort_name", "pk"))
        named = name_stories(stories, [key])[key]
        if len(named) != 1:
            choice = named or stories_of_same_id(stories, key)
            if not choice:
                raise Http404("No such story.")
            return render(request, "stories/choice.html", {"app": self.app, "stories": choice})
        self.story = named[0]
        if self.story.key != key:
            return moved(request, story_url(self.app, self.story))
        self.file_name = f"certificates-{self.app.slug}"
        return super().get(request)

    def listed_apps(self) -> list[App]:
        return [self.app]

    def answer(self, request: HttpRequest) -> HttpResponseBase:
        self.filters.visible_stories = self.stories  # read already, to find this one
        return super().answer(request)

    def subject(self) -> str:
        return gettext("Certificates of the story %(story)s") % {"story": self.story.name}

    def certificates(self) -> CertificateQuerySet:
        return super().certificates().filter(story=self.story)

    def context(self) -> dict[str, Any]:
        return {
            **super().context(),
            **self.headline(),
            "app": self.app,
            "story": self.story,
            "observed": self.observed(),
            **of_story(self, self.app, self.story),
        }

    def observed(self) -> dict[str, Any] | None:
        """How long deliveries of the story took; None when none was observed."""
        took = observed(self.apps, self.certificates()).get(self.story.pk)
        now = timezone.now()
        return took and {
            "many": took.many,
            "median": span(took.median, now),
            "slowest": span(took.slowest, now),
            "slowest_url": address(reverse("certificates"), [("id", f"{took.slowest_id}")]),
        }

    @cached_property
    def breakdown(self) -> list[dict[str, Any]]:
        """The story by tracked group."""
        counts = by(
            self.apps,
            self.certificates().live(),
            "learner__memberships__group",
            learner__memberships__until=None,
            learner__memberships__group__tracked=True,
        )
        return self.broken_down("group", self.filters.visible_groups, counts)
