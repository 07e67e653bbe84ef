"""What is older than it is kept goes, and nothing that a sync still needs."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.utils import timezone

from certdash.models import App, Certificate, Change, Learner, Membership, Rejection, SyncRun
from certdash.models.group import track_groups
from certdash.sync.asking import Scope
from certdash.sync.lease import STOPPING
from certdash.sync.retention import age_out, apps_to_age_out
from certdash.sync.run import open_run
from certdash.sync.withdrawals import accept
from certdash.tasks import forget_daily, huey, remove_old, sync_due
from tests.falkor.vendors import row, success
from tests.sync.vendor import Vendor, gone, live, people, story

Status = SyncRun.Status
NOW = timezone.now()
KEPT = timedelta(days=730)
LONG_AGO, LATELY = NOW - KEPT - timedelta(hours=1), NOW - KEPT + timedelta(hours=1)


def keeping(vendor: Vendor) -> Vendor:
    """The vendor's app after a run now, so that those before it are not the last."""
    vendor.again(at=NOW)
    age_out(vendor.app, NOW)
    return vendor


def test_what_was_withdrawn_long_ago_goes_with_its_history_and_its_learner(vendor):
    vendor.sync(story(*people(3)), at=LONG_AGO - timedelta(days=2))
    vendor.sync(story(*people(2)), at=LONG_AGO)
    vendor.sync(story(*people(1)), at=LATELY)
    keeping(vendor)
    assert (live(vendor.app), gone(vendor.app)) == ({"001"}, {"002"})
    assert set(Learner.objects.values_list("email", flat=True)) == {"ann001@mail.example", "ann002@mail.example"}
    assert Change.objects.filter(kind="withdrawn").count() == 1


def test_the_days_are_a_setting(vendor, settings):
    settings.KEEP_DAYS = 30
    vendor.sync(story(*people(2)), at=NOW - timedelta(days=32))
    vendor.sync(story(*people(1)), at=NOW - timedelta(days=31))
    keeping(vendor)
    assert gone(vendor.app) == set()


def test_what_is_live_stays_however_old_and_a_digest_still_holds(vendor):
    vendor.sync(story(*people(3)), at=LONG_AGO - timedelta(days=900))
    vendor.sync(story(*people(2)), at=LONG_AGO)
    vendor.sync(story(*people(2)), at=LONG_AGO + timedelta(minutes=1))
    digest = vendor.app.stories.get().digest
    keeping(vendor)
    assert live(vendor.app) == {"001", "002"}
    assert vendor.app.stories.get().digest == digest != ""
    assert vendor.again().status == Status.UNCHANGED


def test_what_went_comes_back_as_new_when_the_vendor_names_it_again(vendor):
    vendor.sync(story(*people(3)), at=LONG_AGO - timedelta(days=1))
    vendor.sync(story(*people(2)), at=LONG_AGO)
    keeping(vendor)
    assert vendor.sync(story(*people(3))).created == 1
    assert live(vendor.app) == {"001", "002", "003"}


def test_a_learner_goes_by_the_names_of_what_is_left(vendor):
    old = people(1)[0]
    new = old | {"lastname": "Married", "certificate": old["certificate"] | {"url": "https://c.example/new"}}
    vendor.sync(story(old, new), at=LONG_AGO - timedelta(days=1))
    vendor.sync(story(new), at=LONG_AGO)
    assert "001" in Learner.objects.get().search.split("\n")[0]
    keeping(vendor)
    assert Learner.objects.get().search == "ann married ann001@mail.example"


def test_what_is_out_of_scope_for_long_goes_too(vendor):
    vendor.sync(story(*people(2)), story(*people(1), name="Story B", vendor_id="ID-B"), at=LONG_AGO)
    App.objects.update(breadth="stories", listed_stories=["Story A"])
    vendor.app.refresh_from_db()
    run = vendor.sync(story(*people(2)), at=LONG_AGO + timedelta(minutes=1))
    assert run.out_of_scope == 1
    keeping(vendor)
    assert Certificate.objects.filter(story__name="Story B").count() == 0
    assert Certificate.objects.count() == 2


