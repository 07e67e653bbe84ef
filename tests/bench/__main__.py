"""`python -m tests.bench`: how fast and how small a sync is, as ratios to what the machine could do at best; and how
fast pages answer, beside Datasette and the Django admin over the same file.

One run measures both sides of each ratio. The clock runs from the spooled file to the closed run; the download is
reported beside. Exits with 1 when something did not work or was counted wrongly; a missed aim is only told.
"""

import argparse
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.bench.data import STORIES, Expected, World
from tests.bench.pages import report
from tests.bench.pages.measure import Failed, Line, measure
from tests.bench.report import Measured, lines
from tests.bench.stores import STORES, Sqlite, Store
from tests.support.postgresql import Unavailable

ROOT = Path(__file__).parents[2]
SYNCS = ("unchanged", "two", "hundredth")  # each on what the first one left
STEPS = ("first", "limit", *SYNCS, "download", "pages")
TIMES = 3  # of what takes about a second

Answers = dict[str, tuple[Path, Expected]]


class Broken(Exception):
    """A step did not work, or counted wrongly; the text says which and how."""


def measured(step: str, environment: dict[str, str], *arguments: str | Path) -> Measured:
    """Do a step in a process of its own. Raises Broken."""
    command = [sys.executable, "-m", "tests.bench.measure", step, *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        raise Broken(f"{step} ended with {done.returncode}")
    result: Measured = json.loads(done.stdout)
    return result


class Bench:
    """One run: its options, its answers, and what was measured and went wrong so far."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self.options, self.folder = options, folder
        self.common: dict[str, Measured] = {}
        self.stores: dict[str, dict[str, Measured]] = {}
        self.pages: list[Line] = []
        self.problems: list[str] = []
        world = World(options.certificates)
        self.certificates = world.certificates
        self.answers: Answers = world.write(folder)

    def run(self) -> None:
        """Measure everything that was asked for."""
        for name in self.options.stores:
            with self._noted(name):
                store = STORES[name](self.folder)
                try:
                    self._measure(store)
                finally:
                    store.close()

    def _measure(self, store: Store) -> None:
        results = self.stores[store.title] = {}
        store.create("new")
        environment = store.environment("new")
        measured("prepare", environment)
        if not self.common:
            self._measure_common(environment)
        self._sync(store, "first", "new", results)
        if "limit" in self.options.steps:
            with self._noted(f"{store.title}: limit"), self._copied(store, "new", "limit"):
                results["limit"] = measured("limit", store.environment("limit"), "--source", store.source("first"))
                self._say(f"{store.title}: limit", results["limit"])
        for step in SYNCS:
            if step in self.options.steps:
                with self._noted(f"{store.title}: {step}"):
                    self._sync(store, step, "first", results)
        if "pages" in self.options.steps and isinstance(store, Sqlite):  # which Datasette can read
            with self._noted("pages"), self._copied(store, "first", "pages"):
                self.pages = measure(store.environment("pages"), Path(store.source("pages")))

    def _sync(self, store: Store, step: str, base: str, results: dict[str, Measured]) -> None:
        path, expected = self.answers["first" if step == "unchanged" else step]
        arguments = ["--profile"] if step in self.options.profile else []
        if step == "unchanged":
            expected = expected._replace(created=0)
            arguments += ["--count-writes", "--times", str(TIMES)]
        with self._copied(store, base, step, keep=step == "first"):
            result = measured("sync", store.environment(step), "--answer", path, *arguments)
        self._say(f"{store.title}: {step}", result)
        results[step] = result
        if result["profile"]:
            print(f"\n{store.title}: {step}, with the profiler's own cost:\n{result['profile']}", flush=True)
        check(result, expected, "unchanged" if step == "unchanged" else "success")

    def _measure_common(self, environment: dict[str, str]) -> None:
        path, _ = self.answers["first"]
        for step in ("decode", "hash"):
            self.common[step] = measured(step, environment, "--answer", path, "--times", str(TIMES))
            self._say(step, self.common[step])
        if "download" in self.options.steps:
            with self._noted("download"), _served(path) as url:
                self.common["download"] = measured("download", environment, "--source", url)
                self._say("download", self.common["download"])

    @contextmanager
    def _copied(self, store: Store, name: str, to: str, *, keep: bool = False) -> Iterator[None]:
        store.copy(name, to)
        try:
            yield
        finally:
            if not keep and not self.options.keep:
                store.drop(to)

    @contextmanager
    def _noted(self, what: str) -> Iterator[None]:
        try:
            yield
        except (Broken, Failed, Unavailable) as error:
            self.problems.append(f"{what}: {error}")

    @staticmethod
    def _say(what: str, result: Measured) -> None:
        print(f"{what}: {result['seconds']:.3f} s", file=sys.stderr, flush=True)


def check(result: Measured, expected: Expected, status: str) -> None:
    """Compare what a sync counted with what the answers were made with. Raises Broken."""
    told = {name: result[name] for name in ("status", "withdrawn", "missing", "rejected", *Expected._fields)}
    wanted = {"status": status, "withdrawn": 0, "missing": 0, "rejected": 0, **expected._asdict()}
    wrong = [f"{name} is {told[name]}, not {wanted[name]}" for name in wanted if told[name] != wanted[name]]
    if sum((result["written"] or {}).values()):
        wrong.append(f"data rows were written: {result['written']}")
    if wrong:
        raise Broken(f"{'; '.join(wrong)} ({result['message']})")


@contextmanager
def _served(path: Path) -> Iterator[str]:
    """A vendor on loopback that has one answer to everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(path.stat().st_size))
            self.end_headers()
            with path.open("rb") as file:
                self.connection.sendfile(file)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def _some_of(names: tuple[str, ...]) -> Any:
    def chosen(text: str) -> list[str]:
        if unknown := set(text.split(",")) - set(names):
            raise argparse.ArgumentTypeError(
                f"no such name: {', '.join(sorted(unknown))} (there are {', '.join(names)})"
            )
        return text.split(",")

    return chosen


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    stores, steps, syncs = tuple(STORES), STEPS, ("first", *SYNCS)
    parser.add_argument("--certificates", type=int, default=1_000_000, help="rounded down to a multiple of 200")
    parser.add_argument("--stores", type=_some_of(stores), default=list(stores), metavar=",".join(stores))
    parser.add_argument(
        "--steps", type=_some_of(steps), default=list(steps), metavar=",".join(steps),
        help="the first sync is always done: the others need what it leaves",
    )  # fmt: skip
    parser.add_argument("--profile", type=_some_of(syncs), default=[], metavar=",".join(syncs))
    parser.add_argument("--keep", action="store_true", help="leave the answers and installations where they were made")
    options = parser.parse_args()
    if options.certificates < 10 * STORIES:
        parser.error(f"--certificates must be at least {10 * STORIES}")
    return options


def main() -> int:
    options = _options()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    load = os.getloadavg()[0]  # the figures are good when nothing else ran
    folder = Path(tempfile.mkdtemp(prefix="certdash-bench-"))
    try:
        bench = Bench(options, folder)
        bench.run()
        size = bench.answers["first"][0].stat().st_size / 1e6
        machine = f"Python {platform.python_version()}, {os.cpu_count()} cores, load at the start {load:.1f}"
        print(f"{bench.certificates:,} certificates in {STORIES} stories, {size:.1f} MB; {machine}")
        print(*lines(bench.common, bench.stores), sep="\n")
        if bench.pages:
            print("", *report.lines(bench.pages), sep="\n")
        for problem in bench.problems:
            print(f"DID NOT WORK: {problem}")
        return 1 if bench.problems else 0
    finally:
        if options.keep:
            print(f"kept in {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
