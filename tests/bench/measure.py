"""One measured step, in a process and an installation of its own; prints what it measured as one JSON object.

`python -m tests.bench.measure STEP --help`; the installation is the one that the environment names.
"""

import argparse
import cProfile
import io
import json
import os
import pstats
import re
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from shutil import copyfileobj
from typing import TYPE_CHECKING, Any

from tests.bench import limits
from tests.bench.data import RESPONSE_TIME

if TYPE_CHECKING:
    from certdash.falkor import Answer

Measured = dict[str, Any]
SAMPLE_SECONDS = 0.05
TOKEN = "YmVuY2g6b25seS1mb3ItbWVhc3VyaW5n"
_STATUS = Path("/proc/self/status")
# The run itself and the app's freshness: what a sync writes even when nothing changed.
_NOT_DATA = {"certdash_app", "certdash_syncrun"}


class PrivateMemory:
    """The most private memory of this process while the block runs, in MB; pages of mapped files do not count.

    Only Linux tells it: None elsewhere.
    """

    def __init__(self) -> None:
        self.before, self.peak = self._now(), 0.0
        self._over = threading.Event()
        self._sampler = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> "PrivateMemory":
        self._sampler.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._sampler.join()

    def told(self) -> Measured:
        known = _STATUS.exists()
        return {"peak_mb": self.peak if known else None, "before_mb": self.before if known else None}

    def _sample(self) -> None:
        while not self._over.wait(SAMPLE_SECONDS):
            self.peak = max(self.peak, self._now())
        self.peak = max(self.peak, self._now())

    @staticmethod
    def _now() -> float:
        if not _STATUS.exists():
            return 0.0
        found = re.search(r"RssAnon:\s+(\d+) kB", _STATUS.read_text())
        return int(found[1]) / 1000 if found else 0.0


# -- The sync ---------------------------------------------------------------------------------------------------


class DownloadedAnswer:
    """Stands in for the vendor's client: hands over a file as if its last byte had just arrived."""

    def __init__(self, path: Path, spool_dir: Path) -> None:
        spool_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file: FileIO = tempfile.TemporaryFile(dir=spool_dir, buffering=0)  # noqa: SIM115
        with path.open("rb") as prepared:
            copyfileobj(prepared, self._file, 2**20)
        self._size = self._file.tell()
        self._file.seek(-len(RESPONSE_TIME) - 1, io.SEEK_END)
        self._file.write(f"{time.time() % 1:.6f}".encode())
        os.fsync(self._file.fileno())  # so that nothing is written beside the clock
        self.watch = limits.Stopwatch()

    def certificates(self, *_: Any, progress: Callable[[int], None] | None = None, **__: Any) -> "Answer":
        from certdash.falkor import Answer

        if progress is not None:
            progress(self._size)
        with self._file as file:
            self.watch.start()
            return Answer(file, self._size)

    def take_the_clients_place(self) -> None:
        for name, module in list(sys.modules.items()):
            if name.startswith("certdash.sync") and hasattr(module, "client_for"):
                module.client_for = lambda *_, **__: self  # type: ignore[attr-defined]


def sync(options: argparse.Namespace) -> Measured:
    """Synchronise, from the spooled file to the closed run: the median of so many times, the last one's counts."""
    from django.conf import settings
    from django.db import connection

    from certdash.models import App, Certificate
    from certdash.sync.run import sync_app

    app = App.objects.get()
    if options.count_writes:
        _count_writes()
    profile = cProfile.Profile() if options.profile else None
    watches = []
    with PrivateMemory() as memory:
        for _ in range(options.times):
            answer = DownloadedAnswer(options.answer, settings.SPOOL_DIR)
            answer.take_the_clients_place()
            run = profile.runcall(sync_app, app) if profile else sync_app(app)
            answer.watch.stop()
            watches.append(answer.watch)
    names = ("status", "message", "received", "created", "changed", "withdrawn", "missing", "rejected")
    return {
        "seconds": statistics.median(watch.seconds for watch in watches),
        "cpu_seconds": statistics.median(watch.cpu_seconds for watch in watches),
        **memory.told(),
        **{name: getattr(run, name) for name in names},
        "stored": Certificate.objects.live().count(),
        "version": ".".join(map(str, connection.get_database_version())),
        "written": _written() if options.count_writes else None,
        "profile": _table(profile) if profile else None,
    }


