"""Jobs of the queue: ids only, safe to run twice, and only asking `sync`."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.utils import timezone
from pytest_httpserver import HTTPServer

from certdash import tasks
from certdash.models import App, SyncRun
from certdash.sync.asking import Scope
from certdash.sync.run import open_run, stop_all
from certdash.sync.withdrawals import accept
from tests.falkor.vendors import success
from tests.sync.vendor import Vendor, gone, live, new_app, people, story

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
    App.objects.update(aged_out_at=timezone.now())
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
    App.objects.update(aged_out_at=timezone.now())
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


def test_a_run_that_waits_is_in_the_queue_once_however_long(vendor):
    run, _ = open_run(vendor.app, Scope())
    SyncRun.objects.update(requested_at=timezone.now() - timedelta(minutes=2))
    for _minute in range(3):
        tasks.sync_due.call_local()
    assert queued() == [("sync_run", (run.pk,))]


def test_a_job_taken_while_the_worker_is_told_to_end_waits_for_the_next_one(vendor, monkeypatch):
    told = threading.Event()
    told.set()
    monkeypatch.setattr(tasks, "STOPPING", told)
    run, _ = open_run(vendor.app, Scope())
    tasks.sync_run.call_local(run.pk)
    assert queued() == [("sync_run", (run.pk,))]
    run.refresh_from_db()
    assert (run.phase, vendor.asked) == (SyncRun.Phase.QUEUED, [])


@pytest.fixture
def beside(transactional_db: None, httpserver: HTTPServer) -> Callable[[Callable[[], object]], Vendor]:
    """Return what makes a vendor during whose answers something happens on another connection."""

    def happens(work: Callable[[], object]) -> None:
        work()
        connection.close()

    def make(work: Callable[[], object]) -> Vendor:
        vendor = Vendor(httpserver, new_app(httpserver.url_for("")))
        vendor.body = success(story(*people(2)))
        vendor.meanwhile = lambda: happens(work)
        return vendor

    return make


def test_a_run_whose_app_is_deleted_while_it_runs_ends_quietly(beside):
    vendor = beside(lambda: App.objects.all().delete())
    run, _ = open_run(vendor.app, Scope())
    tasks.sync_run.call_local(run.pk)
    assert not SyncRun.objects.exists()


def test_a_database_that_is_away_costs_the_schedule_one_line(vendor, monkeypatch, caplog):
    def away(_clock: object) -> None:
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(tasks, "release_dead_runs", away)
    tasks.sync_due.call_local()
    assert [record.exc_info for record in caplog.records] == [None]
    assert "waits for its next minute: server closed the connection" in caplog.text


def test_runs_of_this_process_can_be_closed_while_their_vendor_is_silent(beside):
    vendor = beside(lambda: stop_all(timezone.now))
    run = vendor.again()
    assert run.status == Status.INTERRUPTED
    assert "told to end" in run.message
    assert live(vendor.app) == set()
    vendor.meanwhile = lambda: None
    assert vendor.again().created == 2
