"""One run of an app at a time, held by the database, and a run that died is completed by the next."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from certdash.models import App, Certificate, Group, SyncRun
from certdash.models.group import track_groups
from certdash.sync import answer as answer_module
from certdash.sync import bulk
from certdash.sync.apply import Applier, Bytes
from certdash.sync.asking import Scope
from certdash.sync.lease import LEASE, LeaseLost
from certdash.sync.run import QUEUE_LEASE, claim, execute, open_run, release_dead_runs, sync_app
from certdash.sync.schedule import due_apps
from certdash.sync.withdrawals import (
    accept,
    hold,
    put_out_of_scope,
    withdraw,
    withdraw_accepted,
    withdraw_stories,
)
from certdash.sync.work import Work
from tests.falkor.vendors import success
from tests.sync.vendor import Vendor, gone, live, new_app, people, story

Status = SyncRun.Status
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def at(moment: datetime) -> Callable[[], datetime]:
    return lambda: moment


@contextmanager
def thread(work: Callable[[], Any]) -> Iterator[None]:
    """Does work in another thread, with a database connection of its own, beside the block."""

    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        beside = pool.submit(run)
        yield
        beside.result(20)


# -- Opening ----------------------------------------------------------------------------------------------------


def test_a_run_under_way_is_joined_and_not_doubled(vendor):
    first, new = open_run(vendor.app, Scope())
    assert new
    assert open_run(vendor.app, Scope(story="Story A")) == (first, False)
    assert sync_app(vendor.app).pk == first.pk
    assert SyncRun.objects.count() == 1
    assert vendor.asked == []


def test_the_database_itself_refuses_a_second_one(vendor):
    open_run(vendor.app, Scope())
    with pytest.raises(IntegrityError), transaction.atomic():
        SyncRun.objects.create(app=vendor.app, requested_at=NOW, lease_until=NOW)


def test_another_app_is_not_in_the_way(vendor):
    open_run(vendor.app, Scope())
    assert open_run(new_app("http://127.0.0.1:1", "other"), Scope())[1]


def test_only_one_worker_does_an_opened_run(vendor):
    run, _ = open_run(vendor.app, Scope())
    assert claim(run, timezone.now)
    assert not claim(run, timezone.now)
    assert execute(run).status == Status.RUNNING
    assert vendor.asked == []


def test_a_run_that_ended_is_not_done_again(vendor):
    run = vendor.sync(story(*people(1)))
    assert execute(run).pk == run.pk
    assert len(vendor.asked) == 1


@pytest.mark.django_db(transaction=True)
def test_many_threads_open_one_run():
    app = new_app("http://127.0.0.1:1")
    opened: list[tuple[SyncRun, bool]] = []
    barrier = threading.Barrier(4)

    def open_one() -> None:
        barrier.wait(10)
        opened.append(open_run(app, Scope()))

    with thread(open_one), thread(open_one), thread(open_one):
        barrier.wait(10)
    assert len(opened) == 3
    assert [new for _, new in opened].count(True) == 1
    assert len({run.pk for run, _ in opened}) == 1


@pytest.mark.django_db(transaction=True)
def test_an_app_that_is_gone_is_an_error_and_no_endless_loop():
    app = new_app("http://127.0.0.1:1")
    App.objects.all().delete()
    with pytest.raises(App.DoesNotExist):
        open_run(app, Scope())


# -- Runs that died ---------------------------------------------------------------------------------------------


def test_a_run_whose_lease_is_over_is_interrupted_and_the_next_completes_it(vendor):
    dead, _ = open_run(vendor.app, Scope(), clock=at(NOW))
    claim(dead, at(NOW))
    assert not vendor.sync(story(*people(2)), at=NOW + LEASE).created  # not over yet: joined
    run = vendor.sync(story(*people(2)), at=NOW + LEASE + timedelta(seconds=1))
    dead.refresh_from_db()
    assert (dead.status, dead.finished_at) == (Status.INTERRUPTED, NOW + LEASE + timedelta(seconds=1))
    assert "next run completes it" in dead.message
    assert (run.status, run.created) == (Status.SUCCESS, 2)


def test_a_run_that_no_worker_took_up_says_so(vendor):
    queued, _ = open_run(vendor.app, Scope(), clock=at(NOW))
    release_dead_runs(at(NOW + QUEUE_LEASE + timedelta(seconds=1)), vendor.app)
    queued.refresh_from_db()
    assert queued.status == Status.INTERRUPTED
    assert "worker" in queued.message


def test_a_run_that_is_alive_keeps_its_lease_however_long_it_takes(vendor, monkeypatch):
    """The lease is renewed while an answer comes in and is written."""
    monkeypatch.setattr(bulk, "ROWS", 1)
    moments = iter(NOW + timedelta(minutes=minute) for minute in range(1000))
    vendor.body = success(*(story(*people(1), name=f"Story {n}") for n in range(20)))
    run = sync_app(vendor.app, clock=lambda: next(moments))
    assert run.status == Status.SUCCESS
    assert run.finished_at - run.started_at > 5 * LEASE


def dies_before(monkeypatch: pytest.MonkeyPatch, work: Callable[[SyncRun], None], story_number: int = 2) -> None:
    """Have something happen before the given story of the next answer is written."""
    real, calls = answer_module.plan_certificates, []

    def plan(*args: Any) -> Any:
        calls.append(args)
        if len(calls) == story_number:
            work(SyncRun.objects.under_way().get())
        return real(*args)

    monkeypatch.setattr(answer_module, "plan_certificates", plan)
    monkeypatch.setattr(bulk, "ROWS", 1)


THREE = [story(*people(3, first=10 * n), name=f"Story {n}", vendor_id=f"ID-{n}") for n in range(3)]


def test_a_run_that_lost_its_lease_writes_no_more(vendor, monkeypatch):
    dies_before(monkeypatch, lambda run: release_dead_runs(at(timezone.now() + 2 * LEASE), vendor.app))
    run = vendor.sync(*THREE)
    assert run.status == Status.INTERRUPTED
    assert live(vendor.app) == {"000", "001", "002"}
    assert run.created == 0  # what counts is what the closing knew
    monkeypatch.undo()
    assert (vendor.again().created, len(live(vendor.app))) == (6, 9)


def test_a_run_that_lost_its_lease_does_not_write_beside_the_one_that_took_over(vendor, monkeypatch):
    newer: list[SyncRun] = []

    def takes_over(old: SyncRun) -> None:
        SyncRun.objects.filter(pk=old.pk).update(lease_until=timezone.now() - LEASE)
        monkeypatch.undo()
        newer.append(vendor.sync(*THREE[:2]))

    dies_before(monkeypatch, takes_over)
    old = vendor.sync(*THREE)
    assert (old.status, newer[0].status) == (Status.INTERRUPTED, Status.SUCCESS)
    assert newer[0].pk > old.pk
    assert Certificate.objects.count() == 6
    assert old.finished_at <= newer[0].finished_at


def test_a_lost_lease_stops_every_kind_of_writing(vendor):
    vendor.sync(story(*people(2)))
    run = SyncRun.objects.get()
    pks = list(Certificate.objects.values_list("pk", flat=True))
    applier = Applier(run, timezone.now)
    for write in (
        lambda: withdraw(applier, pks),
        lambda: put_out_of_scope(applier, pks),
        lambda: hold(applier, pks),
        lambda: withdraw_stories(applier, [vendor.app.stories.get().pk]),
        lambda: applier.keep({vendor.app.stories.get().pk: Bytes("digest", 2, 0)}),
        applier.renew,
    ):
        with pytest.raises(LeaseLost):
            write()
    assert len(live(vendor.app)) == 2
    assert not vendor.app.stories.exclude(withdrawn_at=None).exists()


# -- Beside each other, on connections of their own -------------------------------------------------------------


@pytest.fixture
def real_vendor(transactional_db: None, httpserver: Any) -> Vendor:
    """A vendor whose app's rows are committed, for threads to see."""
    return Vendor(httpserver, new_app(httpserver.url_for("")))


