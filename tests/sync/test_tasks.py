"""Jobs of the queue: ids only, safe to run twice, and only asking `sync`."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from certdash import tasks
from certdash.models import SyncRun
from certdash.sync.asking import Scope
from certdash.sync.run import open_run
from certdash.sync.withdrawals import accept
from tests.falkor.vendors import success
from tests.sync.vendor import gone, live, people, story

Status = SyncRun.Status


@pytest.fixture(autouse=True)
def _empty_queue() -> Iterator[None]:
    tasks.huey.flush()
    yield
    tasks.huey.flush()


def queued() -> list[tuple[str, tuple[int, ...]]]:
    return [(task.name, task.args) for task in tasks.huey.pending()]


def test_a_job_does_the_run_that_was_opened_once(vendor):
    vendor.body = success(story(*people(2)))
    run, _ = open_run(vendor.app, Scope())
    tasks.sync_run.call_local(run.pk)
    tasks.sync_run.call_local(run.pk)
    run.refresh_from_db()
    assert (run.status, len(vendor.asked), live(vendor.app)) == (Status.SUCCESS, 1, {"001", "002"})


def test_a_job_about_a_run_that_is_gone_does_nothing(db):
    tasks.sync_run.call_local(12345)
    tasks.withdraw_held.call_local(12345)


def test_nothing_is_withdrawn_by_a_job_that_nobody_accepted(vendor):
    vendor.sync(story(*people(2)))
    held = vendor.sync()
    tasks.withdraw_held.call_local(held.pk)
    assert gone(vendor.app) == set()
    accept(held, None, timezone.now())
    tasks.withdraw_held.call_local(held.pk)
    tasks.withdraw_held.call_local(held.pk)
    assert gone(vendor.app) == {"001", "002"}
    held.refresh_from_db()
    assert held.withdrawn == 2


def test_once_a_minute_what_is_due_is_opened_and_queued_once(vendor):
    tasks.sync_due.call_local()
    tasks.sync_due.call_local()
    run = SyncRun.objects.get()
    assert queued() == [("sync_run", (run.pk,))]
    tasks.sync_run.call_local(run.pk)
    tasks.huey.flush()
    tasks.sync_due.call_local()
    assert queued() == []
    SyncRun.objects.update(requested_at=timezone.now() - timedelta(days=1))
    tasks.sync_due.call_local()
    assert len(queued()) == 1


def test_an_accepted_withdrawal_whose_job_was_lost_is_queued_again(vendor):
    vendor.sync(story(*people(2)))
    held = vendor.sync()
    accept(held, None, timezone.now())
    tasks.sync_due.call_local()
    assert queued() == [("withdraw_held", (held.pk,))]


def test_a_run_whose_job_was_lost_is_queued_again(vendor):
    run, _ = open_run(vendor.app, Scope())
    tasks.sync_due.call_local()
    assert queued() == []  # a worker may be about to take it up
    SyncRun.objects.update(requested_at=timezone.now() - timedelta(minutes=2))
    tasks.sync_due.call_local()
    assert queued() == [("sync_run", (run.pk,))]
    assert SyncRun.objects.count() == 1
