"""What the worker does without being asked: what is due, what was cut off, and what was lost."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from certdash import tasks
from certdash.models import App, SyncRun, User
from certdash.sync.asking import Scope
from certdash.sync.lease import LEASE
from certdash.sync.run import QUEUE_LEASE, claim, close, open_run, stop
from certdash.sync.schedule import Due, due_apps, open_due, open_due_runs, renew_waiting
from tests.sync.vendor import new_app, people, story

Status = SyncRun.Status
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
A_STORY = Scope(story="Story A")


def opened(now: datetime = NOW) -> list[tuple[str, Scope]]:
    return [(run.app.slug, Scope(run.story, tuple(run.users))) for run in open_due_runs(now)]


def is_cut_off(app: App, scope: Scope = Scope(), at: datetime = NOW, by: User | None = None) -> SyncRun:  # noqa: B008
    """A run whose process was told to end."""
    run, new = open_run(app, scope, by, clock=lambda: at)
    assert new
    claim(run, lambda: at)
    stop(run, lambda: at)
    return run


# -- Due --------------------------------------------------------------------------------------------------------


def test_every_app_that_is_due_is_opened_once(vendor):
    new_app("http://127.0.0.1:1", "other")
    assert opened() == [("demo", Scope()), ("other", Scope())]
    assert opened() == []


def test_what_was_due_while_no_worker_was_there_is_opened_when_one_is_back(vendor):
    vendor.sync(story(*people(1)), at=NOW)
    assert opened(NOW) == []
    assert opened(NOW + timedelta(days=40)) == [("demo", Scope())]


def test_what_another_process_did_since_the_look_is_not_done_twice(vendor):
    due = Due(vendor.app)
    assert due_apps(NOW) == [vendor.app]
    other = vendor.sync(story(*people(1)), at=NOW)
    assert open_due(due, NOW) is None
    assert list(SyncRun.objects.all()) == [other]


def test_what_another_process_does_now_is_left_to_it(vendor):
    other, _ = open_run(vendor.app, Scope())
    assert open_due(Due(vendor.app), timezone.now()) is None
    assert list(SyncRun.objects.under_way()) == [other]


@pytest.mark.django_db(transaction=True)
def test_an_app_that_was_deleted_since_the_look_does_not_cost_the_others():
    gone, other = new_app("http://127.0.0.1:1", "gone"), new_app("http://127.0.0.1:1", "other")
    runs = open_due_runs(NOW)
    due = Due(App.objects.get(pk=gone.pk))
    gone.delete()
    assert open_due(due, NOW) is None
    assert [run.app for run in runs] == [other]


@pytest.mark.django_db(transaction=True)
def test_an_app_that_is_deleted_during_the_look_does_not_cost_the_others():
    apps = [new_app("http://127.0.0.1:1", slug) for slug in ("first", "gone", "other")]
    runs = open_due_runs(NOW)
    assert next(runs).app == apps[0]
    apps[1].delete()
    assert [run.app for run in runs] == [apps[2]]


# -- Cut off ----------------------------------------------------------------------------------------------------


def test_a_run_that_was_cut_off_is_run_again_at_once_but_not_again_and_again(vendor):
    vendor.sync(story(*people(1)), at=NOW)
    is_cut_off(vendor.app)
    assert opened() == [("demo", Scope())]
    stop(SyncRun.objects.under_way().get(), lambda: NOW)
    assert opened() == []
    assert opened(NOW + timedelta(minutes=vendor.app.refresh_minutes)) == [("demo", Scope())]


def test_a_narrow_run_that_was_cut_off_is_run_again_as_it_was_asked_for(vendor):
    olivia = User.objects.create_user("olivia", "olivia@example.com")
    vendor.sync(story(*people(1)), at=NOW)
    is_cut_off(vendor.app, A_STORY, by=olivia)
    assert opened() == [("demo", A_STORY)]
    again = SyncRun.objects.under_way().get()
    assert again.requested_by == olivia
    stop(again, lambda: NOW)
    assert opened() == []


def test_a_narrow_run_that_was_cut_off_is_not_run_again_when_something_followed_it(vendor):
    vendor.sync(story(*people(1)), at=NOW)
    is_cut_off(vendor.app, A_STORY)
    vendor.sync(story(*people(1)), scope=Scope(story="Story B"), at=NOW)
    assert opened() == []


def test_where_both_are_wanted_the_whole_app_is_synchronised(vendor):
    is_cut_off(vendor.app, A_STORY)
    assert opened() == [("demo", Scope())]


def test_a_cut_off_run_of_another_kind_does_not_count_as_a_repetition(vendor):
    vendor.sync(story(*people(1)), at=NOW)
    is_cut_off(vendor.app, Scope(story="Story B"))
    is_cut_off(vendor.app, A_STORY)
    assert opened() == [("demo", A_STORY)]


# -- Lost -------------------------------------------------------------------------------------------------------


def test_a_run_that_waits_for_a_busy_worker_may_wait_on(vendor):
    run, _ = open_run(vendor.app, Scope(), clock=lambda: NOW)
    assert renew_waiting(NOW) == []  # a worker may be about to take it up
    later = NOW + QUEUE_LEASE - timedelta(seconds=1)
    assert renew_waiting(later) == [run]
    run.refresh_from_db()
    assert run.lease_until == later + QUEUE_LEASE
    assert renew_waiting(later + QUEUE_LEASE + timedelta(seconds=1)) == []  # over: it is closed and run again


def test_the_schedule_closes_every_run_whose_lease_is_over(vendor):
    """Also one of an app whose turn is far away."""
    vendor.sync(story(*people(1)))
    narrow, _ = open_run(vendor.app, A_STORY)
    claim(narrow, timezone.now)
    SyncRun.objects.under_way().update(lease_until=timezone.now() - LEASE)
    tasks.huey.flush()
    tasks.sync_due.call_local()
    narrow.refresh_from_db()
    assert narrow.status == Status.INTERRUPTED
    assert "ended before its work" in narrow.message
    again = SyncRun.objects.under_way().get()
    assert again.story == "Story A"
    assert [task.args for task in tasks.huey.pending()] == [(again.pk,)]
    tasks.huey.flush()
    close(again, Status.UNCHANGED, "", timezone.now)
