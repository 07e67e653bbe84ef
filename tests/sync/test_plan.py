"""Which stored and received rows are the same: the plan on its own, without a database."""

from collections import Counter
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certdash.falkor import Row
from certdash.models import Change, Story
from certdash.sync.plan import (
    CertificatesPlan,
    Head,
    Stored,
    StoredStory,
    difference,
    learner_identity,
    plan_certificates,
    plan_stories,
)
from tests.sync.made import day, row, stored

Kind = Change.Kind


# -- Stories ----------------------------------------------------------------------------------------------------


def head(name: str, vendor_id: str = "ID-1", kind: str = "story") -> Head:
    return Head(vendor_id, name, kind)


def known(pk: int, name: str, vendor_id: str = "ID-1", *, withdrawn: bool = False) -> StoredStory:
    return StoredStory(pk, vendor_id, Story.identity_of(vendor_id, name), withdrawn)


def test_two_stories_with_one_id_stay_two():
    a, b = head("Story A"), head("Story B")
    assert plan_stories([], [a, b], full=True).new == [a.identity, b.identity]
    again = plan_stories([known(1, "Story A"), known(2, "Story B")], [b, a], full=True)
    assert again.same == {a.identity: 1, b.identity: 2}
    assert (again.new, again.renamed, again.missing) == ([], {}, [])


def test_one_left_over_on_each_side_of_an_id_is_a_rename():
    a, new = head("Story A"), head("Story B, 2nd edition")
    plan = plan_stories([known(1, "Story A"), known(2, "Story B")], [new, a], full=True)
    assert (plan.same, plan.renamed) == ({a.identity: 1}, {new.identity: 2})
    assert (plan.new, plan.missing) == ([], [])


def test_a_narrow_run_leaves_aside_what_may_be_a_rename_and_misses_no_story():
    new, other = head("New name"), head("New name", "ID-2")
    plan = plan_stories([known(1, "Old name")], [new, other], full=False)
    assert (plan.aside, plan.new, plan.renamed, plan.missing) == ([new.identity], [other.identity], {}, [])


def test_beside_one_that_the_answer_names_or_that_is_withdrawn_a_narrow_run_takes_a_new_story():
    old, new = head("Old name"), head("New name")
    gone = known(2, "Gone", withdrawn=True)
    assert plan_stories([known(1, "Old name"), gone], [old, new], full=False).new == [new.identity]


@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("alike", [True, False])
def test_where_a_story_may_only_not_have_come_it_is_renamed_only_with_its_rows(full, alike):
    new = head("New name")
    plan = plan_stories([known(1, "Old name")], [new], full=full, complete=False, are_alike=lambda *_: alike)
    assert plan.renamed == ({new.identity: 1} if full and alike else {})
    assert plan.new == ([new.identity] if full and not alike else [])
    assert plan.aside == ([] if full else [new.identity])


@pytest.mark.parametrize("unsure", ["ID-1", ""])
def test_beside_what_may_be_the_stored_story_it_is_renamed_only_with_its_rows(unsure):
    new = head("New name")
    plan = plan_stories([known(1, "Old name")], [new], full=True, unsure={unsure})
    assert (plan.new, plan.renamed) == ([new.identity], {})
    plan = plan_stories([known(1, "Old name")], [new], full=True, unsure={unsure}, are_alike=lambda *_: True)
    assert (plan.new, plan.renamed) == ([], {new.identity: 1})


def test_with_two_candidates_on_either_side_nobody_guesses():
    one, two = head("One"), head("Two")
    many_stored = plan_stories([known(1, "Old"), known(2, "Older")], [one], full=True)
    assert (many_stored.new, many_stored.renamed, many_stored.missing) == ([one.identity], {}, [1, 2])
    many_received = plan_stories([known(1, "Old")], [one, two], full=True)
    assert (many_received.new, many_received.renamed) == ([one.identity, two.identity], {})
    assert many_received.missing == [1]


