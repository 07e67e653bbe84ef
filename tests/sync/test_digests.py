"""Equal bytes cost nothing, and only what was applied completely counts as equal."""

from typing import Any

import pytest
from django.apps import apps
from django.utils import timezone

from certdash.falkor import StoryElement
from certdash.models import App, Group, Membership, Story, SyncRun
from certdash.models.group import track_groups
from certdash.sync import answer as answer_module
from certdash.sync import bulk
from certdash.sync.apply import Applier
from certdash.sync.asking import Scope
from certdash.sync.withdrawals import accept, withdraw_accepted
from tests.falkor.vendors import row, success
from tests.sync.vendor import Vendor, gone, live, people, story

Status = SyncRun.Status
B = {"name": "Story B", "vendor_id": "ID-B"}


def data() -> dict[str, list[Any]]:
    """Everything that is stored but the runs, and when groups were last asked for."""
    models = [model for model in apps.get_app_config("certdash").get_models() if model is not SyncRun]
    rows = {model.__name__: list(model.objects.order_by("pk").values()) for model in models}
    for group in rows["Group"]:
        del group["checked_at"]
    for app in rows["App"]:
        del app["token"]  # no two secrets are equal
    return rows


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the stories whose rows were decoded, as long as the test lasts."""
    names: list[str] = []
    real = StoryElement.rows

    def rows(element: StoryElement) -> Any:
        names.append(element.name)
        return real(element)

    monkeypatch.setattr(StoryElement, "rows", rows)
    return names


def two(vendor: Vendor, **options: Any) -> SyncRun:
    return vendor.sync(story(*people(3)), story(*people(3, first=10), **B), **options)


def test_equal_bytes_are_not_even_decoded_and_write_nothing_but_the_run(vendor, decoded):
    track_groups(vendor.app, ["North"])
    vendor.groups["North"] = success(story(*people(2)))
    two(vendor)
    decoded.clear()
    before, asked = data(), Group.objects.get().checked_at
    run = two(vendor)
    assert (run.status, run.received, decoded) == (Status.UNCHANGED, 6, [])
    assert data() == before
    assert Group.objects.get().checked_at > asked


def test_a_changed_response_time_or_hash_does_not_matter(vendor, decoded):
    two(vendor)
    decoded.clear()
    vendor.body = vendor.body.replace(b'"5cd3"', b'"other"').replace(b"0.3", b"7.1")
    assert (vendor.again().status, decoded) == (Status.UNCHANGED, [])


def test_the_same_hash_with_other_data_is_news(vendor):
    two(vendor)
    assert vendor.sync(story(*people(4)), story(*people(3, first=10), **B)).created == 1


def test_only_stories_with_other_bytes_are_compared(vendor, decoded):
    two(vendor)
    decoded.clear()
    run = vendor.sync(story(*people(3)), story(*people(4, first=10), **B))
    assert (decoded, run.received, run.created) == (["Story B"], 7, 1)


def test_another_order_of_rows_is_compared_and_changes_no_row_and_no_version(vendor, decoded):
    two(vendor)
    before = data()
    vendor.sync(story(*reversed(people(3))), story(*people(3, first=10), **B))
    after = data()
    assert before.pop("Story") != after.pop("Story")
    assert after == before
    decoded.clear()
    assert (vendor.again().status, decoded) == (Status.UNCHANGED, [])


def test_a_story_that_was_cut_off_half_way_is_compared_when_its_old_bytes_come_back(vendor, monkeypatch):
    two(vendor)
    real, parts = Applier._create, []

    def second_fails(*args: Any) -> Any:
        parts.append(args)
        if len(parts) == 2:
            raise RuntimeError
        return real(*args)

    monkeypatch.setattr(Applier, "_create", second_fails)
    monkeypatch.setattr(bulk, "PART", 2)
    monkeypatch.setattr(bulk, "ROWS", 2)
    with pytest.raises(RuntimeError):
        vendor.sync(story(*people(3), *people(4, first=20)), story(*people(3, first=10), **B))
    monkeypatch.undo()
    assert len(live(vendor.app)) == 8
    run = two(vendor)
    assert (run.status, run.withdrawn, len(live(vendor.app))) == (Status.SUCCESS, 2, 6)


def test_withdrawn_rows_leave_nothing_open(vendor, decoded):
    two(vendor)
    vendor.sync(story(*people(2)), story(*people(3, first=10), **B))
    decoded.clear()
    assert (vendor.again().status, decoded) == (Status.UNCHANGED, [])


def test_a_story_that_returns_with_its_old_bytes_brings_its_rows_back(vendor):
    two(vendor)
    vendor.sync(story(*people(3)))
    assert gone(vendor.app) == {"010", "011", "012"}
    run = two(vendor)
    assert (run.returned, gone(vendor.app)) == (3, set())
    assert not Story.objects.exclude(withdrawn_at=None).exists()


def test_equal_bytes_stay_held_and_old_bytes_are_found_again(vendor):
    everyone = [story(*people(60)), story(*people(60, first=100), **B)]
    vendor.sync(*everyone)
    assert vendor.sync(story(*people(10)), everyone[1]).status == Status.HELD
    again = vendor.again()
    assert (again.status, again.missing) == (Status.HELD, 50)
    assert vendor.sync(*everyone).status == Status.UNCHANGED
    assert again.missing_certificates.count() == 0
    assert len(live(vendor.app)) == 120


def test_a_whole_story_that_was_held_is_found_again_by_its_old_bytes(vendor):
    everyone = [story(*people(60)), story(*people(60, first=100), **B)]
    vendor.sync(*everyone)
    held = vendor.sync(everyone[0])
    assert held.missing == 60
    assert vendor.sync(*everyone).status == Status.UNCHANGED
    assert held.missing_certificates.count() == 0


def test_what_an_owner_accepted_returns_with_the_old_bytes(vendor):
    everyone = story(*people(60))
    vendor.sync(everyone)
    held = vendor.sync(story(*people(10)))
    accept(held, None, timezone.now())
    held.refresh_from_db()
    withdraw_accepted(held, timezone.now)
    assert len(gone(vendor.app)) == 50
    assert vendor.sync(everyone).returned == 50


def test_equal_bytes_with_a_row_that_is_not_understood_stay_partial(vendor):
    rows = [*people(2), row(certificate={"timestamp": "yesterday"})]
    for _ in range(2):
        run = vendor.sync(story(*rows), story(*people(3, first=10), **B))
        assert (run.status, run.rejected, run.received) == (Status.PARTIAL, 1, 6)


def test_equal_bytes_with_a_story_that_is_not_understood_stay_partial(vendor):
    for _ in range(2):
        run = vendor.sync(story(*people(2)), {"story": {"name": 7}, "certificates": []})
        assert (run.status, run.rejected) == (Status.PARTIAL, 1)


def test_what_a_narrow_run_wrote_is_compared_by_the_next_full_one(vendor):
    two(vendor)
    vendor.sync(story(*people(5)), scope=Scope(story="ID-A"))
    assert len(live(vendor.app)) == 8
    assert (two(vendor).withdrawn, len(live(vendor.app))) == (2, 6)


def test_a_narrow_run_without_news_leaves_equal_bytes_equal(vendor, decoded):
    two(vendor)
    vendor.sync(story(*people(3)), scope=Scope(story="ID-A"))
    decoded.clear()
    assert (two(vendor).status, decoded) == (Status.UNCHANGED, [])


def test_repaired_rows_count_also_when_their_bytes_are_equal(vendor):
    vendor.body = success(story(*people(2))).replace(b'"Ann"', b'"\\ud83d"')
    assert [vendor.again().repaired for _ in range(2)] == [2, 2]


def test_other_rules_compare_everything_again(vendor, decoded, monkeypatch):
    two(vendor)
    decoded.clear()
    monkeypatch.setattr(answer_module, "_RULES", answer_module._RULES + 1)
    assert (two(vendor).status, decoded) == (Status.UNCHANGED, ["Story A", "Story B"])


def test_bytes_under_another_breadth_are_compared_again(vendor, decoded):
    two(vendor)
    App.objects.update(breadth="stories", listed_stories=["ID-A"])
    vendor.app.refresh_from_db()
    decoded.clear()
    assert vendor.sync(story(*people(3))).out_of_scope == 3
    assert decoded == ["Story A"]


# -- Groups -----------------------------------------------------------------------------------------------------


@pytest.fixture
def north(vendor: Vendor) -> Vendor:
    track_groups(vendor.app, ["North"])
    vendor.groups["North"] = success(story(*people(3)))
    two(vendor)
    return vendor


def members() -> set[str]:
    return set(Membership.objects.filter(until=None).values_list("learner__name", flat=True))


def test_somebody_whom_only_the_group_knew_joins_with_the_next_run(vendor):
    track_groups(vendor.app, ["North"])
    vendor.groups["North"] = success(story(*people(4)))
    two(vendor)
    assert members() == {"Ann 001", "Ann 002", "Ann 003"}
    vendor.sync(story(*people(4)), story(*people(3, first=10), **B))
    assert "Ann 004" in members()


def test_a_group_that_was_held_stays_held_and_is_found_again(north):
    everyone, few = success(story(*people(60))), success(story(*people(10)))
    north.body, north.groups["North"] = everyone, everyone
    north.again()
    north.groups["North"] = few
    for _ in range(2):
        run = north.again()
        assert (run.status, run.missing_members) == (Status.HELD, 50)
    north.groups["North"] = everyone
    assert north.again().status == Status.UNCHANGED
    assert run.missing_memberships.count() == 0


def test_who_was_accepted_to_have_left_joins_again_with_the_old_bytes(north):
    north.groups["North"] = success()
    held = north.again()
    accept(held, None, timezone.now())
    held.refresh_from_db()
    withdraw_accepted(held, timezone.now)
    assert members() == set()
    north.groups["North"] = success(story(*people(3)))
    assert (north.again().joined, len(members())) == (3, 3)