def _table(profile: cProfile.Profile) -> str:
    text = io.StringIO()
    pstats.Stats(profile, stream=text).sort_stats("tottime").print_stats(40)
    return text.getvalue()


def _count_writes() -> None:
    """From now on, count the rows of data that are written, also those that are written as they were."""
    from django.apps import apps
    from django.db import connection

    tables = {model._meta.db_table for model in apps.get_app_config("certdash").get_models(True)} - _NOT_DATA
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_written (place text)")
        if connection.vendor == "postgresql":
            cursor.execute(
                "CREATE FUNCTION bench_note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                "INSERT INTO bench_written VALUES (TG_TABLE_NAME); RETURN NULL; END $$"
            )
        for table in sorted(tables):
            for event in ("INSERT", "UPDATE", "DELETE"):
                body = "FOR EACH ROW EXECUTE FUNCTION bench_note()"
                if connection.vendor == "sqlite":
                    body = f"BEGIN INSERT INTO bench_written VALUES ('{table}'); END"
                cursor.execute(f'CREATE TRIGGER "bench_{event}_{table}" AFTER {event} ON "{table}" {body}')


def _written() -> dict[str, int]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT place, count(*) FROM bench_written GROUP BY place")
        return dict(cursor.fetchall())


# -- The other steps --------------------------------------------------------------------------------------------


def prepare(_: argparse.Namespace) -> Measured:
    """Make the tables and one app."""
    from django.core.management import call_command

    from certdash.models import App, Secret

    call_command("migrate", verbosity=0)
    App.objects.create(slug="bench", name="Bench", base_url="http://127.0.0.1:1", token=Secret.seal(TOKEN))  # type: ignore[misc]
    return {}


def download(options: argparse.Namespace) -> Measured:
    """Ask a real server with the real client."""
    from django.conf import settings

    from certdash.falkor import FalkorClient

    client = FalkorClient(options.source, TOKEN, spool_dir=settings.SPOOL_DIR, allow_private=True)
    began = time.perf_counter()
    with client.certificates() as answer:
        return {"seconds": time.perf_counter() - began, "bytes": answer.size}


def limit(options: argparse.Namespace) -> Measured:
    """Store the rows that a sync stored elsewhere."""
    from django.db import connection

    from certdash.sync.bulk import much_writing

    fill = limits.fill_sqlite if connection.vendor == "sqlite" else limits.fill_postgresql
    with much_writing():  # with what a sync allows itself
        tables = fill(options.source)
    return {
        "seconds": sum(watch.seconds for _, watch in tables.values()),
        "cpu_seconds": sum(watch.cpu_seconds for _, watch in tables.values()),
        "tables": {table: (rows, watch.seconds) for table, (rows, watch) in tables.items()},
    }


def read(options: argparse.Namespace) -> Measured:
    """Decode or hash a file."""
    does: Callable[[Path], object] = limits.decode if options.step == "decode" else limits.hash_file
    seconds = []
    with PrivateMemory() as memory:
        for _ in range(options.times):
            began = time.perf_counter()
            result = does(options.answer)
            seconds.append(time.perf_counter() - began)
    return {"seconds": statistics.median(seconds), "result": result, **memory.told()}


STEPS = {"prepare": prepare, "sync": sync, "limit": limit, "decode": read, "hash": read, "download": download}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.measure", description=__doc__)
    parser.add_argument("step", choices=STEPS)
    parser.add_argument("--answer", type=Path, help="the file to synchronise, decode or hash")
    parser.add_argument("--source", help="limit: where the rows are taken from; download: the vendor's base URL")
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--count-writes", action="store_true")
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    if STEPS[options.step] is not read:  # a bare reader's memory is measured without Django
        import django

        django.setup()
    print(json.dumps(STEPS[options.step](options)))


if __name__ == "__main__":
    main()