def test_a_withdrawn_story_is_not_renamed_but_returns_under_its_own_name():
    gone, new, old = known(1, "Old name", withdrawn=True), head("New name"), head("Old name")
    assert plan_stories([gone], [new], full=True).new == [new.identity]
    assert plan_stories([gone], [old], full=True).same == {old.identity: 1}
    assert plan_stories([gone], [], full=True).missing == []


def test_stories_without_an_id_are_known_by_their_names_only():
    new = head("New name", vendor_id="")
    plan = plan_stories([known(1, "Old name", vendor_id="")], [new], full=True)
    assert (plan.new, plan.renamed, plan.missing) == ([new.identity], {}, [1])


def test_names_that_differ_in_case_only_are_two_stories():
    lower = head("story a")
    plan = plan_stories([known(1, "Story A")], [head("Story A"), lower], full=True)
    assert plan.new == [lower.identity]


_NAMES = st.sampled_from("ABCDE")
_IDS = st.sampled_from(["", "ID-1", "ID-2"])
_HEADS = st.lists(st.builds(head, _NAMES, _IDS), unique=True)
_KNOWN = st.lists(st.tuples(_NAMES, _IDS, st.booleans()), unique_by=lambda it: it[:2]).map(
    lambda all_: [known(pk, name, vendor_id, withdrawn=gone) for pk, (name, vendor_id, gone) in enumerate(all_, 1)]
)


@given(_KNOWN, _HEADS, st.booleans(), st.randoms())
def test_the_order_of_stories_means_nothing_and_each_is_taken_once(stories, heads, full, random):
    plan = plan_stories(stories, heads, full=full)
    matched = plan.same | plan.renamed
    assert matched.keys() | {*plan.new, *plan.aside} == {each.identity for each in heads}
    assert len(matched) + len(plan.new) + len(plan.aside) == len(heads)
    assert len(set(matched.values())) == len(matched)
    if full:
        live = {story.pk for story in stories if not story.withdrawn}
        assert live == (set(matched.values()) & live) | set(plan.missing)
    random.shuffle(stories)
    random.shuffle(heads)
    shuffled = plan_stories(stories, heads, full=full)
    assert (shuffled.same, shuffled.renamed) == (plan.same, plan.renamed)
    assert (set(shuffled.new), set(shuffled.missing)) == (set(plan.new), set(plan.missing))


# -- Certificates of one story: who is who ----------------------------------------------------------------------


def test_the_same_person_may_hold_several_certificates_of_one_story():
    first, second = row(on=0, url="u1"), row(on=3, url="u2")
    assert len(plan_certificates([], [first, second]).create) == 2
    again = plan_certificates([stored(1, first), stored(2, second)], [second, first])
    assert again == CertificatesPlan()


def test_a_row_that_comes_twice_is_one():
    assert len(plan_certificates([], [row(), row()]).create) == 1
    assert plan_certificates([stored(1, row())], [row(), row()]) == CertificatesPlan()


def test_an_email_in_another_case_or_with_spaces_is_the_same_person():
    plan = plan_certificates([stored(1, row(email="ada@mail.example"))], [row(email=" Ada@Mail.EXAMPLE ")])
    assert [(one.pk, one.kinds) for one in plan.update] == [(1, (Kind.DETAILS,))]
    assert (plan.create, plan.missing) == ([], [])


def test_people_without_email_are_told_apart_by_all_the_rest():
    base = row(email="")
    others = [row(email="", **{name: "other"}) for name in ("firstname", "lastname", "telephone", "country", "city")]
    assert len({learner_identity(each) for each in [base, *others]}) == 6
    assert learner_identity(row(email="  ")) == learner_identity(base)
    assert learner_identity(row(email="", firstname="ada")) != learner_identity(base)


def test_fields_of_a_person_without_email_cannot_be_shifted_into_each_other():
    assert learner_identity(row(email="", firstname="A B", lastname="")) != learner_identity(
        row(email="", firstname="A", lastname="B")
    )


# -- Certificates of one story: what happened -------------------------------------------------------------------


def only_update(plan: CertificatesPlan) -> tuple[int, tuple[Kind, ...]]:
    assert (plan.create, plan.missing, plan.found) == ([], [], [])
    (one,) = plan.update
    return one.pk, one.kinds