def test_ended_memberships_go_and_open_ones_stay(vendor):
    track_groups(vendor.app, ["Sales"])
    vendor.groups["Sales"] = success(story(*people(3)))
    vendor.sync(story(*people(3)), at=LONG_AGO - timedelta(days=1))
    vendor.groups["Sales"] = success(story(*people(2)))
    vendor.sync(story(*people(3)), at=LONG_AGO)
    keeping(vendor)
    assert list(Membership.objects.order_by("learner__email").values_list("learner__email", "until")) == [
        ("ann001@mail.example", None),
        ("ann002@mail.example", None),
    ]


def test_nobody_stays_for_a_group_that_is_no_longer_tracked(vendor):
    track_groups(vendor.app, ["Sales", "Board"])
    vendor.groups |= {"Sales": success(story(*people(3))), "Board": success(story(*people(1)))}
    vendor.sync(story(*people(3)), at=LONG_AGO - timedelta(days=1))
    track_groups(vendor.app, ["Board"])
    assert not Membership.objects.filter(group__name="Sales", until=None).exists()
    vendor.sync(story(*people(1)), at=LONG_AGO)
    keeping(vendor)
    assert Learner.objects.get().email == "ann001@mail.example"


def test_nobody_stays_who_left_the_last_group_after_their_certificates_went(vendor):
    track_groups(vendor.app, ["Sales"])
    vendor.groups["Sales"] = success(story(*people(3)))
    vendor.sync(story(*people(3)), at=LONG_AGO - timedelta(days=1))
    vendor.sync(story(*people(1)), at=LONG_AGO)
    keeping(vendor)
    assert Learner.objects.count() == 3
    vendor.groups["Sales"] = success(story(*people(1)))
    vendor.sync(story(*people(1)), at=NOW)
    age_out(vendor.app, NOW)
    assert Learner.objects.get().email == "ann001@mail.example"


def test_who_is_in_a_group_is_known_again_when_it_is_tracked_again(vendor):
    track_groups(vendor.app, ["Sales"])
    vendor.groups["Sales"] = success(story(*people(3)))
    vendor.sync(story(*people(3)), at=LONG_AGO)
    track_groups(vendor.app, [])
    track_groups(vendor.app, ["Sales"])
    vendor.again(at=NOW)
    assert Membership.objects.filter(until=None).count() == 3


# -- Reports of runs --------------------------------------------------------------------------------------------


def test_old_reports_go_with_the_rows_they_set_aside_and_the_history_stays(vendor):
    first = vendor.sync(story(*people(2)), at=LONG_AGO - timedelta(days=3))
    bad = vendor.sync(story(*people(2), row(certificate={"timestamp": "soon"})), at=LONG_AGO - timedelta(days=2))
    changed = vendor.sync(story(*people(2, city="Leeds")), at=LONG_AGO - timedelta(days=1))
    assert bad.rejections.exists()
    vendor.sync(story(*people(3, city="Leeds")), at=LATELY)
    vendor.sync(story(*people(3, city="Leeds"), row(certificate={"timestamp": "soon"})), at=LATELY)
    keeping(vendor)
    left = set(SyncRun.objects.values_list("pk", flat=True))
    assert not left & {first.pk, bad.pk, changed.pk}
    assert len(left) == 3
    assert not Rejection.objects.filter(run=bad).exists()
    assert set(Change.objects.values_list("run", "kind")) == {(None, "details")}
    assert set(Certificate.objects.order_by("pk").values_list("first_run", flat=True)[:2]) == {None}
    assert Certificate.objects.get(lastname="003").first_run is not None


def test_a_first_run_that_is_gone_does_not_turn_the_next_one_into_a_first(vendor):
    vendor.sync(story(*people(2)), at=LONG_AGO - timedelta(days=2))
    vendor.sync(story(*people(2, city="Leeds")), at=LONG_AGO)
    age_out(vendor.app, NOW)
    assert vendor.sync(story(*people(3, city="Leeds"))).initial is False
    assert Certificate.objects.get(lastname="003").initial is False


def test_a_lack_is_measured_by_the_last_settled_run_however_old(vendor):
    vendor.sync(story(*people(100)), at=LONG_AGO)
    held = vendor.sync(story(*people(50)), at=LONG_AGO + timedelta(minutes=1))
    age_out(vendor.app, NOW)
    assert SyncRun.objects.filter(status=Status.SUCCESS).exists()
    assert SyncRun.objects.filter(pk=held.pk).exists()
    again = vendor.sync(story(*people(50), *people(400, first=201)), at=NOW)
    assert (again.status, again.missing) == (Status.HELD, 50)


