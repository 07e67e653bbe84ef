"""Apps that synchronise only a part: what is no longer asked for is out of scope, which is not withdrawn."""

from array import array
from collections.abc import Sequence

from certdash.models import App, Breadth, Certificate, Membership, Story

from . import bulk
from .asking import NothingToAsk, Scope, calls_of, not_listed, same_story


def why_not(app: App, narrow: Scope, story: Story | None = None) -> str:
    """Why a run for this story or person would ask for nothing; empty when it would ask."""
    try:
        calls_of(app, narrow)
        if story and app.breadth == Breadth.STORIES and not _is_listed(app.listed_stories, story.vendor_id, story.name):
            raise not_listed("this is none of them")  # though another one of its ID is
    except NothingToAsk as nothing:
        return nothing.why
    return ""


def split(app: App, missing: Sequence[int]) -> tuple["array[int]", "array[int]"]:
    """Of these certificates (pks): what the vendor should have named, and what it was not asked for."""
    if app.breadth == Breadth.EVERYTHING:
        return array("q", missing), array("q")
    inside, outside = array("q"), array("q")
    listed = listed_stories(app) if app.breadth == Breadth.STORIES else None
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


def listed_stories(app: App, names: Sequence[str] | None = None) -> set[int]:
    """The stories (pks) that the list of an app names, or these names of it, by ID or name."""
    names = app.listed_stories if names is None else names
    stories = Story.objects.filter(app=app).values_list("pk", "vendor_id", "name")
    return {pk for pk, vendor_id, name in stories if _is_listed(names, vendor_id, name)}


def _is_listed(names: Sequence[str], vendor_id: str, name: str) -> bool:
    return any(same_story(listed, vendor_id) or same_story(listed, name) for listed in names)


def unheard_stories(app: App) -> list[str]:
    """What an app lists and no answer has named yet: as new as the list, or a typing error."""
    if app.breadth != Breadth.STORIES:
        return []
    known = Story.objects.filter(app=app).values_list("vendor_id", "name")
    heard = {text.strip().casefold() for both in known for text in both}
    return [listed for listed in app.listed_stories if listed.strip().casefold() not in heard]


def unlisted(app: App, stories: Sequence[int]) -> list[int]:
    """Of these stories (pks) that did not come: those that the vendor no longer lists.

    Where groups are asked for, a story without a certificate of their members does not come either.
    """
    if app.breadth == Breadth.GROUPS:
        return []
    if app.breadth == Breadth.STORIES:
        listed = listed_stories(app)
        return [story for story in stories if story in listed]
    return list(stories)
