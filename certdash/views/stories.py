"""Stories: the list of them, and one with its numbers, its groups and its certificates."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from certdash.access import app_or_404
from certdash.filters import StoryFilter
from certdash.keys import stories_of, stories_of_same_id
from certdash.models import CertificateQuerySet, Group, Story
from certdash.models.tally import tallied
from certdash.rows import share_bar, story_url
from certdash.stats import by, numbers
from certdash.tables import StoryTable
from certdash.views.certificates import Certificates
from certdash.views.page import List, address, moved, viewer


class Stories(List):
    """The stories of all visible apps, with their numbers."""

    filter_class = StoryFilter
    table_class = StoryTable
    title = "Stories"
    file_name = "stories"

    def queryset(self) -> QuerySet[Any]:
        return tallied(Story.objects.filter(app__in=self.apps)).select_related("app").defer("app__token")


class OneStory(Certificates):
    """A story. Its key may be outdated, or only an ID that several stories share."""

    template_name: ClassVar[str] = "stories/story.html"
    fixed = ("app", "story", "type")

    def get(self, request: HttpRequest, *_: Any, **__: Any) -> HttpResponseBase:
        self.app = app_or_404(viewer(request), self.kwargs["app"])
        key = self.kwargs["key"]
        named = stories_of([self.app], [key])[key]
        if len(named) != 1:
            choice = named or stories_of_same_id(self.app, key)
            if not choice:
                raise Http404("No such story.")
            return render(request, "stories/choice.html", {"app": self.app, "stories": choice})
        self.story = named[0]
        if self.story.key != key:
            return moved(request, story_url(self.app, self.story))
        self.file_name = f"certificates-{self.app.slug}"
        return super().get(request)

    def certificates(self) -> CertificateQuerySet:
        return super().certificates().filter(story=self.story)

    def context(self) -> dict[str, Any]:
        live = self.certificates().live()
        return super().context() | {
            "app": self.app,
            "story": self.story,
            "numbers": (counted := numbers(live, timezone.now())),
            "share": share_bar(counted.delivered, counted.pending),
            "chart": self.weeks_chart(),
            "breakdown": self._groups(live),
        }

    def _groups(self, live: CertificateQuerySet) -> list[dict[str, Any]]:
        counts = by(
            live,
            "learner__memberships__group",
            learner__memberships__until=None,
            learner__memberships__group__tracked=True,
        )
        groups = Group.objects.filter(app=self.app, tracked=True)
        return [
            {
                "name": group.name,
                "url": address(self.request.path, [("group", group.key)]),
                "counts": it,
                "share": share_bar(it.delivered, it.pending),
            }
            for group in groups
            if (it := counts.get(group.pk))
        ]
