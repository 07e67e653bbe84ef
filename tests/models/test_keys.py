"""Keys in addresses: an address made today names the same story after the database was rebuilt."""

import itertools

import pytest
from django.utils import timezone

from certdash.keys import name_groups, name_stories
from certdash.models import App, Group, Story
from certdash.models.group import track_groups
from certdash.models.story import hashed_slug, name_slug, restate_slugs
from tests.sync.vendor import new_app

pytestmark = pytest.mark.django_db


@pytest.fixture
def app() -> App:
    return new_app("http://127.0.0.1")


def add(app: App, name: str, vendor_id: str = "ID-1") -> Story:
    story = Story(app=app, vendor_id=vendor_id, first_seen_at=timezone.now(), slug=hashed_slug(name))
    story.rename(name)
    story.save()
    restate_slugs(app, {vendor_id})
    return story


def keys(app: App) -> dict[str, str]:
    return {story.name: story.key for story in app.stories.all()}


def named(app: App, key: str) -> set[str]:
    return {story.name for story in name_stories(app.stories.all(), [key])[key]}


def test_a_key_is_the_id_and_the_slug_of_the_name(app):
    add(app, "Førstehjælp på arbejdspladsen")
    add(app, "安全衛生の基本", "ID-2")
    assert keys(app) == {
        "Førstehjælp på arbejdspladsen": "ID-1~førstehjælp-på-arbejdspladsen",
        "安全衛生の基本": "ID-2~安全衛生の基本",
    }


COLLIDING = ["Story A", "story a", "Story: A!", "Story B", "!!!", "???", ""]


@pytest.mark.parametrize("order", list(itertools.islice(itertools.permutations(COLLIDING), 0, 5040, 503)))
def test_colliding_and_empty_slugs_get_a_hash_whatever_came_first(order, app):
    for name in order:
        add(app, name)
    assert keys(app) == {name: f"ID-1~{'story-b' if name == 'Story B' else hashed_slug(name)}" for name in COLLIDING}
    assert len(set(keys(app).values())) == len(COLLIDING)
    for name, key in keys(app).items():
        assert named(app, key) == {name}


def test_the_hashed_form_always_names_its_story(app):
    add(app, "Story A")
    hashed = f"ID-1~{hashed_slug('Story A')}"
    assert named(app, hashed) == {"Story A"}
    add(app, "STORY A")
    assert keys(app)["Story A"] == hashed
    assert named(app, hashed) == {"Story A"}
    assert named(app, "ID-1~story-a") == set()


def test_the_same_name_under_two_ids_needs_no_hash(app):
    add(app, "Story A", "ID-1")
    add(app, "Story A", "ID-2")
    assert {story.key for story in Story.objects.all()} == {"ID-1~story-a", "ID-2~story-a"}


def test_names_that_are_alike_for_as_long_as_a_slug_is_are_told_apart(app):
    long = "a" * 100
    add(app, long + " one")
    add(app, long + " two")
    assert len(set(keys(app).values())) == 2
    assert all(len(story.slug) <= 89 for story in Story.objects.all())


def test_a_story_without_an_id_has_a_key_too(app):
    add(app, "Story A", "")
    add(app, "Story B", "")
    assert named(app, "~story-a") == {"Story A"}
    assert named(app, "~story-c") == set()
    assert named(app, "~") == set()


def test_an_id_alone_names_all_of_it_and_an_outdated_slug_the_only_one(app):
    add(app, "Story A")
    assert named(app, "ID-1~former-name") == {"Story A"}
    add(app, "Story B")
    assert named(app, "ID-1") == {"Story A", "Story B"}
    assert named(app, "ID-1~former-name") == set()


def test_a_tilde_in_an_id_is_part_of_it(app):
    add(app, "Story A", "ID~1")
    assert named(app, "ID~1") == named(app, "ID~1~story-a") == {"Story A"}


def test_keys_do_not_reach_into_other_apps(app):
    add(new_app("http://127.0.0.1", "other"), "Story A")
    assert named(app, "ID-1~story-a") == set()


# -- Groups -----------------------------------------------------------------------------------------------------


def group_keys(app: App) -> dict[str, str]:
    return {group.name: group.key for group in app.groups.all()}


@pytest.mark.parametrize("order", list(itertools.permutations(["Sales", "SALES", "営業", "!"]))[::5])
def test_keys_of_groups_follow_the_same_rule(order, app):
    for name in order:
        track_groups(app, [name], keep_others=True)
    assert group_keys(app) == {
        "Sales": hashed_slug("Sales"),
        "SALES": hashed_slug("SALES"),
        "営業": "営業",
        "!": hashed_slug("!"),
    }
    for name, key in group_keys(app).items():
        assert [group.name for group in name_groups(app.groups.all(), [key])[key]] == [name]


def test_tracking_replaces_or_adds_and_keeps_what_was(app):
    track_groups(app, ["Sales", "Logistics"])
    first = Group.objects.get(name="Sales")
    track_groups(app, ["Logistics", "Board"])
    assert set(app.groups.filter(tracked=True).values_list("name", flat=True)) == {"Logistics", "Board"}
    track_groups(app, ["Sales"], keep_others=True)
    assert app.groups.filter(tracked=True).count() == 3
    assert Group.objects.get(name="Sales").pk == first.pk


def test_tracking_moves_the_apps_version(app):
    track_groups(app, ["Sales"])
    before = App.objects.get(pk=app.pk).version
    track_groups(app, [])
    assert App.objects.get(pk=app.pk).version > before


def test_the_hashed_form_of_a_group_names_it_too(app):
    track_groups(app, ["Sales"])
    key = hashed_slug("Sales")
    assert [group.name for group in name_groups(app.groups.all(), [key])[key]] == ["Sales"]


def test_a_slug_is_cut_and_has_no_dash_at_its_ends():
    assert name_slug("-" * 10 + "a" * 79 + " b") == "a" * 79
