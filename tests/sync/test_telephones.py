"""Telephones that are not stored: gone at once, gone for good, and nothing is lost or doubled by it."""

import threading
from collections import Counter
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer

from certdash import tasks
from certdash.models import App, AuditEntry, Certificate, Change, Learner, Membership, Role, SyncRun
from certdash.sync import answer as answer_module
from certdash.sync import bulk
from certdash.sync.asking import Scope
from certdash.sync.erasing import erase, lift
from certdash.sync.lease import STOPPING
from certdash.sync.telephones import clear_telephones, forget_telephones, store_telephones
from tests import world
from tests.falkor.vendors import row, success
from tests.prove.driver import rolled_back
from tests.sync.vendor import Vendor, new_app, people, story

Status = SyncRun.Status


@pytest.fixture(autouse=True)
def _empty_queue() -> Iterator[None]:
    tasks.huey.flush()
    yield
    tasks.huey.flush()
    STOPPING.clear()


def cy(telephone: str, number: int = 1, **changes: Any) -> dict[str, Any]:
    """Somebody without an e-mail address, whom only the telephone tells apart."""
    certificate = {"url": f"https://c.example/cy{number}"}
    return row(firstname="Cy", lastname="Doe", email="", telephone=telephone, certificate=certificate, **changes)


def telephones() -> Counter[str]:
    return Counter(Certificate.objects.live().values_list("telephone", flat=True))


def switch_off(app: App) -> None:
    forget_telephones(app)
    clear_telephones(app)


def do_what_is_queued() -> None:
    for job in tasks.huey.pending():
        if isinstance(job, tasks.remove_telephones.task_class):
            tasks.remove_telephones.call_local(*job.args)


def test_switched_off_they_are_gone_from_rows_and_history(vendor):
    vendor.sync(story(*people(2, telephone="555-1"), cy("555-2")))
    vendor.sync(story(*people(1, telephone="555-3"), *people(1, first=2, telephone="555-3", city="Leeds"), cy("555-2")))
    switch_off(vendor.app)
    assert telephones() == {"": 3}
    assert list(Change.objects.values_list("before", "after")) == [({"city": "London"}, {"city": "Leeds"})]


def test_later_syncs_store_none_and_a_change_of_a_telephone_is_none(vendor):
    vendor.sync(story(*people(2, telephone="555-1")))
    switch_off(vendor.app)
    assert vendor.again().status == Status.UNCHANGED
    assert vendor.sync(story(*people(2, telephone="555-9"))).status == Status.UNCHANGED
    run = vendor.sync(story(*people(1, telephone="555-9"), *people(2, first=2, telephone="555-9", city="Leeds")))
    assert (run.created, run.changed) == (1, 1)
    assert "telephone" not in str(list(Change.objects.values_list("before", "after")))
    assert telephones() == {"": 3}


def test_switched_on_again_the_next_sync_fills_them_in(vendor):
    rows = *people(2, telephone="555-1"), cy("555-2")
    vendor.sync(story(*rows))
    switch_off(vendor.app)
    vendor.again()
    store_telephones(vendor.app)
    run = vendor.again()
    assert (run.status, run.created, run.changed, run.withdrawn) == (Status.SUCCESS, 0, 3, 0)
    assert telephones() == {"555-1": 2, "555-2": 1}
    assert vendor.again().status == Status.UNCHANGED


def test_switched_off_and_on_twice_they_are_filled_in_again(vendor):
    vendor.sync(story(*people(2, telephone="555-1")))
    switch_off(vendor.app)
    store_telephones(vendor.app)
    vendor.again()
    switch_off(vendor.app)  # and on again before a sync could have seen it
    store_telephones(vendor.app)
    vendor.again()
    assert telephones() == {"555-1": 2}


def test_what_comes_back_behind_a_removal_is_removed_by_the_next(vendor, monkeypatch):
    monkeypatch.setattr(bulk, "PART", 2)
    vendor.sync(story(*people(5, telephone="555-1")))
    forget_telephones(vendor.app)

    def on_and_off() -> None:
        monkeypatch.setattr(bulk, "let_others_write", lambda: None)
        store_telephones(vendor.app)
        vendor.again()
        forget_telephones(vendor.app)

    monkeypatch.setattr(bulk, "let_others_write", on_and_off)
    clear_telephones(App.objects.get())
    assert telephones() == {"": 3, "555-1": 2}
    assert App.objects.get().telephones_left
    clear_telephones(App.objects.get())
    assert telephones() == {"": 5}
    assert not App.objects.get().telephones_left


