"""From the keys in addresses to stories and groups, among those that somebody may see."""

from collections.abc import Iterable

from certdash.models import Group, Story
from certdash.models.story import hashed_slug


def name_stories(stories: Iterable[Story], keys: Iterable[str]) -> dict[str, list[Story]]:
    """Which of these stories each key names.

    In each app `<ID>~<slug>` names one story, also in its longer form with a hash; `<ID>` alone names all of that ID;
    where no app has the slug it is outdated: then it names the only story of its ID, in apps with just one.
    """
    by_id: dict[str, list[Story]] = {}
    for story in stories:
        by_id.setdefault(story.vendor_id, []).append(story)
    return {key: _named(key, by_id) for key in keys}


def _named(key: str, by_id: dict[str, list[Story]]) -> list[Story]:
    vendor_id, tilde, slug = key.rpartition("~")
    same_id = by_id.get(vendor_id, []) if tilde else []
    if exact := [story for story in same_id if slug in (story.slug, hashed_slug(story.name))]:
        return exact
    if whole_id := by_id.get(key, []):
        return whole_id
    apps = [story.app_id for story in same_id]
    return [story for story in same_id if vendor_id and apps.count(story.app_id) == 1]


def stories_of_same_id(stories: Iterable[Story], key: str) -> list[Story]:
    """What a person may have meant by a key that names nothing: the stories of its ID."""
    vendor_id = key.rpartition("~")[0]
    return [story for story in stories if vendor_id and story.vendor_id == vendor_id]


def keys_of(one: Story | Group) -> set[str]:
    """The canonical key of a story or group, and its longer form with a hash."""
    prefix = f"{one.vendor_id}~" if isinstance(one, Story) else ""
    return {one.key, f"{prefix}{hashed_slug(one.name)}"}


def name_groups(groups: Iterable[Group], keys: Iterable[str]) -> dict[str, list[Group]]:
    """Which of these groups each key names."""
    named: dict[str, list[Group]] = {key: [] for key in keys}
    for group in groups:
        for key in keys_of(group) & named.keys():
            named[key].append(group)
    return named
