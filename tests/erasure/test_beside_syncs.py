"""Erasures and lifts while a sync runs."""

import threading

import pytest
from django.db import connection
from django.utils import timezone

from certdash.models import Certificate, Erasure, Learner, Membership, SyncRun
from certdash.sync import answer as answer_module
from certdash.sync import bulk, groups
from certdash.sync.erasing import erase, lift
from tests.erasure.canary import canary, hits_in_tables, the_canary
from tests.falkor.vendors import success
from tests.sync.vendor import live, people, story

Status = SyncRun.Status


def erased_after(monkeypatch, step, and_lifted=False):
    """Erase the canary, on another connection, as soon as a step of the sync was done once."""
    real, done = getattr(*step), []

    def stepped(*arguments, **named):
        result = real(*arguments, **named)
        if not done:
            done.append(True)
            thread = threading.Thread(target=_erase_and_close, args=(and_lifted,))
            thread.start()
            thread.join(30)
            assert not thread.is_alive()
        return result

    monkeypatch.setattr(*step, stepped)


def _erase_and_close(and_lifted):
    erase(the_canary(), None, timezone.now())
    if and_lifted:
        lift(Erasure.objects.get())
    connection.close()


BESIDE = {
    "news": [canary(), canary(number=2)],
    "a change": [canary(lastname="Zwitscherfrau")],
    "nothing new": [canary()],
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("what", BESIDE)
def test_a_sync_that_had_planned_with_the_learners_rows_does_not_bring_them_back(what, vendor, monkeypatch):
    vendor.sync(story(canary(), *people(3)))
    erased_after(monkeypatch, (answer_module, "plan_certificates"))
    vendor.groups["Sales"] = success(story(canary(), *people(2)))
    run = vendor.sync(story(*BESIDE[what], *people(5)))
    assert (run.status, run.created, run.joined) == (Status.SUCCESS, 2, 2)
    assert hits_in_tables() == set()
    assert (vendor.again().status, vendor.again().left_out) == (Status.UNCHANGED, len(BESIDE[what]))


@pytest.mark.django_db(transaction=True)
def test_an_erasure_while_a_group_is_taken_lets_nobody_join_who_is_gone(vendor, monkeypatch):
    vendor.sync(story(canary(), *people(3)))
    erased_after(monkeypatch, (groups, "learner_pks"))
    vendor.groups["Sales"] = success(story(canary(), *people(2)))
    assert vendor.again().joined == 2
    assert hits_in_tables() == set()


@pytest.mark.django_db(transaction=True)
def test_many_erasures_beside_syncs_leave_the_truth_minus_the_erased(vendor, monkeypatch):
    monkeypatch.setattr(bulk, "PART", 3)
    monkeypatch.setattr(bulk, "ROWS", 3)
    vendor.groups["Sales"] = success(story(*people(20)))
    vendor.sync(story(*people(40)))
    failed: list[BaseException] = []

    def erase_some():
        try:
            for number in range(1, 41, 4):
                erase(Learner.objects.get(email=f"ann{number:03d}@mail.example"), None, timezone.now())
        except BaseException as error:
            failed.append(error)
            raise
        finally:
            connection.close()

    thread = threading.Thread(target=erase_some)
    thread.start()
    for number in range(6):
        assert vendor.sync(story(*people(40, city=f"City {number}"))).status in (Status.SUCCESS, Status.UNCHANGED)
    thread.join(60)
    assert (failed, thread.is_alive()) == ([], False)
    run = vendor.again()
    assert (run.left_out, len(live(vendor.app)), Learner.objects.count()) == (10, 30, 30)
    assert Membership.objects.filter(until=None).count() == 15


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("lifted", ["after the run", "in the run"])
@pytest.mark.parametrize("what", BESIDE)
def test_an_erasure_in_a_run_that_is_lifted_before_the_next_brings_the_rows_back(what, lifted, vendor, monkeypatch):
    vendor.sync(story(canary(), *people(3)))
    erased_after(monkeypatch, (answer_module, "plan_certificates"), and_lifted=lifted == "in the run")
    vendor.groups["Sales"] = success(story(canary(), *people(2)))
    vendor.sync(story(*BESIDE[what], *people(5)))
    for erasure in Erasure.objects.all():
        lift(erasure)
    vendor.again()
    assert Certificate.objects.live().count() == 5 + len(BESIDE[what])
    assert Membership.objects.filter(until=None).count() == 3


@pytest.mark.django_db(transaction=True)
def test_a_member_who_is_erased_in_a_run_and_lifted_before_the_next_joins_again(vendor, monkeypatch):
    vendor.sync(story(canary(), *people(3)))
    erased_after(monkeypatch, (groups, "learner_pks"))
    vendor.groups["Sales"] = success(story(canary(), *people(2)))
    vendor.again()
    lift(Erasure.objects.get())
    vendor.again()
    assert (Certificate.objects.live().count(), Membership.objects.filter(until=None).count()) == (4, 3)


def test_a_lift_while_a_sync_runs_is_not_forgotten(vendor, monkeypatch):
    vendor.sync(story(canary(), *people(2)))
    erase(the_canary(), None, timezone.now())
    vendor.meanwhile = lambda: None
    real = answer_module.plan_certificates

    def plan(*arguments):
        for erasure in Erasure.objects.all():
            lift(erasure)
        return real(*arguments)

    monkeypatch.setattr(answer_module, "plan_certificates", plan)
    vendor.again()
    assert vendor.again().created == 1