def test_delivery_is_one_change_also_with_another_timestamp_and_a_new_url():
    before, after = row("pending", on=0), row("delivered", on=2, url="u1")
    plan = plan_certificates([stored(1, before)], [after])
    assert only_update(plan) == (1, (Kind.DELIVERED,))
    assert difference(Kind.DELIVERED, before, after) == (
        {"state": "pending", "timestamp": day(0).isoformat(), "url": ""},
        {"state": "delivered", "timestamp": day(2).isoformat(), "url": "u1"},
    )


def test_what_a_change_is_called():
    pending, delivered = row("pending", url="u1"), row("delivered", url="u1")

    def kinds(before: Row, after: Row) -> tuple[Kind, ...]:
        return only_update(plan_certificates([stored(1, before)], [after]))[1]

    assert kinds(delivered, pending) == (Kind.STATE,)
    assert kinds(delivered, row("revoked", url="u1")) == (Kind.STATE,)
    assert kinds(row(url="u1"), row(url="u2")) == (Kind.LINK,)
    assert kinds(row(url="u1"), row(on=1, url="u1")) == (Kind.TIMESTAMP,)
    assert kinds(row(url="u1"), row(url="u1", city="Odense")) == (Kind.DETAILS,)
    assert kinds(pending, row("delivered", url="u1", city="Odense")) == (Kind.DELIVERED, Kind.DETAILS)


def test_a_withdrawn_certificate_returns():
    plan = plan_certificates([stored(1, row(url="u1"), gone=True)], [row(url="u1")])
    assert only_update(plan) == (1, (Kind.RETURNED,))
    changed = plan_certificates([stored(1, row(url="u1"), gone=True)], [row(url="u1", city="Odense")])
    assert only_update(changed) == (1, (Kind.RETURNED, Kind.DETAILS))


def test_what_a_held_run_missed_is_found_again():
    assert plan_certificates([stored(1, row(), held=True)], [row()]).found == [1]


def test_a_withdrawn_certificate_is_not_missed_again():
    assert plan_certificates([stored(1, row(), gone=True)], []) == CertificatesPlan()


def test_a_pending_one_that_goes_while_another_is_awarded_is_not_that_other_one():
    old, new = row("pending", on=0), row("pending", on=5)
    plan = plan_certificates([stored(1, old)], [new])
    assert [each for _, each in plan.create] == [new]
    assert ([one.pk for one in plan.missing], plan.update) == ([1], [])


# -- Certificates of one story: the order of the rules ----------------------------------------------------------


def pairs(some: Iterable[Stored], rows: Iterable[Row]) -> dict[int, Row]:
    return {one.pk: one.after for one in plan_certificates(some, rows).update}


def test_an_equal_url_decides_before_timestamps():
    held = [stored(1, row(on=0, url="u1")), stored(2, row(on=1, url="u2"))]
    swapped = [row(on=1, url="u1"), row(on=0, url="u2")]
    assert pairs(held, swapped) == {1: swapped[0], 2: swapped[1]}


def test_an_equal_timestamp_and_state_decides_before_a_timestamp_alone():
    held = [stored(1, row("pending", on=0)), stored(2, row("delivered", on=0, url="u2"))]
    received = [row("pending", on=0, url="new")]
    plan = plan_certificates(held, received)
    assert {one.pk: one.after for one in plan.update} == {1: received[0]}
    assert [one.pk for one in plan.missing] == [2]


def test_an_equal_timestamp_decides_before_a_guess():
    held = [stored(1, row("pending", on=0)), stored(2, row("pending", on=5))]
    received = [row("delivered", on=5, url="u5"), row("delivered", on=9, url="u9")]
    assert pairs(held, received) == {2: received[0], 1: received[1]}


def test_the_guess_takes_the_oldest_first():
    held = [stored(1, row("pending", on=2)), stored(2, row("pending", on=0)), stored(3, row("pending", on=1))]
    received = [row("delivered", on=9, url="u9"), row("delivered", on=8, url="u8")]
    plan = plan_certificates(held, received)
    assert {one.pk: one.after for one in plan.update} == {2: received[1], 3: received[0]}
    assert [one.pk for one in plan.missing] == [1]


