"""The fake vendor's world: its size, its shape, and how it moves with its clock."""

from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from certdash.sandbox import DEMO, RETAIL, Selection, World
from tests.sandbox.conftest import NOW, ORIGIN

BASE = "http://vendor.example"


def rows(world, now=NOW, account=DEMO, **selection):
    """(story, certificate) pairs."""
    answer = world.rows(account.app_id, now, BASE, Selection(**selection))
    return [(story, item) for story, items in answer for item in items]


def person(item):
    return tuple(value for key, value in item.items() if key != "certificate")


def holders(world, now):
    """Who holds a certificate of which story: with the ID alone, a renamed story stays the same."""
    return Counter((story["ID"], story["type"], person(item)) for story, item in rows(world, now))


def names(world, now=NOW, account=DEMO):
    return [story["name"] for story, _ in world.rows(account.app_id, now, BASE)]


@pytest.mark.parametrize("certificates", [0, 1, 7, 1200, 5003])
def test_exactly_as_many_certificates_as_asked_for_were_awarded_before_the_origin(certificates):
    world = World(ORIGIN, certificates, seed=3)
    withdrawn = sum(map(len, world.withdrawn(NOW).values()))
    demo, retail = len(rows(world)), len(rows(world, account=RETAIL))
    assert demo + retail + withdrawn == certificates
    if certificates > 1000:
        assert 2.7 < demo / retail < 3.3


def test_a_negative_number_of_certificates_is_refused():
    with pytest.raises(ValueError, match="fewer than 0"):
        World(ORIGIN, -1, seed=1)


def test_the_same_arguments_give_the_same_world_and_another_seed_another(world):
    again, other = World(ORIGIN, 1200, seed=1), World(ORIGIN, 1200, seed=2)
    assert rows(world) == rows(again)
    assert {person(item) for _, item in rows(world)} != {person(item) for _, item in rows(other)}


def test_a_million_certificates_begin_to_arrive_at_once():
    story, items = next(World(ORIGIN, 1_000_000, seed=1).stream(DEMO.app_id, NOW, BASE))
    assert story["name"] == "Code of Conduct"
    assert next(items)["certificate"]["state"] == "delivered"


def test_the_awards_span_26_weeks_and_rest_at_weekends(world):
    stamps = [datetime.fromisoformat(item["certificate"]["timestamp"]) for _, item in rows(world)]
    assert timedelta(175) < NOW - min(stamps) <= timedelta(182)
    assert sum(stamp.weekday() >= 5 for stamp in stamps) < len(stamps) / 7
    assert {item["certificate"]["timestamp"][-6:] for _, item in rows(world)} == {"+01:00", "+02:00"}


def test_later_days_bring_awards_at_the_same_pace():
    world = World(ORIGIN, 18_200, seed=1)
    moments = [NOW + timedelta(weeks=week) for week in range(5)]
    for earlier, later in pairwise(len(rows(world, now)) for now in moments):
        assert 350 < later - earlier < 700  # 525 on average


def test_what_was_awarded_stays_unless_it_is_withdrawn(world):
    before, after = holders(world, NOW), holders(world, NOW + timedelta(21))
    gone = (before - after).total()
    assert 0 < gone <= 21
    assert before.total() > 20 * gone


def test_nothing_is_withdrawn_until_a_week_before_the_origin(world):
    assert not world.withdrawn(NOW - timedelta(7))
    assert sum(map(len, world.withdrawn(NOW + timedelta(100)).values())) > 30


def test_pending_certificates_have_no_link_and_later_most_are_delivered_with_one(world):
    states = [item["certificate"] for _, item in rows(world)]
    assert all(bool(each["url"]) == (each["state"] == "delivered") for each in states)
    assert {each["state"] for each in states} == {"pending", "delivered"}
    pending = [each for each in states if each["state"] == "pending"]
    later = [item["certificate"] for _, item in rows(world, NOW + timedelta(60))]
    still = [each for each in later if each in pending]
    assert len(pending) * 0.2 < len(still) < len(pending)


