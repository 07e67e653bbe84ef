"""Folders in the spool: gone with what makes them, swept up after whoever was killed, and left to who lives."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from certdash.spool import spool_folder, sweep_spool
from certdash.sync.erasing import erase
from certdash.tasks import forget_daily
from tests import world
from tests.support.installation import ROOT

_LONG_AGO = 1_000_000_000
_MAKES = (
    "import django; django.setup()\n"
    "from certdash.spool import spool_folder\n"
    "with spool_folder() as folder:\n"
    "    (folder / 'rows').write_text('Ana Souza'); print(folder, flush=True); input()\n"
)


@pytest.fixture
def other() -> Iterator[subprocess.Popen[str]]:
    """Another process that makes something in the spool of ours."""
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "certdash.settings"}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", _MAKES], cwd=ROOT, env=environment, text=True, **pipes) as process:
        yield process
        process.kill()


def folder_of(process: "subprocess.Popen[str]") -> Path:
    """Its folder, made to look old: as long as it lives that says nothing."""
    assert process.stdout
    folder = Path(process.stdout.readline().strip())
    os.utime(folder, (_LONG_AGO, _LONG_AGO))
    return folder


def test_a_folder_is_locked_as_long_as_its_process_lives(other):
    folder = folder_of(other)
    sweep_spool()
    assert (folder / "rows").read_text() == "Ana Souza"
    other.kill()
    other.wait()
    assert folder.exists()
    sweep_spool()
    assert not folder.exists()


def test_a_folder_goes_with_what_makes_it():
    with spool_folder() as folder:
        assert (folder.parent, folder.stat().st_mode & 0o777) == (settings.SPOOL_DIR, 0o700)
    assert not folder.exists()


@pytest.mark.django_db
def test_once_a_day_old_ones_that_nobody_has_go_and_nothing_else():
    left, new = settings.SPOOL_DIR / "making-left", settings.SPOOL_DIR / "making-new"
    others = settings.SPOOL_DIR / "something"
    for folder in (left, new, others):
        folder.mkdir(parents=True)
        (folder / "rows").write_text("Ana Souza")
    for folder in (left, others):
        os.utime(folder, (_LONG_AGO, _LONG_AGO))
    forget_daily.call_local()
    assert [folder.exists() for folder in (left, new, others)] == [False, True, True]


def test_without_a_spool_there_is_nothing_to_sweep(settings, tmp_path):
    settings.SPOOL_DIR = tmp_path / "none"
    sweep_spool()
    assert not settings.SPOOL_DIR.exists()


@pytest.mark.django_db
def test_an_erasure_takes_along_what_a_killed_process_left(other, django_capture_on_commit_callbacks):
    folder = folder_of(other)
    learner = world.make_certificate(world.make_story(world.make_app("demo"))).learner
    other.kill()
    other.wait()
    with django_capture_on_commit_callbacks(execute=True):
        erase(learner, None, world.NOW)
        assert folder.exists()  # until it is certain that they are erased
    assert not folder.exists()
