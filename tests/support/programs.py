"""Where the programs are that some tests need and that pip cannot install.

`python -m tests.support.programs` prints the Debian packages of those that are missing, for the Makefile.
"""

import shutil
from pathlib import Path

_BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
# Debian keeps them out of PATH, and Homebrew does so for all but the newest.
_DATABASE_FOLDERS = {
    Path("/usr/lib/postgresql"): "*/bin",
    Path("/opt/homebrew/opt"): "postgresql*/bin",
    Path("/usr/local/opt"): "postgresql*/bin",
}


def browser() -> str | None:
    """The path of a Chromium, or None."""
    return next(filter(None, map(shutil.which, _BROWSERS)), None)


def database_programs() -> Path | None:
    """The folder that holds PostgreSQL's `initdb` and `postgres`, or None."""
    candidates = [path for root, pattern in _DATABASE_FOLDERS.items() for path in root.glob(pattern)]
    if in_path := shutil.which("initdb"):
        candidates.append(Path(in_path).resolve().parent)
    complete = [path for path in candidates if (path / "initdb").exists() and (path / "postgres").exists()]
    return max(complete, key=_version, default=None)


def _version(folder: Path) -> int:
    digits = "".join(filter(str.isdigit, folder.parent.name))
    return int(digits or 0)


if __name__ == "__main__":
    packages = {"chromium": browser(), "postgresql": database_programs()}
    print(*(package for package, found in packages.items() if found is None))
