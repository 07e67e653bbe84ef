"""`manage.py demo`: what `make demo` runs: a vendor, two apps, four people, a worker and the dashboard."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from certdash.models import App, Grant, Role, Secret, SyncRun, User
from certdash.models.group import track_groups
from certdash.sandbox import ACCOUNTS, ZONE, Account, Clock, SandboxApp, SandboxServer, World
from certdash.sync.run import sync_app

_DAYS_OF_HISTORY = 6
_PASSWORD = "certdash-demo"  # noqa: S105  # printed for whoever runs the demo
_PEOPLE: dict[str, dict[str, Role]] = {
    "olivia": {"demo": Role.OWNER, "retail": Role.OWNER},
    "marco": {"demo": Role.MANAGER, "retail": Role.MANAGER},
    "vera": {"demo": Role.VIEWER},
}


class Command(BaseCommand):
    help = "Serves the dashboard over a vendor sandbox, with everything it needs, until Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="of the dashboard; the sandbox takes the next one")
        parser.add_argument("--certificates", type=int, default=4000)

    def handle(self, *_: Any, **options: Any) -> None:
        if settings.DATA_DIR.name != "demo" or not settings.ALLOW_PRIVATE_UPSTREAMS:
            raise CommandError(
                "The demo keeps its data apart from real use. Run: "
                "CERTDASH_DATA_DIR=var/demo CERTDASH_ALLOW_PRIVATE_UPSTREAMS=1 python manage.py demo"
            )
        for number in (signal.SIGINT, signal.SIGTERM):  # in the background of a script, Ctrl-C's arrives ignored
            signal.signal(number, signal.default_int_handler)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # as `nohup` wants it; else its terminal was closed
            signal.signal(signal.SIGHUP, signal.default_int_handler)
        with contextlib.suppress(KeyboardInterrupt):
            self._run(options["port"], options["certificates"])

    def _run(self, port: int, certificates: int) -> None:
        _demand_free(port)
        call_command("migrate", verbosity=0)
        origin = _origin()
        clock = Clock()
        with _vendor(SandboxApp(World(origin, certificates, seed=1), clock), port + 1) as url:
            apps = [_app(account, url) for account in ACCOUNTS]
            _add_people()
            if not SyncRun.objects.exists():
                self._live_through(apps, clock, origin)
            # Links to this dashboard, in invitations and files, lead to the port that serves it.
            os.environ.setdefault("CERTDASH_PUBLIC_URL", f"http://127.0.0.1:{port}")
            with _child("worker"), _child("gunicorn", port):
                self._greet(port, url)
                threading.Event().wait()

    def _live_through(self, apps: list[App], clock: Clock, origin: date) -> None:
        """A few days of history, as daily syncs would have seen them, and the present."""
        midnight = datetime.combine(origin, time(7), tzinfo=ZONE)
        days = [midnight - timedelta(days=back) for back in range(_DAYS_OF_HISTORY, 0, -1)]
        for moment in days:
            clock.frozen = moment
            for app in apps:
                run = sync_app(app, clock=lambda moment=moment: moment)  # type: ignore[misc]
                self.stdout.write(f"{moment:%a %d %b}  {app.name}: {run.message}")
                self.stdout.flush()
        clock.frozen = None
        for app in apps:
            run = sync_app(app)
            self.stdout.write(f"now         {app.name}: {run.message}")

    def _greet(self, port: int, vendor: str) -> None:
        self.stdout.write(f"\nThe vendor's sandbox: {vendor}\nThe dashboard:        http://127.0.0.1:{port}/\n\n")
        self.stdout.write(f"log in as admin / {_PASSWORD} (superuser)")
        for name, grants in _PEOPLE.items():
            roles = ", ".join(f"{role.value} of {app}" for app, role in grants.items())
            self.stdout.write(f"log in as {name} / {_PASSWORD} ({roles})")
        self.stdout.write("\nto connect an app by hand, with the sandbox's address as its base URL:")
        for account in ACCOUNTS:
            self.stdout.write(f"{account.name}: app ID {account.app_id}, token {account.token}")
        self.stdout.write("\nCtrl-C ends all of it; the data stays for the next time.")
        self.stdout.flush()


def _origin() -> date:
    """The sandbox's first day, kept, so that its world goes on where it was."""
    path = settings.DATA_DIR / "sandbox_origin"
    if not path.exists():
        path.write_text(f"{datetime.now(ZONE).date()}")
    return date.fromisoformat(path.read_text().strip())


def _app(account: Account, url: str) -> App:
    slug = account.app_id.rpartition(".")[2]
    fields = {"name": account.name, "base_url": url, "app_id": account.app_id, "refresh_minutes": 5}
    app, _ = App.objects.update_or_create(
        slug=slug, defaults=fields, create_defaults=fields | {"token": Secret.seal(account.token)}
    )
    track_groups(app, list(account.groups))
    return app


def _add_people() -> None:
    if User.objects.exists():
        return
    User.objects.create_superuser("admin", "admin@example.com", _PASSWORD)
    apps = {app.slug: app for app in App.objects.all()}
    for name, grants in _PEOPLE.items():
        user = User.objects.create_user(name, f"{name}@example.com", _PASSWORD)
        Grant.objects.bulk_create(Grant(user=user, app=apps[slug], role=role) for slug, role in grants.items())


def _demand_free(port: int) -> None:
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise CommandError(f"Something listens on port {port} already. Choose another one: make demo PORT=8080")


@contextlib.contextmanager
def _vendor(app: SandboxApp, port: int) -> Iterator[str]:
    try:
        server = SandboxServer(app, port)
    except OSError:
        raise CommandError(
            f"The sandbox needs port {port}, which is taken. Choose another one: make demo PORT=8080"
        ) from None
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server.url
    finally:
        server.stop()


@contextlib.contextmanager
def _child(what: str, port: int = 0) -> Iterator[None]:
    """One of the two processes beside this one; ended with it."""
    commands = {
        "worker": [sys.executable, "manage.py", "worker"],
        "gunicorn": [
            sys.executable, "-m", "gunicorn", "certdash.wsgi", "--bind", f"127.0.0.1:{port}",
            "--log-level", "warning",
        ],
    }  # fmt: skip
    process = subprocess.Popen(commands[what], cwd=settings.BASE_DIR, stdout=subprocess.DEVNULL, start_new_session=True)  # noqa: S603
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