def test_a_run_is_committed_before_the_first_byte_is_asked_for(real_vendor):
    seen: list[tuple[str, str]] = []

    def look() -> None:
        seen.extend(SyncRun.objects.values_list("status", "phase"))
        connection.close()

    real_vendor.meanwhile = look
    real_vendor.sync(story(*people(1)))
    assert seen == [("running", "asking")]


def test_an_acceptance_beside_a_sync_ends_both(real_vendor):
    real_vendor.sync(story(*people(1200)))
    held = real_vendor.sync(story(*people(200)))
    assert held.status == Status.HELD
    accept(held, None, timezone.now())
    held.refresh_from_db()
    with thread(lambda: withdraw_accepted(held, timezone.now)):
        run = real_vendor.sync(story(*people(1200)))
    assert run.status in (Status.SUCCESS, Status.UNCHANGED)
    final = real_vendor.again()
    assert final.status in (Status.SUCCESS, Status.UNCHANGED)
    assert len(live(real_vendor.app)) == 1200
    assert gone(real_vendor.app) == set()


def test_groups_are_tracked_beside_a_sync(real_vendor):
    names = [f"Group {number}" for number in range(8)]
    track_groups(real_vendor.app, names)
    real_vendor.groups = dict.fromkeys(names, success(story(*people(20))))

    def retrack() -> None:
        for _ in range(10):
            track_groups(real_vendor.app, names)

    with thread(retrack):
        assert real_vendor.sync(story(*people(20))).status == Status.SUCCESS
    assert Group.objects.filter(tracked=True).count() == 8


