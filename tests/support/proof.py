"""Proofs that come in two sizes: the short form runs with all tests, the long one with `pytest --prove`."""

import random
from collections.abc import Callable
from typing import TypeVar

import pytest

T = TypeVar("T")
# Takes the short and the long value, and gives the one that this run is for.
Sized = Callable[[T, T], T]
# Takes a line for the end of the run.
Tell = Callable[[str], None]

_FIGURE = "figure"  # a property of a test's report, which gets to the end of the run from other processes, too


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("certdash")
    group.addoption(
        "--prove",
        action="store_true",
        help="run only the tests that have a long form, in that form",
    )
    group.addoption("--draw", type=int, help="draw the moments of proofs from this seed, as an earlier run did")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("prove"):
        short = [item for item in items if "sized" not in getattr(item, "fixturenames", ())]
        config.hook.pytest_deselected(items=short)
        items[:] = [item for item in items if item not in short]


@pytest.fixture(scope="session")
def sized(pytestconfig: pytest.Config) -> Callable[[T, T], T]:
    """Gives the first value in the short form of a test, the second one in its long form."""
    long = pytestconfig.getoption("prove")
    return lambda short_value, long_value: long_value if long else short_value


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Tell:
    """Keeps a figure for the end of the run: what was measured or drawn, beside whether it held."""
    return lambda line: request.node.user_properties.append((_FIGURE, f"{request.node.name}: {line}"))


@pytest.fixture
def drawn(pytestconfig: pytest.Config, sized: Sized[int], tell: Tell) -> random.Random:
    """A generator whose seed is told; in the short form it is the same every time."""
    given = pytestconfig.getoption("draw")
    seed = sized(1, random.SystemRandom().randrange(10**6)) if given is None else given
    tell(f"drawn from seed {seed} (again with --draw {seed})")
    return random.Random(seed)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    ended = [report for report in reports if getattr(report, "when", "") == "teardown"]
    figures = [line for report in ended for name, line in report.user_properties if name == _FIGURE]
    if figures:
        terminalreporter.section("measured and drawn")
        for line in figures:
            terminalreporter.line(line)
