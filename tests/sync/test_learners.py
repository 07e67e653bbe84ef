"""What is known of a learner follows from all rows that are stored, whatever order they came in."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certdash.falkor import Row
from certdash.models import App, Certificate, Learner, Secret, SyncRun
from certdash.models.text import fold, sort_bytes
from certdash.sync.apply import Applier
from certdash.sync.learners import ROW
from certdash.sync.plan import learner_identity, plan_certificates
from certdash.sync.withdrawals import withdraw
from tests.falkor.vendors import row as wire
from tests.sync import made
from tests.sync.vendor import story


def told(learner: Learner) -> tuple[str, str, str, bytes]:
    return learner.name, learner.email, learner.search, bytes(learner.sort_name)


def recomputed(learner: Learner) -> tuple[str, str, str, bytes]:
    """What all stored rows of the learner tell, worked out the plain way."""
    rows = [Row(*values) for values in learner.certificates.values_list(*ROW)]
    newest = max(row.timestamp for row in rows)
    name, email, sort_name = min(
        (f"{row.firstname} {row.lastname}".strip(), row.email, sort_bytes(row.firstname, row.lastname, row.email))
        for row in rows
        if row.timestamp == newest
    )
    lines = {fold(f"{row.firstname} {row.lastname} {row.email}") for row in rows}
    return name, email, "\n".join(sorted(lines)), sort_name


def at(day: int, **person: Any) -> dict[str, Any]:
    certificate = {"timestamp": f"2026-03-{day:02d}T10:00:00+00:00", "url": f"https://c.example/{day}"}
    return wire(certificate=certificate, **person)


def test_the_newest_row_names_a_learner_and_every_row_finds_them(vendor):
    vendor.sync(story(at(2, lastname="Øst-Müller", email="One@mail.example"), at(1, lastname="Before")))
    learner = Learner.objects.get()
    assert (learner.name, learner.email) == ("User Øst-Müller", "One@mail.example")
    assert learner.search == "user before one@mail.example\nuser ost-muller one@mail.example"
    assert told(learner) == recomputed(learner)


def test_of_rows_of_one_moment_the_smaller_text_names(vendor):
    rows = [at(1, lastname="Zett"), at(1, lastname="Abel")]
    rows[1]["certificate"]["url"] = "another"
    vendor.sync(story(*rows))
    assert Learner.objects.get().name == "User Abel"


def test_a_name_that_no_row_tells_any_more_is_forgotten(vendor):
    vendor.sync(story(at(1), at(2, lastname="Married")))
    vendor.sync(story(at(1), at(2, lastname="Divorced")))
    learner = Learner.objects.get()
    assert learner.name == "User Divorced"
    assert "married" not in learner.search
    assert told(learner) == recomputed(learner)


def test_a_timestamp_that_goes_back_gives_the_name_back(vendor):
    older, newer = at(1, lastname="Older"), at(5, lastname="Newer")
    vendor.sync(story(older, newer))
    newer["certificate"]["timestamp"] = "2025-01-01T00:00:00Z"
    vendor.sync(story(older, newer))
    learner = Learner.objects.get()
    assert learner.name == "User Older"
    assert told(learner) == recomputed(learner)


def test_somebody_without_any_name_is_a_learner(vendor):
    vendor.sync(story(at(1, firstname="", lastname="", email="", telephone="", country="", city="")))
    learner = Learner.objects.get()
    assert told(learner) == recomputed(learner)
    assert (learner.name, learner.search) == ("", "")


_PERSON = st.sampled_from(
    [("Ada", "Lee", "a@x"), ("Ada", "LEE", "A@x "), ("Eda", "Lee", "a@X"), ("", "", "a@x"), ("A\tda", "Lée", "a@x")]
)
_ROWS = st.lists(
    st.builds(
        lambda person, on, url: made.row(on=on, url=url, firstname=person[0], lastname=person[1], email=person[2]),
        _PERSON,
        st.integers(0, 2),
        st.sampled_from(["u1", "u2", "u3"]),
    ),
    max_size=4,
)


@pytest.fixture
def applier(db: None) -> Applier:
    app = App.objects.create(slug="demo", name="Demo", base_url="http://127.0.0.1", token=Secret.seal("a:b"))
    run = SyncRun.objects.create(app=app, requested_at=made.MONDAY, lease_until=made.MONDAY)
    return Applier(run, lambda: made.MONDAY)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 1), _ROWS), min_size=1, max_size=5))
def test_the_order_of_syncs_means_nothing_to_what_is_known_of_a_learner(applier, steps):
    Certificate.objects.all().delete()
    Learner.objects.all().delete()
    applier.app.stories.all().delete()
    stories = [
        applier.app.stories.create(
            vendor_id=f"ID-{n}", identity=f"{n}", name="", first_seen_at=made.MONDAY, sort_name=b""
        )
        for n in range(2)
    ]
    for number, rows in steps:
        pk = stories[number].pk
        plan = plan_certificates(list(applier.stored_certificates(pk)), rows)
        applier.certificates(pk, plan, initial=True, whole=None)
        withdraw(applier, [one.pk for one in plan.missing])
    for learner in Learner.objects.all():
        assert told(learner) == recomputed(learner)
        assert learner.identity == learner_identity(made.row(email=learner.email))