def test_an_app_saved_from_an_old_form_does_not_set_its_version_back(vendor):
    form = App.objects.get(pk=vendor.app.pk)
    vendor.sync(story(*people(1)))
    version = App.objects.get(pk=vendor.app.pk).version
    form.name = "Another name"
    form.save()
    stored = App.objects.get(pk=vendor.app.pk)
    assert (stored.name, stored.version) == ("Another name", version)


# -- What is due ------------------------------------------------------------------------------------------------


def test_an_app_is_due_when_its_interval_is_over_and_nothing_runs(vendor):
    minutes = timedelta(minutes=vendor.app.refresh_minutes)
    assert due_apps(NOW) == [vendor.app]
    vendor.sync(story(*people(1)), at=NOW)
    assert due_apps(NOW + minutes - timedelta(seconds=1)) == []
    assert due_apps(NOW + minutes) == [vendor.app]
    vendor.sync(story(*people(1)), scope=Scope(story="Story A"), at=NOW + minutes)
    assert due_apps(NOW + minutes) == [vendor.app]  # a narrow run says nothing of the rest
    open_run(vendor.app, Scope(), clock=at(NOW + minutes))
    assert due_apps(NOW + minutes) == []
    assert due_apps(NOW + 3 * minutes) == [vendor.app]  # that one died


def test_a_failed_app_is_tried_again_after_its_interval(vendor):
    vendor.body = b"<html>"
    vendor.again(at=NOW)
    minutes = timedelta(minutes=vendor.app.refresh_minutes)
    assert (due_apps(NOW), due_apps(NOW + minutes)) == ([], [vendor.app])


def test_a_run_is_closed_also_when_what_ended_it_took_the_connection_along(real_vendor, monkeypatch):
    def told_to_end(*_: Any) -> None:
        if connection.vendor == "postgresql":  # SQLite has none that a query could lose
            connection.connection.close()
        raise KeyboardInterrupt

    monkeypatch.setattr(Work, "do", told_to_end)
    with pytest.raises(KeyboardInterrupt):
        real_vendor.sync(story(*people(1)))
    run = SyncRun.objects.get()
    assert run.status == Status.INTERRUPTED
    assert "was told to end" in run.message