def test_a_held_run_stays_as_long_as_an_owner_can_decide_on_it(vendor):
    vendor.sync(story(*people(100)), at=LONG_AGO)
    first = vendor.sync(story(*people(50)), at=LONG_AGO + timedelta(minutes=1))
    vendor.sync(story(*people(50)), scope=Scope(story="Story A"), at=LONG_AGO + timedelta(minutes=2))
    age_out(vendor.app, NOW)
    assert accept(SyncRun.objects.get(pk=first.pk), None, NOW)


def test_an_accepted_run_that_settled_things_stays_as_the_last_one(vendor):
    vendor.sync(story(*people(100)), at=LONG_AGO)
    accepted = vendor.sync(story(*people(50)), at=LONG_AGO + timedelta(minutes=1))
    SyncRun.objects.filter(pk=accepted.pk).update(accepted_at=LONG_AGO + timedelta(minutes=2))
    Certificate.objects.update(missing_in=None)
    vendor.sync(story(*people(20)), at=LONG_AGO + timedelta(minutes=3))
    age_out(vendor.app, NOW)
    assert SyncRun.objects.full().settled().first() == accepted


def test_reports_that_name_somebody_do_not_stay_for_being_the_last_of_their_kind(vendor):
    vendor.sync(story(*people(2)), at=LONG_AGO)
    vendor.sync(story(*people(1)), scope=Scope(users=("ann001@mail.example",)), at=LONG_AGO)
    keeping(vendor)
    assert not SyncRun.objects.exclude(users=[]).exists()


# -- When -------------------------------------------------------------------------------------------------------


@pytest.fixture
def with_old(vendor: Vendor) -> Vendor:
    vendor.sync(story(*people(3)), at=LONG_AGO - timedelta(days=1))
    vendor.sync(story(*people(2)), at=LONG_AGO)
    vendor.again(at=NOW)
    return vendor


def test_nothing_goes_while_the_app_is_synchronised(with_old):
    open_run(with_old.app, Scope())
    age_out(with_old.app, NOW)
    assert gone(with_old.app) == {"003"}


def test_nothing_goes_any_more_once_the_worker_is_told_to_end(with_old):
    STOPPING.set()
    try:
        age_out(with_old.app, NOW)
    finally:
        STOPPING.clear()
    assert gone(with_old.app) == {"003"}


def test_sessions_that_are_over_go_with_it(with_old):
    for days in (-1, 1):
        session = SessionStore()
        session.set_expiry(timezone.now() + timedelta(days=days))
        session.save()
    forget_daily.call_local()
    assert Session.objects.get().session_key == session.session_key


def due(moment: datetime) -> list[App]:
    return list(apps_to_age_out(moment))


def test_it_is_due_once_a_day_and_not_while_the_app_is_synchronised(with_old):
    assert due(NOW) == [with_old.app]
    age_out(with_old.app, NOW)
    assert gone(with_old.app) == set()
    assert (due(NOW + timedelta(hours=23)), due(NOW + timedelta(hours=25))) == ([], [with_old.app])
    open_run(with_old.app, Scope())
    assert due(NOW + timedelta(hours=25)) == []


def test_what_was_cut_off_is_due_still(with_old):
    run, _ = open_run(with_old.app, Scope())
    age_out(with_old.app, NOW)
    run.delete()
    assert due(NOW) == [with_old.app]


def test_the_worker_does_it_for_every_app_that_is_due(with_old):
    SyncRun.objects.update(requested_at=timezone.now())  # no sync is due
    huey.flush()
    sync_due.call_local()
    sync_due.call_local()
    (waiting,) = huey.pending()
    assert (waiting.args, isinstance(waiting, remove_old.task_class)) == ((with_old.app.pk,), True)
    remove_old.call_local(*waiting.args)
    huey.flush()
    sync_due.call_local()
    assert huey.pending() == []


def test_the_rest_of_what_is_old_is_forgotten_once_a_day():
    moments = [datetime(2026, 5, 3, hour, minute, tzinfo=UTC) for hour in range(24) for minute in range(60)]
    assert sum(forget_daily.task_class.validate_datetime(None, moment) for moment in moments) == 1
