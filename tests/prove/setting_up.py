"""An installation with apps and people, set up by its own commands in one process."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from tests.support.installation import Installation
from tests.world import PASSWORD


class NewApp(NamedTuple):
    """What `add_app` is told."""

    slug: str
    url: str
    token: str
    app_id: str = ""
    groups: tuple[str, ...] = ()


_SCRIPT = """
import io, sys
from django.core.management import call_command
call_command("migrate", verbosity=0)
for slug, url, token, app_id, groups in {apps!r}:
    sys.stdin = io.StringIO(token)
    tracked = [word for group in groups for word in ("--group", group)]
    call_command("add_app", slug, "--name", slug.title(), "--base-url", url, "--app-id", app_id, *tracked)
for name, role in {people!r}:
    sys.stdin = io.StringIO({password!r})
    grants = [word for app in {apps!r} for word in ("--grant", app[0] + ":" + role)]
    call_command("add_user", name, "--email", name + "@example.com", *grants)
if {synchronised}:
    call_command("sync")
"""


def set_up(
    installation: Installation,
    apps: Iterable[NewApp],
    people: Mapping[str, str] | None = None,
    *,
    synchronised: bool = False,
) -> None:
    """Tables, apps, and people by name with the role that they have in all of them; `synchronised`: a first time."""
    script = _SCRIPT.format(
        apps=[tuple(app) for app in apps],
        people=list((people or {}).items()),
        password=PASSWORD,
        synchronised=synchronised,
    )
    run(installation, script)


def run(installation: Installation, script: str) -> str:
    """Run a script in the installation's own shell; gives what it prints."""
    return installation.manage("shell", "--verbosity", "0", "-c", script).stdout