def test_an_empty_url_pairs_nothing():
    plan = plan_certificates([stored(1, row(on=0))], [row(on=1)])
    assert (len(plan.create), len(plan.missing), plan.update) == (1, 1, [])


def test_a_withdrawn_pending_one_takes_no_part_in_the_guess():
    plan = plan_certificates([stored(1, row("pending", on=0), gone=True)], [row("delivered", on=4, url="u")])
    assert (len(plan.create), plan.update) == (1, [])


def test_a_live_one_pairs_before_a_withdrawn_one_of_the_same_row():
    same = row(url="u1")
    assert plan_certificates([stored(1, same, gone=True), stored(2, same)], [same]) == CertificatesPlan()


def test_a_row_that_did_not_change_is_itself_whatever_else_looks_like_it():
    held = [stored(1, row(url="u", city="Aarhus")), stored(2, row(url="u", city="Odense"))]
    received = [row(url="u", city="Odense"), row(url="u", city="Ribe")]
    assert pairs(held, received) == {1: received[1]}


# -- Whatever comes ---------------------------------------------------------------------------------------------

_ROWS = st.builds(
    row,
    st.sampled_from(["pending", "delivered", "revoked"]),
    st.integers(0, 2),
    st.sampled_from(["", "u1", "u2"]),
    email=st.sampled_from(["", "a@mail.example", "A@mail.example ", "b@mail.example"]),
    city=st.sampled_from(["Aarhus", "Odense"]),
)
_STORED = st.lists(st.tuples(_ROWS, st.booleans(), st.booleans()), max_size=8).map(
    lambda all_: [stored(pk, each, gone=gone, held=held and not gone) for pk, (each, gone, held) in enumerate(all_, 1)]
)
_RECEIVED = st.lists(_ROWS, max_size=8)


def applied(some: list[Stored], plan: CertificatesPlan) -> list[Stored]:
    """What is stored once the plan was carried out, with what is missing withdrawn."""
    after = {one.pk: one for one in some}
    after |= {one.pk: stored(one.pk, one.after) for one in plan.update}
    after |= {one.pk: one._replace(gone=True) for one in plan.missing}
    after |= {pk: after[pk]._replace(held=False) for pk in plan.found}
    new = [stored(len(some) + count, each) for count, (_, each) in enumerate(plan.create, 1)]
    return [*after.values(), *new]


@settings(max_examples=400)
@given(_STORED, _RECEIVED, st.randoms())
def test_the_order_of_rows_means_nothing(some, rows, random):
    plan = plan_certificates(some, rows)
    random.shuffle(rows)
    assert plan_certificates(some, rows) == plan


@settings(max_examples=400)
@given(_STORED, _RECEIVED)
def test_what_is_live_afterwards_is_what_was_received_one_to_one(some, rows):
    plan = plan_certificates(some, rows)
    touched = [one.pk for one in plan.update] + plan.found + [one.pk for one in plan.missing]
    assert len(set(touched)) == len(touched)
    after = applied(some, plan)
    assert Counter(one.row for one in after if not one.gone) == Counter(set(rows))
    assert not any(one.held for one in after if not one.gone)


@settings(max_examples=200)
@given(_STORED, _RECEIVED, st.randoms())
def test_the_same_answer_again_changes_nothing(some, rows, random):
    after = applied(some, plan_certificates(some, rows))
    random.shuffle(rows)
    assert plan_certificates(after, rows) == CertificatesPlan()


@settings(max_examples=200)
@given(_STORED, _RECEIVED)
def test_pairs_are_of_one_person_and_names_of_changes_fit(some, rows):
    for one in plan_certificates(some, rows).update:
        assert learner_identity(one.after) == one.learner
        for kind in one.kinds:
            before, after = difference(kind, one.before, one.after)
            assert before.keys() == after.keys()
            assert (before != after) is (kind != Kind.RETURNED)
