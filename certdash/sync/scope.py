"""Apps that synchronise only a part: what is no longer asked for is out of scope, which is not withdrawn."""

from array import array
from collections.abc import Sequence

from certdash.models import App, Breadth, Certificate, Membership, Story

from . import bulk
from .asking import same_story


def split(app: App, missing: Sequence[int]) -> tuple["array[int]", "array[int]"]:
    """Of these certificates (pks): what the vendor should have named, and what it was not asked for."""
    if app.breadth == Breadth.EVERYTHING:
        return array("q", missing), array("q")
    inside, outside = array("q"), array("q")
    listed = _listed_stories(app) if app.breadth == Breadth.STORIES else None
    for some in bulk.chunks(missing):
        rows = Certificate.objects.filter(pk__in=some)
        if listed is None:
            members = Membership.objects.filter(group__app=app, group__tracked=True, until=None)
            asked = set(rows.filter(learner__in=members.values("learner")).values_list("pk", flat=True))
        else:
            asked = {pk for pk, story in rows.values_list("pk", "story") if story in listed}
        inside.extend(pk for pk in some if pk in asked)
        outside.extend(pk for pk in some if pk not in asked)
    return inside, outside


def _listed_stories(app: App) -> set[int]:
    stories = Story.objects.filter(app=app).values_list("pk", "vendor_id", "name")
    return {
        pk
        for pk, vendor_id, name in stories
        if any(same_story(listed, vendor_id) or same_story(listed, name) for listed in app.listed_stories)
    }


def unlisted(app: App, stories: Sequence[int]) -> list[int]:
    """Of these stories (pks) that did not come: those that the vendor no longer lists.

    Where groups are asked for, a story without a certificate of their members does not come either.
    """
    if app.breadth == Breadth.GROUPS:
        return []
    if app.breadth == Breadth.STORIES:
        listed = _listed_stories(app)
        return [story for story in stories if story in listed]
    return list(stories)
