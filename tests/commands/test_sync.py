import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from django.utils.module_loading import import_string

from certdash.models import App, Certificate, SyncRun
from certdash.sync.asking import Scope
from certdash.sync.run import execute, open_run
from tests.falkor.vendors import row, success
from tests.sync.vendor import Vendor, gone, new_app, people, story

Status = SyncRun.Status
KEYS = ["app", "status", "received", "created", "changed", "withdrawn", "rejected", "seconds", "message"]


def reports(out: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.splitlines()]


def test_a_line_an_app_says_what_came_of_it(run, vendor):
    vendor.body = success(story(*people(2)))
    assert run("sync") == "demo: success. 2 new. 1 story new or changed.\n"
    assert run("sync", "demo") == "demo: unchanged. Nothing changed.\n"


def test_json_is_one_object_a_line_with_the_promised_keys(run, vendor):
    vendor.body = success(story(*people(2), row(certificate={"timestamp": "never"})))
    (report,) = reports(run("sync", "--json"))
    assert list(report) == KEYS
    assert (report["app"], report["status"], report["received"]) == ("demo", "partial", 3)
    assert (report["created"], report["changed"], report["withdrawn"], report["rejected"]) == (2, 0, 0, 1)
    assert isinstance(report["seconds"], float)
    assert report["seconds"] < 10


@pytest.fixture
def broken(db) -> App:
    return new_app("http://127.0.0.1:1", "broken")


def test_an_app_that_fails_does_not_stop_the_others_and_gives_exit_code_1(run, refused, capsys, vendor, broken):
    vendor.body = success(story(*people(2)))
    assert "stays" in refused("sync", "--json")
    failed, done = reports(capsys.readouterr().out)
    assert (failed["app"], failed["status"]) == ("broken", "failed")
    assert "refused the connection" in failed["message"]
    assert (done["app"], done["status"]) == ("demo", "success")


@pytest.mark.parametrize("place", ["certdash.sync.work.calls_of", "certdash.management.commands.sync.open_run"])
def test_an_error_that_nobody_expected_costs_one_app_its_sync_and_says_so(
    place, run, refused, capsys, caplog, vendor, monkeypatch
):
    """Before the run was opened, too, and after."""
    vendor.body = success(story(*people(2)))
    first = new_app(vendor.app.base_url, "a-first")
    real, failing = import_string(place), RuntimeError("canary")

    def fails_for_the_first(app: App, *rest: Any) -> Any:
        if app == first:
            raise failing
        return real(app, *rest)

    monkeypatch.setattr(place, fails_for_the_first)
    assert "stays" in refused("sync", "a-first", "demo", "--json")
    failed, done = reports(capsys.readouterr().out)
    assert list(failed) == KEYS
    assert (failed["app"], failed["status"], failed["created"]) == ("a-first", "failed", 0)
    assert "its log says why" in failed["message"]
    assert (done["app"], done["status"], done["created"]) == ("demo", "success", 2)
    (told,) = [record for record in caplog.records if record.exc_info]
    assert "a-first" in told.getMessage()
    assert told.exc_info[1] is failing


def test_only_the_named_apps_are_synchronised(run, vendor, broken):
    assert [report["app"] for report in reports(run("sync", "demo", "demo", "--json"))] == ["demo"]
    assert not SyncRun.objects.filter(app=broken).exists()


def test_an_unknown_app_is_refused_before_anything_happens(refused, vendor):
    assert "nothing" in refused("sync", "demo", "nothing")
    assert vendor.asked == []


def test_without_any_app_it_says_what_to_do(refused, db):
    assert "add_app" in refused("sync")


def test_due_takes_only_what_is_due(run, vendor):
    assert len(reports(run("sync", "--due", "--json"))) == 1
    assert run("sync", "--due", "--json") == ""
    assert run("sync", "demo", "--due") == ""
    SyncRun.objects.update(requested_at=timezone.now() - timedelta(days=1))
    assert len(reports(run("sync", "--due", "--json"))) == 1


def test_a_story_and_people_can_be_asked_for(run, vendor):
    vendor.body = success(story(*people(1)))
    run("sync", "--story", "Story A", "--user", "ann001@mail.example", "--user", "Ann 002")
    assert vendor.asked == [{"story": "Story A", "users": ["ann001@mail.example", "Ann 002"]}]
    assert SyncRun.objects.get().is_narrow


def test_held_is_no_failure_and_can_be_accepted(run, vendor):
    vendor.sync(story(*people(2)))
    vendor.body = success()
    (held,) = reports(run("sync", "--json"))
    assert (held["status"], held["withdrawn"]) == ("held", 0)
    assert gone(vendor.app) == set()
    (accepted,) = reports(run("sync", "--json", "--accept-withdrawals"))
    assert (accepted["status"], accepted["withdrawn"]) == ("held", 2)
    assert gone(vendor.app) == {"001", "002"}
    assert SyncRun.objects.first().accepted_at is not None


def test_a_run_that_waits_for_a_worker_is_done_here(run, vendor):
    queued, _ = open_run(vendor.app, Scope())
    (report,) = reports(run("sync", "--json"))
    queued.refresh_from_db()
    assert (report["status"], queued.status) == ("unchanged", "unchanged")
    assert SyncRun.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_run_under_way_is_waited_for_and_reported(run, httpserver):
    """Another process is at it: its vendor answers only once the command has joined."""
    vendor = Vendor(httpserver, new_app(httpserver.url_for("")))
    vendor.body = success(story(*people(3)))
    asked, joined = threading.Event(), threading.Event()

    def wait() -> None:
        asked.set()
        joined.wait(10)

    vendor.meanwhile = wait
    other, _ = open_run(vendor.app, Scope())

    def elsewhere() -> None:
        execute(other)
        connection.close()

    thread = threading.Thread(target=elsewhere)
    thread.start()
    assert asked.wait(10)
    threading.Timer(0.3, joined.set).start()
    (report,) = reports(run("sync", "--json"))
    thread.join(10)
    assert (report["status"], report["created"]) == ("success", 3)
    assert SyncRun.objects.count() == len(vendor.asked) == 1
    assert Certificate.objects.count() == 3


def test_as_a_program_it_ends_with_0_or_1_and_one_sentence(installation, httpserver):
    httpserver.expect_request("/v1/logs/story-certificates").respond_with_data(success(story(*people(2))))
    installation.manage("migrate", "--verbosity", "0")
    assert installation.manage("sync", exits=1).stderr.count("\n") == 1
    add = ("add_app", "demo", "--name", "Demo", "--base-url", httpserver.url_for(""))
    installation.manage(*add, stdin="key:secret-canary")
    done = installation.manage("sync", "--json")
    assert json.loads(done.stdout)["created"] == 2
    assert "secret-canary" not in done.stdout + done.stderr
    httpserver.clear()
    httpserver.expect_request("/v1/logs/story-certificates").respond_with_data("<html>")
    failed = installation.manage("sync", "--json", exits=1)
    assert json.loads(failed.stdout)["status"] == "failed"
    assert "Traceback" not in failed.stderr