def test_on_delivery_some_timestamps_move_and_some_stay():
    world = World(ORIGIN, 6000, seed=1)

    def only_certificates(now):
        """Of those who hold one certificate of a story, that one."""
        held = rows(world, now)
        counts = Counter((story["ID"], person(item)) for story, item in held)
        keyed = {(story["ID"], person(item)): item["certificate"] for story, item in held}
        return {key: certificate for key, certificate in keyed.items() if counts[key] == 1}

    before, after = only_certificates(NOW), only_certificates(NOW + timedelta(5))
    pairs = [(before[key], after[key]) for key in before.keys() & after.keys()]
    delivered = [(old, new) for old, new in pairs if (old["state"], new["state"]) == ("pending", "delivered")]
    moved = [new for old, new in delivered if new["timestamp"] > old["timestamp"]]
    assert 0 < len(moved) < len(delivered)
    assert all(new["timestamp"] == old["timestamp"] for old, new in pairs if old["state"] == new["state"])


def test_two_stories_are_renamed_and_keep_their_id(world):
    first, second = ("Whistleblowing at Work", "Speak Up at Work"), "Data Classification Quiz"
    assert first[0] in names(world, NOW - timedelta(3))
    assert first[1] in names(world)
    assert first[0] not in names(world)
    assert second in names(world)
    assert f"{second} (2nd edition)" in names(world, NOW + timedelta(4))
    ids = [[story["ID"] for story, _ in world.rows(DEMO.app_id, NOW + timedelta(k), BASE)] for k in (-3, 4)]
    assert ids[0] == ids[1]


def test_the_stories_have_the_vendors_oddities(world):
    stories = [(story, len(items)) for story, items in world.rows(DEMO.app_id, NOW, BASE)]
    assert len(stories) == 24
    assert {story["type"] for story, _ in stories} == {"story", "Story", "assessment", "survey", "scorm"}
    assert sum(not count for _, count in stories) >= 3
    [(shared, twice)] = [each for each in Counter(s["ID"] for s, _ in stories).items() if each[1] > 1]
    assert (shared, twice) == ("EV72-RQZY-80AH", 2)
    assert len(names(world, account=RETAIL)) == 10


def test_the_learners_are_a_mixed_company(world):
    people = {person(item): item for _, item in rows(world)}.values()
    assert len({each["country"] for each in people} - {""}) == 12
    assert 0 < sum(not each["email"] for each in people) < len(people) / 5
    text = "".join(each["firstname"] + each["lastname"] for each in people)
    scripts = ("À\u02af", "א\u05ea", "ء\u064a", "一龥", "''")
    assert all(any(low <= char <= high for char in text) for low, high in scripts)
    per_story = Counter((story["name"], person(item)) for story, item in rows(world))
    assert max(per_story.values()) > 1


def test_no_two_learners_share_an_email():
    everybody = {person(item): item["email"].casefold() for _, item in rows(World(ORIGIN, 20_000, seed=1))}
    emails = [email for email in everybody.values() if email]
    assert len(emails) == len(set(emails)) > 3000
    assert all(email.endswith(("example.com", "example.org", "example.net")) for email in emails)


def test_some_people_learn_in_both_apps(world):
    demo = {item["email"] for _, item in rows(world, account=DEMO)} - {""}
    retail = {item["email"] for _, item in rows(world, account=RETAIL)} - {""}
    assert demo & retail
    assert len(demo & retail) < len(retail) / 4


def test_learners_are_in_several_groups_or_in_none_and_stay_there(world):
    def members(group, now=NOW):
        return {person(item) for _, item in rows(world, now, groups=[group])}

    memberships = Counter(each for group in DEMO.groups for each in members(group))
    everybody = {person(item) for _, item in rows(world)}
    assert all(members(group) for group in DEMO.groups)
    assert max(memberships.values()) > 1
    assert everybody - set(memberships)
    outsiders = everybody - members("Managers")
    assert not outsiders & members("Managers", NOW + timedelta(30))