def test_whom_only_a_telephone_told_apart_is_one_learner_then_and_stays_one(vendor):
    vendor.groups["Sales"] = success(story(cy("1"), cy("2", 2)))
    vendor.app = new_app(vendor.app.base_url, "with-group", groups=["Sales"])
    rows = cy("1"), cy("2", 2)
    vendor.sync(story(*rows))
    first = Learner.objects.order_by("pk").first()
    assert (Learner.objects.count(), Membership.objects.count()) == (2, 2)
    switch_off(vendor.app)
    assert Learner.objects.get() == first
    assert Certificate.objects.filter(learner=first).count() == 2
    assert Membership.objects.filter(until=None).count() == 1
    assert vendor.again().status == Status.UNCHANGED
    store_telephones(vendor.app)
    run = vendor.again()
    assert (run.created, run.changed, run.joined, run.left) == (0, 2, 0, 0)
    assert (telephones(), Learner.objects.count()) == ({"1": 1, "2": 1}, 1)


def test_what_only_a_telephone_told_apart_is_one_certificate_then_and_two_again(vendor):
    rows = cy("1"), cy("2")
    vendor.sync(story(*rows))
    switch_off(vendor.app)
    run = vendor.again()
    assert (run.created, run.withdrawn) == (0, 1)
    store_telephones(vendor.app)
    run = vendor.again()
    assert (run.created, run.returned, run.withdrawn) == (0, 1, 0)
    assert (telephones(), Certificate.objects.count()) == ({"1": 1, "2": 1}, 2)


def test_who_was_erased_stays_erased_whatever_telephones_mean(vendor):
    vendor.sync(story(cy("1"), cy("2", 2)))
    erase(Certificate.objects.get(telephone="1").learner, None, timezone.now())
    switch_off(vendor.app)
    run = vendor.again()
    assert (run.left_out, list(Certificate.objects.values_list("url", flat=True))) == (1, ["https://c.example/cy2"])
    erase(Learner.objects.get(), None, timezone.now())
    store_telephones(vendor.app)
    assert vendor.sync(story(cy("1"), cy("2", 2), cy("3", 3))).left_out == 3
    assert not Certificate.objects.exists()


def test_a_switch_beside_a_run_stops_it_and_the_next_one_completes_it(vendor, monkeypatch):
    vendor.sync(story(*people(2, telephone="555-1")))
    real = answer_module.plan_certificates

    def plan(*arguments: Any) -> Any:
        switch_off(type(vendor.app).objects.get(pk=vendor.app.pk))
        monkeypatch.undo()
        return real(*arguments)

    monkeypatch.setattr(answer_module, "plan_certificates", plan)
    run = vendor.sync(story(*people(4, telephone="555-1")))
    assert run.status == Status.INTERRUPTED
    assert "Storing of telephones was switched" in run.message
    assert vendor.again().created == 2
    assert telephones() == {"": 4}


@pytest.mark.django_db(transaction=True)
def test_switches_beside_syncs_leave_no_telephone(httpserver: HTTPServer):
    vendor = Vendor(httpserver, new_app(httpserver.url_for("")))
    vendor.sync(story(*people(30, telephone="555-1"), cy("1"), cy("2", 2)))

    def switch() -> None:
        app = type(vendor.app).objects.get(pk=vendor.app.pk)
        for _ in range(3):
            store_telephones(app)
            switch_off(app)
        connection.close()

    thread = threading.Thread(target=switch)
    thread.start()
    for number in range(5):
        vendor.sync(story(*people(30, telephone=f"555-{number}", city=f"City {number}"), cy("1"), cy("2", 2)))
    thread.join(60)
    assert not thread.is_alive()
    vendor.again()
    assert (telephones(), Learner.objects.count()) == ({"": 32}, 31)


def test_what_a_worker_had_no_time_to_remove_goes_with_the_next_minute(vendor, monkeypatch):
    monkeypatch.setattr(bulk, "PART", 2)
    vendor.sync(story(*people(5, telephone="555-1")))
    forget_telephones(vendor.app)
    monkeypatch.setattr(bulk, "let_others_write", STOPPING.set)
    clear_telephones(vendor.app)
    assert telephones() == {"": 2, "555-1": 3}
    monkeypatch.undo()
    STOPPING.clear()
    tasks.sync_due.call_local()
    do_what_is_queued()
    assert telephones() == {"": 5}
    assert not App.objects.get().telephones_left


def test_switched_on_again_nothing_more_is_removed(vendor, monkeypatch):
    monkeypatch.setattr(bulk, "PART", 2)
    vendor.sync(story(*people(5, telephone="555-1")))
    forget_telephones(vendor.app)
    monkeypatch.setattr(bulk, "let_others_write", lambda: store_telephones(vendor.app))
    clear_telephones(App.objects.get())
    assert telephones() == {"": 2, "555-1": 3}
    assert vendor.again().changed == 2
    assert telephones() == {"555-1": 5}


