"""`python -m tests.screenshots`: the pictures of README.md, in docs/images, made from the demo's data.

It runs the demo in a data directory of its own, which it removes, and speaks to nothing but this machine. The people in
the pictures are the sandbox's, the same each time; their dates follow the day. `--address` takes the pictures of a demo
that is served already; `--folder` keeps them elsewhere. Without a font for Chinese and
Japanese (Debian's `fonts-noto-cjk`) some names are boxes.
"""

import argparse
import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.support import programs
from tests.support.browser import ARGUMENTS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ViewportSize

ROOT = Path(__file__).parents[1]
PERSON, PASSWORD = "olivia", "certdash-demo"  # of the demo, which prints both
WIDE: "ViewportSize" = {"width": 1440, "height": 640}
PHONE: "ViewportSize" = {"width": 390, "height": 780}
# Each picture: how large the window is, and the page. The overview just fits into its own.
PICTURES: dict[str, tuple["ViewportSize", str]] = {
    "overview": ({"width": 1440, "height": 990}, "/"),
    "certificates": (WIDE, "/certificates/?app=demo&awarded=7d"),
    "matrix": (WIDE, "/matrix/?app=demo&awarded=30d&sort=-pending"),
    "phone": (PHONE, "/certificates/?state=pending"),
}
LARGEST = 200_000  # bytes of a picture, so that the README opens at once
_LAST_VISIT = timedelta(days=4)
_PATIENCE = 180  # seconds for the demo to live through its days


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.screenshots", description="Takes the pictures of README.md.")
    parser.add_argument("--address", help="of a demo on this machine, such as http://127.0.0.1:8000")
    parser.add_argument("--folder", type=Path, default=ROOT / "docs" / "images")
    asked = parser.parse_args()
    if asked.address:
        if urlsplit(asked.address).hostname not in ("127.0.0.1", "localhost", "::1"):
            parser.error("the address must be one of this machine")
        take(asked.address.rstrip("/"), asked.folder)
        return
    with tempfile.TemporaryDirectory() as parent, _demo(Path(parent, "demo")) as address:
        take(address, asked.folder)


def take(address: str, folder: Path) -> None:
    """All pictures of the dashboard that is served there, into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with _browser() as browser, closing(browser.new_context(color_scheme="light", timezone_id="UTC")) as context:
        _log_in(context, address)
        for name, (size, path) in PICTURES.items():
            picture = folder / f"{name}.png"
            with closing(context.new_page()) as page:
                page.set_viewport_size(size)
                page.goto(address + path)
                page.wait_for_load_state("networkidle")
                page.screenshot(path=picture, animations="disabled")
            many = picture.stat().st_size
            print(f"{picture}: {many:,} bytes")
            if many > LARGEST:
                raise SystemExit(f"{picture} is larger than {LARGEST:,} bytes. A smaller window makes it smaller.")


def _log_in(context: "BrowserContext", address: str) -> None:
    with closing(context.new_page()) as page:
        page.goto(f"{address}/accounts/login/?next=/accounts/profile/")
        page.get_by_label("User name").fill(PERSON)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url("**/accounts/profile/")


@contextmanager
def _browser() -> Iterator["Browser"]:
    from playwright.sync_api import sync_playwright

    executable = programs.browser()
    if executable is None:
        raise SystemExit("The pictures need Chromium: `make programs` installs it on Debian.")
    # Chromium's own sandbox refuses root.
    arguments = [*ARGUMENTS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with (
        sync_playwright() as playwright,
        closing(playwright.chromium.launch(executable_path=executable, args=arguments)) as browser,
    ):
        yield browser


@contextmanager
def _demo(folder: Path) -> Iterator[str]:
    """`manage.py demo` over an empty data directory, once it serves; its address."""
    folder.mkdir()
    port = _free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", ""),
        "CERTDASH_DATA_DIR": str(folder),
        "CERTDASH_ALLOW_PRIVATE_UPSTREAMS": "1",
    }
    command = [sys.executable, "manage.py", "demo", "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{port}"
        _await(process, address)
        _remember_a_visit(folder / "certdash.sqlite3")
        yield address
    finally:
        process.terminate()  # it ends its own children
        process.wait(timeout=60)


def _free_port() -> int:
    """A port that is free, as is the next one, which the demo's vendor takes."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port


def _await(process: "subprocess.Popen[bytes]", address: str) -> None:
    until = time.monotonic() + _PATIENCE
    while process.poll() is None and time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"{address}/healthz", timeout=5):  # of this machine
                return
        except urllib.error.URLError:
            time.sleep(0.5)
    raise SystemExit("The demo did not start. `make demo` says why.")


def _remember_a_visit(database: Path) -> None:
    """The overview tells what is new since the last visit, which nobody has made yet."""
    moment = f"{datetime.now(UTC) - _LAST_VISIT:%Y-%m-%d %H:%M:%S}"
    with closing(sqlite3.connect(database, timeout=30)) as connection, connection:
        connection.execute("UPDATE certdash_user SET visited_at = ? WHERE username = ?", (moment, PERSON))


if __name__ == "__main__":
    main()
