"""What the environment says, read for `settings`: a value that makes no sense stops the start, by its name."""

import contextlib
import os
import tempfile
from collections.abc import Sequence
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email


def text(name: str, default: str = "") -> str:
    """A variable without the space around it, or the default when it is missing or empty."""
    return os.environ.get(name, "").strip() or default


def whole(name: str, default: int, least: int) -> int:
    """A whole number. Raises `ImproperlyConfigured`, as all of these do."""
    given = text(name, str(default))
    if not given.isascii() or not given.isdigit() or int(given) < least:
        raise ImproperlyConfigured(f"{name} must be a whole number of at least {least}, not {given!r}.")
    return int(given)


def switch(name: str) -> bool:
    """0 or 1."""
    given = text(name, "0")
    if given not in {"0", "1"}:
        raise ImproperlyConfigured(f"{name} must be 0 or 1, not {given!r}.")
    return given == "1"


def one_of(name: str, values: Sequence[str]) -> str:
    """One of these words, the first of them when it is missing or empty."""
    given = text(name, values[0])
    if given not in values:
        raise ImproperlyConfigured(f"{name} must be {' or '.join(values)}, not {given!r}.")
    return given


def web_address(name: str, default: str = "") -> str:
    """An address of the web without its last slash; empty when there is none."""
    given = text(name, default).rstrip("/")
    try:
        parts = urlsplit(given)
        known = not given or (parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0)
    except ValueError:
        known = False
    if not known:
        raise ImproperlyConfigured(f"{name} must be an address like https://certdash.example.com, not {given!r}.")
    return given


def single_sign_on(issuer: str, client_id: str, client_secret: str) -> tuple[str, str, str]:
    """The values of these three variables, of which all are set or none."""
    values = web_address(issuer), text(client_id), text(client_secret)
    parts = urlsplit(values[0])
    if parts.username or (parts.scheme == "http" and parts.hostname not in {"localhost", "127.0.0.1", "::1"}):
        raise ImproperlyConfigured(f"{issuer} must be an https address; only on this machine itself http will do.")
    missing = [name for name, value in zip((issuer, client_id, client_secret), values, strict=True) if not value]
    if missing and any(values):
        raise ImproperlyConfigured(
            f"{missing[0]} is missing: single sign-on needs {issuer}, {client_id} and {client_secret}."
        )
    return values


def writable_folder(name: str, default: str) -> Path:
    """A folder that exists when this returns."""
    folder = Path(text(name, default)).absolute()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(f"{name}: the folder {folder} cannot be made: {error.strerror}.") from error
    if not os.access(folder, os.W_OK):
        raise ImproperlyConfigured(f"{name}: the folder {folder} cannot be written to.")
    return folder


def database(name: str, file: Path) -> dict[str, Any]:
    """Django's configuration of the database that a URL names; without one, of this SQLite file."""
    url = text(name)
    if not url:  # not by way of a URL, in which a folder's name could mean something else
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(file)}
    known = url.startswith(("sqlite:///", "postgres://", "postgresql://"))
    try:
        config: dict[str, Any] = environ.Env.db_url_config(url) if known else {}
    except ValueError:
        config = {}  # what went wrong would quote the URL, password included
    if not known or config.get("NAME") in (None, "", ":memory:"):
        raise ImproperlyConfigured(
            f"{name} must be like sqlite:////var/lib/certdash.sqlite3 or postgres://user:password@host:5432/database."
        )
    return config


_MAIL_PORTS = {"smtp": 25, "smtp+tls": 587, "smtp+ssl": 465}
_MAIL_SECONDS = 20  # that a mail server has for an answer, while somebody waits for the page


def mail_server(name: str, sender: str) -> dict[str, Any]:
    """Django's settings of the mail server that a URL names, with this sender unless its `from` says another one.

    Empty without a URL.
    """
    if not (url := text(name)):
        return {}
    try:
        parts, query = urlsplit(url), dict(parse_qsl(urlsplit(url).query, strict_parsing="?" in url))
        config: dict[str, Any] = environ.Env.email_url_config(parts._replace(query="").geturl())
        if given := query.pop("from", ""):
            validate_email(parseaddr(given)[1])
        known = parts.scheme in _MAIL_PORTS and parts.hostname and parts.port != 0 and parts.path in {"", "/"}
    except (ValueError, ValidationError, ImproperlyConfigured):
        known = False  # what went wrong would quote the URL, password included
    if not known or query or not given.isprintable():
        raise ImproperlyConfigured(
            f"{name} must be like smtp+tls://user:password@mail.example.com:587?from=certdash@example.com, with "
            "smtp, smtp+tls or smtp+ssl in front; signs like @ and / in a password are written as %40 and %2F."
        ) from None
    return {
        name: value for name, value in config.items() if name.startswith("EMAIL_") and name != "EMAIL_FILE_PATH"
    } | {
        "EMAIL_PORT": parts.port or _MAIL_PORTS[parts.scheme],
        "EMAIL_TIMEOUT": _MAIL_SECONDS,
        "DEFAULT_FROM_EMAIL": given or sender,
    }


def key(name: str, file: Path, new: str, *, must_be_given: bool) -> str:
    """The key of the environment, or one that is generated once and kept in this file."""
    if given := text(name):
        return given
    if must_be_given:
        raise ImproperlyConfigured(
            f"{name} must be set when certdash runs on PostgreSQL or under an https address: "
            "a key generated on one machine would be missing on the next."
        )
    if not file.exists():
        # Written aside and then linked: of two processes that start together, one wins and both read a whole key.
        with tempfile.NamedTemporaryFile("w", dir=file.parent) as aside:  # made with mode 0600
            aside.write(new)
            aside.flush()
            with contextlib.suppress(FileExistsError):
                os.link(aside.name, file)
    return file.read_text().strip()
