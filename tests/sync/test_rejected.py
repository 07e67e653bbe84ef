"""Rows that cannot be understood cost themselves only; and texts at the edge of what a database takes."""

import json
from datetime import UTC, datetime

from certdash.models import Certificate, Learner, Rejection, Story, SyncRun
from tests.falkor.vendors import element, row, success
from tests.sync.vendor import live, people, story

Status = SyncRun.Status
BAD = {"certificate": {"timestamp": "yesterday"}}


def test_a_bad_row_is_set_aside_with_its_place_and_the_others_arrive(vendor):
    one, two, three = people(3)
    run = vendor.sync(story(one, row(lastname="secret", **BAD), three), story(two, name="Story B", vendor_id="ID-B"))
    assert (run.status, run.received, run.created, run.rejected) == (Status.PARTIAL, 4, 3, 1)
    assert "1 row" in run.message
    kept = run.rejections.get()
    assert kept.path == "data[0].certificates[1].certificate.timestamp"
    assert "ISO 8601" in kept.reason
    assert "secret" not in kept.path + kept.reason + run.message
    assert live(vendor.app) == {"001", "002", "003"}


def test_a_story_with_a_bad_row_withdraws_nothing_and_the_others_do(vendor):
    a, b = people(3), people(3, first=11)
    vendor.sync(story(*a), story(*b, name="Story B", vendor_id="ID-B"))
    run = vendor.sync(story(a[0], row(**BAD)), story(b[0], name="Story B", vendor_id="ID-B"))
    assert (run.status, run.withdrawn) == (Status.PARTIAL, 2)
    assert live(vendor.app) == {"001", "002", "003", "011"}
    whole = vendor.sync(story(a[0]), story(b[0], name="Story B", vendor_id="ID-B"))
    assert (whole.status, whole.withdrawn, live(vendor.app)) == (Status.SUCCESS, 2, {"001", "011"})


def test_a_bad_story_element_withdraws_nothing_in_its_app(vendor):
    a, b = story(*people(3)), story(*people(2, first=11), name="Story B", vendor_id="ID-B")
    vendor.sync(a, b)
    run = vendor.sync(story(*people(1)), {"story": {"name": 7}, "certificates": []})
    assert (run.status, run.withdrawn, run.rejected) == (Status.PARTIAL, 0, 1)
    assert run.rejections.get().path == "data[1].story.name"
    assert live(vendor.app) == {"001", "002", "003", "011", "012"}
    assert not Story.objects.exclude(withdrawn_at=None).exists()


def test_no_story_is_taken_for_renamed_beside_an_element_that_may_be_it(vendor):
    """The bad element may be the stored story itself: then the other one is new."""
    vendor.sync(story(*people(2), name="Basics"))
    broken = element(*people(2), name="Basics", ID="ID-A", type=["story"])
    run = vendor.sync(broken, story(*people(2, first=5), name="Advanced"))
    assert run.status == Status.PARTIAL
    vendor.sync(story(*people(2), name="Basics"), story(*people(2, first=5), name="Advanced"))
    assert {each.name: each.certificates.count() for each in Story.objects.all()} == {"Basics": 2, "Advanced": 2}
    assert not vendor.app.changes.exists()


def test_no_story_is_taken_for_renamed_beside_an_element_of_which_nothing_can_be_read(vendor):
    vendor.sync(story(*people(3), name="Old"))
    run = vendor.sync(None, story(*people(2, first=5), name="New"))
    assert (run.status, run.withdrawn, run.created) == (Status.PARTIAL, 0, 2)
    vendor.sync(story(*people(3), name="Old"), story(*people(2, first=5), name="New"))
    assert {each.name: each.certificates.live().count() for each in Story.objects.all()} == {"Old": 3, "New": 2}
    assert not vendor.app.changes.exists()


def test_everything_bad_is_partial_and_takes_nothing_away(vendor):
    vendor.sync(story(*people(3)))
    vendor.body = json.dumps({"status": "success", "data": [1, None, []]}).encode()
    run = vendor.again()
    assert (run.status, run.rejected, run.withdrawn, run.missing) == (Status.PARTIAL, 3, 0, 0)
    assert live(vendor.app) == {"001", "002", "003"}


def test_all_bad_rows_are_counted_and_the_first_200_kept(vendor):
    bad = [row(**BAD)] * 150
    run = vendor.sync(story(*bad), story(*bad, name="Story B"), {"story": 1})
    assert run.rejected == 301
    assert run.rejections.count() == Rejection.KEPT_PER_RUN == 200
    assert run.rejections.filter(path="data[2].story").exists()
    assert run.received == 300


