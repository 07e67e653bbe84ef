"""Signs of life: given by a thread of the worker, and shown to whoever sees the list of apps."""

import logging
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from certdash.models import Worker
from certdash.models.worker import SILENCE
from certdash.signs import SignOfLife, worker_sign
from tests.support.stored import wait_until

NOW = datetime(2026, 11, 23, 12, 3, tzinfo=UTC)
QUICK = timedelta(milliseconds=20)


def seen(name: str, ago: timedelta) -> None:
    Worker.objects.create(name=name, started_at=NOW - timedelta(days=9), seen_at=NOW - ago)


# -- Shown ------------------------------------------------------------------------------------------------------


def test_without_any_worker_ever_it_says_so(db):
    assert worker_sign(NOW).tone == "none"
    assert worker_sign(NOW).text.startswith("No worker has ever run. Nothing is synchronised by itself")


ONE = "The worker is running: last sign of life 4 seconds ago."


def test_a_worker_that_lives_tells_its_last_sign_of_life(db):
    seen("killed", timedelta(hours=1))
    seen("here", timedelta(seconds=4))
    assert (worker_sign(NOW).tone, worker_sign(NOW).text) == ("ok", ONE)
    seen("there", timedelta(seconds=1))
    assert worker_sign(NOW)[:2] == ("ok", "2 workers are running: last sign of life just now.")


def test_a_worker_that_is_silent_for_too_long_counts_as_gone(db):
    seen("silent", SILENCE)
    sign = worker_sign(NOW)
    assert sign.tone == "stale"
    assert sign.text.startswith("No worker is running: last sign of life 23 Nov, 12:02 UTC. Nothing is synchronised")
    assert "what pages ask for waits until it runs again" in sign.text


def test_of_another_year_the_year_is_told(db):
    seen("silent", timedelta(days=400))
    assert "last sign of life 19 Oct 2025, 12:03 UTC." in worker_sign(NOW).text


@pytest.mark.parametrize("who", ["viewer", "superuser"])
def test_the_list_of_apps_shows_it_and_tells_superusers_what_to_do(who, client, cast):
    client.force_login(cast[who])
    assert "No worker has ever run." in client.get("/apps/").content.decode()
    seen("long ago", timedelta(days=200))
    page = client.get("/apps/").content.decode()
    assert "No worker is running" in page
    assert ("manage.py worker" in page) == (who == "superuser")
    Worker.objects.update(seen_at=datetime.now(UTC))
    page = client.get("/apps/").content.decode()
    assert "The worker is running: last sign of life" in page
    assert "manage.py worker" not in page


# -- Given ------------------------------------------------------------------------------------------------------


@pytest.fixture
def sign(transactional_db: None) -> Iterator[SignOfLife]:
    sign = SignOfLife(beat=QUICK)
    sign.start()
    yield sign
    sign.end(lambda: None, 10)


def mine(sign: SignOfLife) -> Worker | None:
    return Worker.objects.filter(name=sign.name).first()


def beats_again(sign: SignOfLife) -> Callable[[], bool]:
    before = wait_until(lambda: mine(sign), bool).seen_at
    return lambda: mine(sign).seen_at > before


def test_the_row_is_kept_fresh_and_tells_of_the_end(sign):
    wait_until(beats_again(sign), bool)
    assert worker_sign(datetime.now(UTC)).tone == "ok"
    done: list[bool] = []
    sign.end(lambda: done.append(mine(sign).ended_at is None), 10)
    assert mine(sign).ended_at == mine(sign).seen_at
    assert done == [True]
    assert worker_sign(datetime.now(UTC)).tone == "stale"


def test_two_in_one_process_or_on_one_machine_are_two():
    assert SignOfLife().name != SignOfLife().name


def test_rows_of_workers_that_ended_or_were_killed_a_day_ago_are_cleared_by_the_next(transactional_db):
    now = datetime.now(UTC)
    for name, ago, ended_at in (("ended", 0, now), ("killed", 2, None), ("just now", 0, None)):
        Worker.objects.create(name=name, started_at=now, seen_at=now - timedelta(days=ago), ended_at=ended_at)
    sign = SignOfLife(beat=QUICK)
    sign.start()
    wait_until(beats_again(sign), bool)
    assert set(Worker.objects.values_list("name", flat=True)) == {"just now", sign.name}
    sign.end(lambda: None, 10)


def rename_table(old: str, new: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {old} RENAME TO {new}")


def test_a_database_that_is_away_for_a_while_costs_one_line(sign, caplog):
    wait_until(beats_again(sign), bool)
    caplog.set_level(logging.WARNING)
    rename_table("certdash_worker", "elsewhere")
    try:
        wait_until(lambda: caplog.messages, bool)
        threading.Event().wait(10 * QUICK.total_seconds())  # time for more lines, were there any
    finally:
        rename_table("elsewhere", "certdash_worker")
    wait_until(beats_again(sign), bool)
    (line,) = caplog.messages
    assert line.startswith("The worker cannot give a sign of life and goes on trying: ")


def test_a_row_that_somebody_cleared_comes_back(sign):
    wait_until(lambda: mine(sign), bool)
    Worker.objects.all().delete()
    wait_until(lambda: mine(sign), bool)