def test_an_owner_switches_them_on_a_page_and_it_is_written_down(vendor, client):
    vendor.sync(story(*people(2, telephone="555-1")))
    client.force_login(world.make_user("olivia", vendor.app, Role.OWNER))
    page = client.post("/apps/demo/privacy/", {"telephones": "off"}, follow=True).content.decode()
    assert "Telephones that were stored are being removed" in page
    do_what_is_queued()
    assert "No telephone of this app is stored" in client.get("/apps/demo/privacy/").content.decode()
    assert telephones() == {"": 2}
    file = b"".join(client.get("/certificates/?_export=csv").streaming_content).decode()
    assert ",telephone," in file
    assert "555" not in file
    client.post("/apps/demo/privacy/", {"telephones": "on"})
    client.post("/apps/demo/privacy/", {"telephones": "on"})
    noted = AuditEntry.objects.filter(kind="telephones").order_by("pk").values_list("details", flat=True)
    assert list(noted) == [{"stored": False}, {"stored": True}]


# -- Whatever happens, in whatever order ------------------------------------------------------------------------

WHO = [("ann@mail.example", "1"), ("bo@mail.example", ""), ("", "1"), ("", "2"), ("", "")]
one_row = st.tuples(st.integers(0, 4), st.sampled_from(["pending", "delivered"]), st.integers(1, 3))
steps = st.lists(
    st.one_of(
        st.lists(one_row, max_size=8).map(lambda rows: ("vendor", rows)),
        st.just(("off", None)),
        st.just(("on", None)),
        st.integers(0, 9).map(lambda which: ("erase", which)),
        st.just(("lift", None)),
        st.just(("narrow", None)),
        st.just(("sync", None)),
    ),
    min_size=3,
    max_size=12,
)
numbers = count()


def wire(who: int, state: str, number: int) -> dict[str, Any]:
    email, telephone = WHO[who]
    certificate = {"state": state, "url": f"https://c.example/{number}"}
    return row(email=email, telephone=telephone, certificate=certificate)


class Play:
    """A vendor's truth, switches and erasures, and what must be stored after each full sync."""

    def __init__(self, vendor: Vendor) -> None:
        self.vendor, self.rows = vendor, []
        self.erased: list[tuple[Any, Any]] = []  # erasure, and whether it covers an e-mail and telephone

    def do(self, what: str, with_: Any) -> None:
        app = self.vendor.app
        if what == "vendor":
            self.rows = with_
        elif what in ("off", "on"):
            (switch_off if what == "off" else store_telephones)(app)
        elif what == "narrow":
            named = [one for one in self.rows if one[0] == 0]
            self.vendor.sync(story(*(wire(*one) for one in named)), scope=Scope(users=("ann@mail.example",)))
        elif what == "erase":
            self._erase(with_)
        elif what == "lift" and self.erased:
            erasure, _ = self.erased.pop()
            lift(erasure)
        if what == "sync":
            self.check()

    def _erase(self, which: int) -> None:
        learners = list(Learner.objects.filter(app=self.vendor.app).order_by("pk"))
        if learners:
            learner = learners[which % len(learners)]
            email, apart = learner.email, self.vendor.app.tells_by_telephone
            told = set(learner.certificates.values_list("telephone", flat=True))
            erase(learner, None, timezone.now())
            covers = (email, told if apart or email else None)
            self.erased.append((self.vendor.app.erasures.order_by("pk").last(), covers))

    def _covered(self, who: int) -> bool:
        email, telephone = WHO[who]
        return any(email == of and (bool(email) or told is None or telephone in told) for _, (of, told) in self.erased)

    def check(self) -> None:
        self.vendor.sync(story(*(wire(*one) for one in self.rows)))
        held = self.vendor.app.runs.first()
        wanted = {one for one in self.rows if not self._covered(one[0])}
        if held.status == Status.HELD:  # an empty answer
            assert not wanted
            return
        keeps = self.vendor.app.stores_telephones
        people = {who: (email, telephone if keeps else "") for who, (email, telephone) in enumerate(WHO)}
        truth = {(*people[who], state, f"https://c.example/{number}") for who, state, number in wanted}
        live = Certificate.objects.filter(app=self.vendor.app).live()
        assert Counter(live.values_list("email", "telephone", "state", "url")) == Counter(truth)


@settings(max_examples=25, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(first=st.lists(one_row, min_size=2, max_size=8), happening=steps)
def test_what_is_stored_is_the_vendors_truth_without_the_erased(db, httpserver, first, happening):
    with rolled_back():
        httpserver.clear()
        play = Play(Vendor(httpserver, new_app(httpserver.url_for(""), f"app-{next(numbers)}")))
        for what, with_ in [("vendor", first), ("sync", None), *happening, ("sync", None)]:
            play.do(what, with_)
