"""`sync` while another process synchronises the same app, and when it is told to end itself."""

import json
import signal
from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from certdash.management.commands import sync as command
from certdash.models import App, SyncRun, User
from certdash.sync.asking import Scope
from certdash.sync.lease import LEASE
from certdash.sync.run import claim, close, open_run
from certdash.sync.schedule import Due, open_due
from tests.falkor.vendors import success
from tests.support.installation import Installation, Running
from tests.support.stored import query, runs, statuses, wait_until
from tests.support.talker import Talker, connect, talker
from tests.sync.vendor import people, story

__all__ = ["talker"]

Status = SyncRun.Status
NOT_OURS = " It is not what is asked for here."
A_PART = " It is only a part of what is asked for here."


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[str, str]]:
    """Return a caller of `sync` that gives what was printed on both streams."""

    def call(*arguments: str) -> tuple[str, str]:
        capsys.readouterr()
        call_command("sync", *arguments)
        printed = capsys.readouterr()
        return printed.out, printed.err

    return call


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Return what has something happen while the command waits for a run."""
    return lambda happens: monkeypatch.setattr(command.time, "sleep", lambda _seconds: happens())


def elsewhere(app: App, scope: Scope = Scope(), by: User | None = None) -> SyncRun:  # noqa: B008
    """A run that another process does."""
    run, _ = open_run(app, scope, by)
    claim(run, timezone.now)
    run.refresh_from_db()
    return run


def since(run: SyncRun) -> str:
    return f"since {timezone.localtime(run.started_at or run.requested_at):%H:%M}"


# -- Following --------------------------------------------------------------------------------------------------


def test_who_follows_is_told_on_standard_error_since_when_and_for_whom(vendor, told, meanwhile):
    olivia = User.objects.create_user("olivia", "olivia@example.com")
    run = elsewhere(vendor.app, Scope(story="Story A"), olivia)
    meanwhile(lambda: close(run, Status.SUCCESS, "Done.", timezone.now))
    out, err = told("--json", "--story", "Story A")
    about = f"{since(run)} (asked for by olivia; only story 'Story A')"
    assert err == f"demo: a run is under way {about}; following it.\n"
    assert json.loads(out)["message"] == "Done."
    assert vendor.asked == []


@pytest.mark.parametrize(
    ("under_way", "asked", "said"),
    [
        (Scope(), [], "; following it."),
        (Scope(), ["--story", "B"], "; following it."),
        (Scope(story="A"), [], f" (only story 'A'); following it.{A_PART}"),
        (Scope(story="A"), ["--story", "B"], f" (only story 'A'); following it.{NOT_OURS}"),
        (Scope("A", ("ann@mail.example",)), [], f" (only some learners of story 'A'); following it.{A_PART}"),
        (Scope(users=("ann@mail.example",)), ["--user", "ann@mail.example"], " (only some learners); following it."),
    ],
)
def test_who_follows_a_part_is_told_that_it_is_one(vendor, told, meanwhile, under_way, asked, said):
    run = elsewhere(vendor.app, under_way)
    meanwhile(lambda: close(run, Status.UNCHANGED, "Nothing changed.", timezone.now))
    assert told(*asked)[1] == f"demo: a run is under way {since(run)}{said}\n"


def test_a_run_that_waits_for_the_worker_is_done_here_and_said_so(vendor, told):
    run, _ = open_run(vendor.app, Scope(story="A"))
    out, err = told()
    assert err == f"demo: a run waits for the worker {since(run)} (only story 'A'); doing it here.{A_PART}\n"
    assert out == "demo: unchanged. Nothing changed.\n"
    assert vendor.asked == [{"story": "A"}]


def test_nobody_is_told_anything_when_nothing_is_under_way(vendor, told):
    assert told()[1] == ""


def test_a_run_that_dies_while_it_is_followed_is_run_again_here(vendor, told, meanwhile):
    vendor.body = success(story(*people(2)))
    dead = elsewhere(vendor.app)
    meanwhile(lambda: SyncRun.objects.filter(pk=dead.pk).update(lease_until=timezone.now() - LEASE))
    out, err = told("--json")
    dead.refresh_from_db()
    report = json.loads(out)
    assert (dead.status, report["status"], report["created"]) == (Status.INTERRUPTED, "success", 2)
    assert err.splitlines()[1:] == ["demo: that run was interrupted; synchronising again."]


def test_an_app_that_is_deleted_while_it_is_followed_fails_alone(vendor, meanwhile, capsys):
    elsewhere(vendor.app)
    meanwhile(vendor.app.delete)
    with pytest.raises(CommandError, match="Not every app"):
        call_command("sync", "--json")
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines()[1:] == ["demo: deleted meanwhile."]


def test_what_another_process_did_just_now_is_not_due_any_more(vendor, told, monkeypatch):
    def others_are_quicker(due: Due, now: object) -> SyncRun | None:
        vendor.again()
        return open_due(due, now)

    monkeypatch.setattr(command, "open_due", others_are_quicker)
    assert told("--due") == ("", "")
    assert SyncRun.objects.count() == 1


# -- Told to end ------------------------------------------------------------------------------------------------


def test_ctrl_c_closes_the_run_and_says_so_in_one_sentence(vendor, refused, capsys):
    def ctrl_c(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("certdash.sync.work.Work.do", ctrl_c)
        assert refused("sync") == "demo: told to end. What is written stays, and the next run completes it."
    assert capsys.readouterr().out == ""
    run = SyncRun.objects.get()
    assert run.status == Status.INTERRUPTED
    assert "told to end" in run.message


def test_ctrl_c_before_the_run_has_begun_leaves_no_run_behind(vendor, refused, monkeypatch):
    def ctrl_c(_run: SyncRun) -> SyncRun:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "execute", ctrl_c)
    assert "told to end" in refused("sync")
    assert SyncRun.objects.get().status == Status.INTERRUPTED


def test_ctrl_c_while_following_leaves_the_run_alone(vendor, refused, meanwhile):
    def ctrl_c() -> None:
        raise KeyboardInterrupt

    elsewhere(vendor.app)
    meanwhile(ctrl_c)
    assert "goes on without this" in refused("sync")
    assert SyncRun.objects.get().is_running


def syncs(installation: Installation, talker: Talker) -> Running:
    """The command in the middle of a run: the vendor has been asked and has not answered yet."""
    sync = installation.start("sync", "--json")
    wait_until(lambda: talker.calls, bool)
    return sync


def test_as_a_program_it_ends_when_it_is_told_to_and_closes_its_run(installation, talker):
    connect(installation, talker)
    talker.is_silent()
    sync = syncs(installation, talker)
    assert sync.stop(signal.SIGTERM, seconds=5) == 1
    assert sync.output == "CommandError: demo: told to end. What is written stays, and the next run completes it.\n"
    ((status, message),) = runs(installation)
    assert status == "interrupted"
    assert "told to end" in message


def test_as_a_program_told_to_end_between_runs_it_says_that_too(monkeypatch, capsys):
    def ctrl_c(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command.Command, "check", ctrl_c)
    with pytest.raises(SystemExit) as ended:
        command.Command().run_from_argv(["manage.py", "sync"])
    assert (ended.value.code, capsys.readouterr().err) == (1, "Told to end while no run was under way.\n")


WRITTEN = "SELECT count(*) FROM certdash_story WHERE digest <> ''"


def test_as_a_program_told_to_end_while_it_writes_it_leaves_nothing_half_done(installation, talker):
    connect(installation, talker)
    talker.answers(400, stories=120)
    sync = installation.start("sync")
    wait_until(lambda: query(installation, WRITTEN)[0][0], lambda count: count > 2)
    assert sync.stop(signal.SIGTERM, seconds=5) == 1
    assert "Traceback" not in sync.output
    installation.manage("sync")
    assert statuses(installation) == ["interrupted", "success"]
    assert query(installation, "SELECT count(*) FROM certdash_certificate") == [(120 * 400,)]
