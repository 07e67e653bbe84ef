"""From the keys in addresses to stories and groups, among the apps somebody may see."""

from collections.abc import Iterable, Sequence

from certdash.models import App, Group, Story
from certdash.models.story import hashed_slug


def stories_of(apps: Sequence[App], keys: Iterable[str]) -> dict[str, list[Story]]:
    """The stories that each key names, in one query.

    `<ID>~<slug>` names one story, also in its longer form with a hash; `<ID>` alone names all of that ID; an outdated
    slug names the only story of its ID, and nothing when there are several.
    """
    keys = list(keys)
    ids = {part for key in keys for part in (key, key.rpartition("~")[0])}
    by_id: dict[str, list[Story]] = {}
    for story in Story.objects.filter(app__in=apps, vendor_id__in=ids).select_related("app").order_by("pk"):
        by_id.setdefault(story.vendor_id, []).append(story)
    return {key: _named(key, by_id) for key in keys}


def _named(key: str, by_id: dict[str, list[Story]]) -> list[Story]:
    vendor_id, tilde, slug = key.rpartition("~")
    same_id = by_id.get(vendor_id, []) if tilde else []
    if exact := [story for story in same_id if slug in (story.slug, hashed_slug(story.name))]:
        return exact
    if whole_id := by_id.get(key, []):
        return whole_id
    return same_id if len(same_id) == 1 and vendor_id else []


def stories_of_same_id(app: App, key: str) -> list[Story]:
    """What a person may have meant by a key that names nothing: the stories of its ID."""
    vendor_id = key.rpartition("~")[0]
    return list(Story.objects.filter(app=app, vendor_id=vendor_id).order_by("sort_name", "pk")) if vendor_id else []


def groups_of(apps: Sequence[App], keys: Iterable[str]) -> dict[str, list[Group]]:
    """The tracked groups that each key names, in one query."""
    keys = list(keys)
    named: dict[str, list[Group]] = {key: [] for key in keys}
    for group in Group.objects.filter(app__in=apps, tracked=True).select_related("app"):
        for key in {group.slug, hashed_slug(group.name)} & named.keys():
            named[key].append(group)
    return named
