"""The worker as a process: told to end, killed, beside another one, and back after a while."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.installation import Installation, Running
from tests.support.stored import is_whole, query, runs, statuses, wait_until
from tests.support.talker import Talker, connect, talker

__all__ = ["talker"]

PATIENCE = 10  # seconds that the worker has to end
WORKERS = "SELECT name FROM certdash_worker WHERE ended_at IS NULL"


def start(installation: Installation) -> Running:
    worker = installation.start("worker")
    worker.wait_for("waits for work")
    return worker


def asks(installation: Installation, talker: Talker) -> Running:
    """A worker in the middle of a run: the vendor has been asked and has not answered yet."""
    worker = start(installation)
    wait_until(lambda: talker.calls, bool)
    return worker


def is_run_to_its_end(installation: Installation) -> Running:
    """Another worker that takes up what the one before it left: far sooner than any lease or interval is over."""
    worker = start(installation)
    wait_until(lambda: statuses(installation)[-1:], ["success"].__eq__)
    return worker


def test_started_it_removes_what_a_killed_process_has_left_in_the_spool(installation):
    installation.manage("migrate")
    left = installation.data_dir / "spool" / "making-left"
    left.mkdir(parents=True)
    (left / "rows").write_text("Ana Souza")
    os.utime(left, (1_000_000_000, 1_000_000_000))
    start(installation)
    assert not left.exists()


# -- Told to end ------------------------------------------------------------------------------------------------


def test_told_to_end_while_the_vendor_is_silent_it_ends_in_time_and_closes_its_run(installation, talker):
    connect(installation, talker)
    talker.is_silent()
    worker = asks(installation, talker)
    assert worker.stop(signal.SIGTERM, seconds=PATIENCE) == 0
    ((status, message),) = runs(installation)
    assert status == "interrupted"
    assert "told to end" in message
    assert query(installation, WORKERS) == []
    assert "Traceback" not in worker.output
    talker.answers(2)
    is_run_to_its_end(installation)
    assert statuses(installation) == ["interrupted", "success"]


def test_told_to_end_by_ctrl_c_while_an_answer_drips_in_the_run_closes_itself(installation, talker):
    connect(installation, talker)
    talker.drips()
    worker = asks(installation, talker)
    wait_until(lambda: query(installation, "SELECT phase FROM certdash_syncrun"), [("downloading",)].__eq__)
    assert worker.stop(signal.SIGINT, seconds=5) == 0  # sooner than a run that does not hear is given up
    assert statuses(installation) == ["interrupted"]
    assert "Traceback" not in worker.output


def test_told_to_end_while_it_writes_no_story_counts_as_done_that_is_not(installation, talker):
    connect(installation, talker)
    talker.answers(400, stories=150)
    worker = start(installation)
    done = "SELECT count(*) FROM certdash_story WHERE digest <> ''"
    wait_until(lambda: query(installation, done)[0][0], lambda count: count > 2)
    assert worker.stop(signal.SIGTERM, seconds=PATIENCE) == 0
    assert statuses(installation) == ["interrupted"]
    assert is_whole(installation)
    assert query(installation, done)[0][0] < 150
    assert query(installation, HALF_WRITTEN) == []
    is_run_to_its_end(installation)
    assert query(installation, "SELECT count(*) FROM certdash_certificate WHERE withdrawn_at IS NULL") == [(150 * 400,)]


HALF_WRITTEN = """
SELECT story.id FROM certdash_story AS story LEFT JOIN certdash_certificate AS it ON it.story_id = story.id
WHERE story.digest <> '' GROUP BY story.id HAVING count(it.id) <> 400
"""


def test_a_worker_that_does_nothing_ends_at_once(installation, talker):
    connect(installation, talker)
    worker = is_run_to_its_end(installation)
    assert len(query(installation, WORKERS)) == 1
    assert worker.stop(signal.SIGTERM, seconds=5) == 0
    assert query(installation, WORKERS) == []


# -- Killed -----------------------------------------------------------------------------------------------------

LEASE_IS_OVER = "UPDATE certdash_syncrun SET lease_until = '2020-01-01 00:00:00+00:00' WHERE status = 'running'"


def test_the_run_of_a_killed_worker_is_interrupted_after_its_lease_and_run_again(installation, talker):
    connect(installation, talker)
    talker.is_silent()
    asks(installation, talker).kill()
    assert statuses(installation) == ["running"]
    assert is_whole(installation)
    query(installation, LEASE_IS_OVER)
    talker.answers(2)
    is_run_to_its_end(installation)
    (first, message), (second, _) = runs(installation)
    assert (first, second) == ("interrupted", "success")
    assert "ended before its work" in message


OPEN = """
from certdash.models import App
from certdash.sync.asking import Scope
from certdash.sync.run import open_run
from certdash.tasks import enqueue, sync_run
run, _ = open_run(App.objects.get(), Scope())
enqueue(sync_run, run.pk)
"""


def test_a_run_whose_job_was_lost_with_its_queue_is_found_again(installation, talker):
    connect(installation, talker)
    installation.manage("shell", "--verbosity", "0", "-c", OPEN)
    queue = list(installation.data_dir.glob("queue.sqlite3*"))
    assert queue
    for file in queue:
        file.unlink()
    query(installation, "UPDATE certdash_syncrun SET requested_at = '2020-01-01 00:00:00+00:00'")
    is_run_to_its_end(installation)
    assert statuses(installation) == ["success"]


# -- Beside another one -----------------------------------------------------------------------------------------

APPS = [f"app-{number}" for number in range(8)]


@pytest.fixture
def another(installation: Installation, tmp_path: Path) -> Iterator[Installation]:
    """The same database from another machine: with a data directory, and so a queue, of its own."""
    url = installation.environment.get("CERTDASH_DATABASE_URL")
    folder = tmp_path / "another"
    folder.mkdir()
    another = Installation(folder, url or f"sqlite:///{installation.data_dir}/certdash.sqlite3")
    yield another
    another.kill_all()


def keys(installation: Installation) -> dict[str, str]:
    """The keys that were generated for it, as another machine is given them."""
    found = {name: installation.data_dir / name for name in ("secret_key", "credential_keys")}
    return {f"CERTDASH_{name.upper()}": path.read_text() for name, path in found.items() if path.exists()}


def each_is_done_once(installation: Installation, talker: Talker, *workers: Running) -> None:
    wait_until(lambda: statuses(installation), lambda found: found.count("success") == len(APPS))
    assert [worker.stop(seconds=PATIENCE) for worker in workers] == [0] * len(workers)
    assert len(statuses(installation)) == talker.calls == len(APPS)
    assert "Traceback" not in "".join(worker.output for worker in workers)


def test_two_workers_of_one_machine_do_no_app_twice(installation, talker):
    connect(installation, talker, *APPS)
    talker.answers(2, after=0.3)
    each_is_done_once(installation, talker, installation.start("worker"), installation.start("worker"))


def test_two_workers_of_two_machines_do_no_app_twice(installation, another, talker):
    connect(installation, talker, *APPS)
    another.environment |= keys(installation)
    talker.answers(2, after=0.3)
    each_is_done_once(installation, talker, installation.start("worker"), another.start("worker"))
