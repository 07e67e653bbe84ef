"""What the shape of the code promises: who may import whom, how long things are, what templates leave out."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "certdash"
MODULES = sorted(PACKAGE.rglob("*.py"))
MIGRATIONS = PACKAGE / "migrations"

# Lowest first: a room imports only from itself and from rooms above it in this list.
ROOMS = (
    {"environment", "logs"},
    {"settings"},
    {"falkor", "spool"},
    {"models", "migrations"},
    {"sync"},
    {"tasks"},
    {"access", "attempts", "audit", "invitations", "sessions", "time_zones", "visits", "ways"},
    {"adapters", "connecting", "devices", "single_sign_on"},
    {
        "charts",
        "exports",
        "facets",
        "fields",
        "filters",
        "forms",
        "keys",
        "links",
        "remembered",
        "rows",
        "saved_views",
        "signs",
        "stats",
        "tables",
        "timeline",
        "words",
    },
    {"downloads", "templatetags"},
    {"sandbox", "worker"},
    {"frames", "headers", "views", "urls", "wsgi"},
    {"management"},
)
FLOOR = {name: floor for floor, names in enumerate(ROOMS) for name in names}
# These two know nothing of the project: falkor can be lifted out, and a sandbox with its parser would share its bugs.
ALONE = {"falkor", "sandbox"}

LONGEST_FILE = 320
LONGEST_FUNCTION = 50

# A policy without inline script and style, and names that are markup, allow none of these.
FORBIDDEN_IN_TEMPLATES = {
    "a style attribute": r"\sstyle\s*=",
    "an event handler": r"\s(hx-)?on[\w:-]*\s*=\s*[\"']",
    "unescaped text": r"\|\s*safe(seq)?\b|autoescape\s+off",
    "an inline script": r"<script(?![^>]*\ssrc=)",
    "a style element": r"<style\b",
}


def _room(module: Path) -> str:
    return module.relative_to(PACKAGE).with_suffix("").parts[0]


def _imported(module: Path) -> Iterator[str]:
    """The dotted name of everything that a module imports, wherever in it."""
    package = module.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*above, *filter(None, [node.module])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _imported_rooms(module: Path) -> set[str]:
    parts = [name.split(".") for name in _imported(module)]
    return {each[1] for each in parts if each[0] == "certdash" and each[1:] and each[1] in FLOOR}


def test_every_module_has_its_room():
    assert {_room(module) for module in MODULES} - {"__init__"} <= set(FLOOR)


def test_a_room_imports_only_rooms_above_it():
    wrong = [
        f"{module.relative_to(PACKAGE)} imports {other}"
        for module in MODULES
        if _room(module) in FLOOR
        for other in _imported_rooms(module) - {_room(module)}
        if FLOOR[other] > FLOOR[_room(module)] or _room(module) in ALONE
    ]
    assert wrong == []


def test_only_commands_import_the_sandbox():
    users = {_room(module) for module in MODULES if "sandbox" in _imported_rooms(module)}
    assert users <= {"sandbox", "management"}


@pytest.mark.parametrize("room", sorted(ALONE))
def test_the_vendors_client_and_its_fake_know_nothing_of_django(room):
    roots = {name.split(".")[0] for module in MODULES if _room(module) == room for name in _imported(module)}
    assert "django" not in roots


def test_no_file_is_long():
    lengths = {str(module): len(module.read_text().splitlines()) for module in MODULES if not _migration(module)}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}


def test_no_function_is_long():
    lengths = {
        f"{module}:{node.lineno} {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for module in MODULES
        if not _migration(module)
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION} == {}


def _migration(module: Path) -> bool:
    return MIGRATIONS in module.parents


def test_every_command_is_run_by_some_test():
    commands = {path.stem for path in (PACKAGE / "management" / "commands").glob("[!_]*.py")}
    tried = {name for module in (ROOT / "tests").rglob("*.py") for name in _commands_run(module)}
    assert commands - tried == set()


def _commands_run(module: Path) -> Iterator[str]:
    """First arguments of `call_command(…)`, `….manage(…)` and `….start(…)`, and words of lists with `manage.py`."""
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            words = _texts(node.args[0]) if node.args and name in {"call_command", "manage", "start"} else []
            yield from words
        elif isinstance(node, ast.List) and "manage.py" in (words := _texts(node)):
            yield from words


def _texts(tree: ast.AST) -> list[str]:
    constants = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return [value for value in constants if isinstance(value, str)]


@pytest.mark.parametrize("what", FORBIDDEN_IN_TEMPLATES)
def test_no_template_holds(what):
    pattern = re.compile(FORBIDDEN_IN_TEMPLATES[what], re.IGNORECASE)
    found = [
        f"{path}: {match[0].strip()}"
        for path in (ROOT / "templates").rglob("*.html")
        for match in pattern.finditer(path.read_text())
    ]
    assert found == []