def test_a_bad_row_of_a_group_names_the_group_and_takes_nobody_out_of_it(vendor):
    group = vendor.app.groups.create(name="Sales", slug="sales")
    vendor.groups["Sales"] = success(story(*people(3)))
    vendor.sync(story(*people(3)))
    vendor.groups["Sales"] = success(story(row(**BAD)))
    run = vendor.again()
    assert run.status == Status.PARTIAL
    assert run.rejections.get().path == "group Sales: data[0].certificates[0].certificate.timestamp"
    assert group.memberships.filter(until=None).count() == 3


def test_a_lone_surrogate_is_repaired_and_counted(vendor):
    vendor.body = success(story(*people(1))).replace(b"Ann", b"A\\ud83dn")
    run = vendor.again()
    assert (run.status, run.repaired) == (Status.SUCCESS, 1)
    assert Certificate.objects.get().firstname == "A\ufffdn"
    assert vendor.again().status == Status.UNCHANGED


def test_nul_is_taken_out_of_every_text(vendor):
    person = dict.fromkeys(("firstname", "lastname", "email", "telephone", "country", "city"), "a\0b")
    certificate = {"state": "re\0voked", "url": "u\0rl"}
    elements = [element(row(**person, certificate=certificate), name="N\0ame", ID="I\0D", type="ki\0nd")]
    vendor.body = success(*elements, hash="ha\0sh")
    assert vendor.again().status == Status.SUCCESS
    stored = Certificate.objects.get()
    assert {stored.firstname, stored.lastname, stored.email, stored.telephone, stored.country, stored.city} == {"ab"}
    assert (stored.state, stored.state_sent, stored.url) == ("other", "revoked", "url")
    assert (stored.story.name, stored.story.vendor_id, stored.story.type) == ("Name", "ID", "kind")
    assert SyncRun.objects.get().vendor_hash == "hash"


def test_an_undocumented_state_and_type_are_kept_as_they_came(vendor):
    odd = ["Revoked", "other", "\u200b", "\x01", "PENDING", "x" * 3000]
    rows = [
        one | {"certificate": one["certificate"] | {"state": state}} for one, state in zip(people(6), odd, strict=True)
    ]
    vendor.sync(story(*rows, kind="Course"))
    stored = Certificate.objects.order_by("lastname").values_list("state", "state_sent")
    assert list(stored) == [("other", each) if each != "PENDING" else ("pending", "") for each in odd]
    assert Story.objects.get().type == "Course"
    assert vendor.again().status == Status.UNCHANGED


def test_texts_of_any_length_are_stored_whole_and_found_unchanged(vendor):
    long = "İß你👩‍👩‍👧" * 1000
    person = dict.fromkeys(("firstname", "lastname", "telephone", "country", "city"), long)
    vendor.sync(story(row(email=f"{long}@mail.example", certificate={"url": f"https://c.example/{long}"}, **person)))
    stored = Certificate.objects.get()
    assert stored.country == stored.city == stored.firstname == long
    assert len(stored.sort_name) <= 160
    assert vendor.again().status == Status.UNCHANGED


def test_a_long_story_name_and_id_are_stored_whole(vendor):
    vendor.sync(story(*people(1), name="你好 " * 2000, vendor_id="你" * 255))
    assert Story.objects.get().name == "你好 " * 2000
    assert vendor.again().status == Status.UNCHANGED


def test_moments_at_the_ends_of_the_calendar(vendor):
    moments = ["0001-12-31T00:00:00+00:00", "9999-01-01T00:00:00+00:00", "9998-12-31T23:59:59.999999-12:00"]
    rows = [
        one | {"certificate": one["certificate"] | {"timestamp": it}}
        for one, it in zip(people(3), moments, strict=True)
    ]
    run = vendor.sync(story(*rows))
    # What has no local time in some time zone could be shown to nobody there.
    assert (run.status, run.created, run.rejected) == (Status.PARTIAL, 1, 2)
    assert Certificate.objects.get().timestamp == datetime(9999, 1, 1, 11, 59, 59, 999999, tzinfo=UTC)
    assert vendor.again().changed == 0


def test_people_whose_emails_differ_in_case_are_one_and_names_that_do_are_rows(vendor):
    rows = [
        row(email="Ada@mail.example", certificate={"url": "u1"}),
        row(email="ada@MAIL.example ", lastname="ONE", certificate={"url": "u2"}),
        row(email="", lastname="Two"),
        row(email="", lastname="TWO"),
    ]
    vendor.sync(story(*rows))
    assert Learner.objects.count() == 3
    assert Certificate.objects.count() == 4
    assert vendor.sync(story(*reversed(rows))).status == Status.UNCHANGED
