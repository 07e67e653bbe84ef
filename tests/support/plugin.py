"""What a test run needs before Django's settings are read: an environment of its own and, if asked, a PostgreSQL.

Named in `pyproject.toml`, because the settings read the environment once, before any `conftest.py` is imported.
"""

import base64
import os
import shutil
import signal
import tempfile
from collections import defaultdict
from collections.abc import Generator

import pytest

from tests.support.postgresql import CLUSTER, Cluster, Unavailable

pytest_plugins = (
    "tests.support.browser",
    "tests.support.installation",
    "tests.support.proof",
    "tests.support.provider",
)

UNAVAILABLE = pytest.StashKey[str]()

# What asks for one of these runs on both databases; everything else would only run twice.
DATABASE_FIXTURES = {"db", "transactional_db", "live_server", "installation"}


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("certdash")
    group.addoption(
        "--database",
        choices=("sqlite", "postgresql"),
        default="sqlite",
        help="postgresql: run the tests that use a database, on a private server that is started for them",
    )
    group.addoption(
        "--require-all",
        action="store_true",
        help="fail when a test is skipped, as happens when a browser or a database server is missing",
    )


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, object, object]:
    # A polite end is Ctrl-C's: it takes servers and folders away.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    _forget_the_callers_settings()
    folder = tempfile.mkdtemp(prefix="certdash-tests-")
    early_config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    os.environ |= {"CERTDASH_DATA_DIR": folder, "CERTDASH_ALLOW_PRIVATE_UPSTREAMS": "1"}
    if early_config.known_args_namespace.database == "postgresql":
        os.environ |= {
            "CERTDASH_DATABASE_URL": _start_cluster(early_config),
            "CERTDASH_SECRET_KEY": "only for tests, where nothing is secret, and long enough",
            "CERTDASH_ERASURE_KEY": "only for tests as well",
            "CERTDASH_CREDENTIAL_KEYS": base64.urlsafe_b64encode(bytes(32)).decode(),
        }
    return (yield)


def _forget_the_callers_settings() -> None:
    for name in list(os.environ):
        if name.startswith(("CERTDASH_", "DJANGO_", "PG")):
            del os.environ[name]


def _start_cluster(config: pytest.Config) -> str:
    """The address of a database on a new server; without a server, one that nothing will connect to."""
    try:
        cluster = Cluster()
    except Unavailable as error:
        if config.known_args_namespace.require_all:
            raise pytest.UsageError(str(error)) from None
        config.stash[UNAVAILABLE] = str(error)
        return "postgres://nobody@127.0.0.1:1/nothing"
    config.add_cleanup(cluster.stop)
    config.stash[CLUSTER] = cluster
    return cluster.url("certdash")


def pytest_report_header(config: pytest.Config) -> str:
    if config.getoption("database") == "postgresql":
        return "database: PostgreSQL, for the tests that use one"
    return "database: SQLite (--database postgresql: the tests that use one, on PostgreSQL)"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("database") != "postgresql":
        return
    users = [item for item in items if _uses_database(item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in users])
    items[:] = users
    if reason := config.stash.get(UNAVAILABLE, None):
        for item in items:
            item.add_marker(pytest.mark.skip(reason=reason))


def _uses_database(item: pytest.Item) -> bool:
    fixtures = set(getattr(item, "fixturenames", ()))
    if "browser" in fixtures:  # what a page looks like, it looks like on either
        return False
    return bool(DATABASE_FIXTURES & fixtures) or item.get_closest_marker("django_db") is not None


def _skipped(config: pytest.Config) -> dict[str, list[str]]:
    """Reasons, and the tests that were skipped for each."""
    reports = config.pluginmanager.get_plugin("terminalreporter").stats.get("skipped", [])
    skipped: dict[str, list[str]] = defaultdict(list)
    for report in reports:
        _path, _line, reason = report.longrepr
        skipped[reason.removeprefix("Skipped: ")].append(report.nodeid)
    return skipped


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workerinput"):  # one of several processes: the first one tells
        return
    passed = session.exitstatus == pytest.ExitCode.OK
    if passed and session.config.getoption("require_all") and _skipped(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    required = config.getoption("require_all")
    for reason, tests in _skipped(config).items():
        verdict = "SKIPPED although all were required" if required else "skipped"
        terminalreporter.section(f"{len(tests)} {verdict}: {reason}", red=required, yellow=not required)
        for test in tests:
            terminalreporter.line(test)
