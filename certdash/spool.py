"""Folders for what is made on the disk: gone with what makes them, and swept up after a process that was killed."""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.conf import settings

_PREFIX, _LOCK = "making-", "lock"
_JUST_MADE = 60  # seconds in which a folder may have no lock yet


@contextmanager
def spool_folder() -> Iterator[Path]:
    """A folder in the spool that only we may read, locked as long as we live, and gone with the context."""
    settings.SPOOL_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=settings.SPOOL_DIR) as name, _locked(Path(name)):
        yield Path(name)


def sweep_spool() -> None:
    """Remove the folders of processes that were killed: they hold rows of people, and nobody comes back for them."""
    if not settings.SPOOL_DIR.exists():
        return
    for folder in settings.SPOOL_DIR.glob(f"{_PREFIX}*"):
        with suppress(OSError):  # gone in between, of somebody who lives, or not ours: the next one sees
            if time.time() - folder.stat().st_mtime > _JUST_MADE:
                with _locked(folder):
                    shutil.rmtree(folder)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Nobody else has the lock, which ends with the process. Raises `BlockingIOError` when somebody has."""
    # A file that is open for writing: network file systems lock no other ones.
    lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(lock)
