"""What the processes write: one event a line, each with the request it belongs to, and nothing about people.

What others log can quote anything: addresses with what was typed, headers, values of rows. So of their lines only
the fixed part is kept, of a request its method and the name of its route, and of an error its class and where it
happened, never its message.
"""

import json
import logging
import logging.config
import re
import secrets
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

# The first is what goes without saying.
FORMATS = ("text", "json")
LEVELS = ("warning", "info", "error")
# Of the request that this thread works for; a new one for each, whatever a proxy or a client sent.
REFERENCE: ContextVar[str] = ContextVar("reference", default="-")

log = logging.getLogger("certdash.request")
_processes = logging.getLogger("certdash.process")

# Answers whose page says that something was refused, under the reference. (500 has a line of its own.)
_TELL_REFERENCE = (400, 403, 404, 429)
_FRAMES = 8
_MOST_CHARACTERS = 4000
# Lines of gunicorn about its own processes, which know of no request.
_OF_PROCESSES = (
    "Starting gunicorn", "Listening at: ", "Using worker: ", "Booting worker ", "Worker exiting ", "Worker (pid:",
    "WORKER TIMEOUT ", "Handling signal: ", "Shutting down: ", "Reason: ", "Hang up: ",
)  # fmt: skip
# Where a line of others that was put together already may begin to quote.
_QUOTING = re.compile(r"[:'\"=/<(\[{]")


def configuration(line_format: str, level: str) -> dict[str, Any]:
    """Everything for `logging.config`: of Django, gunicorn and all others, to standard error."""
    silent = {"handlers": [], "level": "CRITICAL", "propagate": False}
    to_stderr = {"handlers": ["stderr"], "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": "certdash.logs.Line", "as_json": line_format == "json"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": "ERROR" if level == "error" else "WARNING"},
        "loggers": {
            "certdash": {"level": level.upper()},
            "django": to_stderr | {"level": "ERROR" if level == "error" else "WARNING"},
            "django.request": {"level": "ERROR"},  # what people may not see or misspell is no event
            "django.server": silent,  # whole addresses
            "gunicorn.access": silent,  # whole addresses, too: our own line is `certdash.request`
            "gunicorn.error": to_stderr,  # its level is gunicorn's own option
        },
    }


def configure(config: dict[str, Any]) -> None:
    """Let loggers, and what nobody catches, write as this module says. Django calls it with its `LOGGING`."""
    logging.config.dictConfig(config)
    logging.raiseExceptions = False  # it would print the arguments of a line that cannot be written
    sys.excepthook = _uncaught
    sys.unraisablehook = lambda told: _write(told.exc_value)
    threading.excepthook = lambda told: _write(told.exc_value)
    warnings.showwarning = _warned


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if isinstance(error, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        _write(error)


def _write(error: BaseException | None) -> None:
    _processes.error("Nobody expected this", exc_info=error)


def _warned(
    message: Warning | str,  # noqa: ARG001  # may quote a value
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,  # noqa: ARG001
    line: str | None = None,  # noqa: ARG001
) -> None:
    _processes.warning("%s at %s:%d", category.__name__, _short(filename), lineno)


class Line(logging.Formatter):
    """An event as one line of text, or one JSON object."""

    def __init__(self, *, as_json: bool) -> None:
        super().__init__()
        self._as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        told = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "request": _reference(record),
            "message": _message(record),
        }
        if record.exc_info and record.exc_info[1]:
            told["error"] = error_told(record.exc_info[1])
        told = {name: visible(text)[:_MOST_CHARACTERS] for name, text in told.items()}
        if self._as_json:
            return json.dumps(told)
        return "{time} {level} {logger} [{request}] {message}".format(**told) + (
            f". Traceback: {told['error']}" if "error" in told else ""
        )


def _reference(record: logging.LogRecord) -> str:
    # What gunicorn cannot read becomes no request; its thread still has the reference of the one before.
    unread = record.name == "gunicorn.error" and not str(record.msg).startswith("Error handling request")
    return "-" if unread else REFERENCE.get()


def visible(text: str) -> str:
    """The text with everything escaped that ends a line, colours a terminal or turns the direction of reading."""
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape", "surrogatepass").decode() for sign in text
    )


def error_told(error: BaseException) -> str:
    """An error and what caused it: classes, places in the code, and codes of the database. No message, no value."""
    return ", caused by ".join(_one_error(each) for each in _chain(error))


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        above = None if following.__suppress_context__ else following.__context__
        following = following.__cause__ or above


def _one_error(error: BaseException) -> str:
    name = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    places = " < ".join(f"{_short(one.filename)}:{one.lineno} {one.name}" for one in reversed(frames))
    codes = [
        str(code)
        for code in (
            getattr(error, "sqlstate", None),
            getattr(getattr(error, "diag", None), "constraint_name", None),
            getattr(error, "sqlite_errorname", None),
            getattr(error, "strerror", None) if isinstance(error, OSError) else None,
        )
        if code
    ]
    return name + (f" ({', '.join(codes)})" if codes else "") + (f" at {places}" if places else "")


def _short(file: str) -> str:
    for root in ("/site-packages/", "/certdash/"):
        _, found, after = file.rpartition(root)
        if found:
            return after if root == "/site-packages/" else f"certdash/{after}"
    return file.rpartition("/")[2]


def _message(record: logging.LogRecord) -> str:
    if record.name.partition(".")[0] == "certdash":
        return _filled(record, lambda value: value)
    if request := getattr(record, "request", None):
        status = getattr(record, "status_code", "")
        return f"{request.method} {route_of(request)} was answered {status}".rstrip()
    if record.name == "gunicorn.error" and str(record.msg).startswith(_OF_PROCESSES):
        return record.getMessage()
    if not record.args:
        return type(record.msg).__name__ if isinstance(record.msg, BaseException) else _fixed(str(record.msg))
    return _filled(record, lambda value: value if isinstance(value, int | float) else "…")


def _fixed(text: str) -> str:
    return _QUOTING.split(text, maxsplit=1)[0].strip()


def _filled(record: logging.LogRecord, shown: Callable[[Any], Any]) -> str:
    """The line with its arguments as they may be shown; of an error, what `error_told` tells."""
    given = record.args if isinstance(record.args, tuple) else ()
    args = tuple(error_told(value) if isinstance(value, BaseException) else shown(value) for value in given)
    try:
        return str(record.msg) % args if args else str(record.msg)
    except (TypeError, ValueError):  # an argument that was to be a number
        return _fixed(str(record.msg))


def route_of(request: Any) -> str:
    """The name of the address a request went to, never the address; "-" when there is none."""
    match = getattr(request, "resolver_match", None)
    return match.view_name or "-" if match else "-"


class RequestLog:
    """Gives every request its reference, which the answer's `X-Request-ID` tells, and writes its line: of those whose
    page shows the reference always, of others when asked.

    The milliseconds are those until the answer began: a download goes on after that.
    """

    def __init__(self, get_response: "Callable[[HttpRequest], HttpResponseBase]") -> None:
        self._get_response = get_response

    def __call__(self, request: "HttpRequest") -> "HttpResponseBase":
        REFERENCE.set(secrets.token_hex(8))
        begin = time.perf_counter()
        response = self._get_response(request)
        response["X-Request-ID"] = REFERENCE.get()
        level = logging.WARNING if response.status_code in _TELL_REFERENCE else logging.INFO
        if log.isEnabledFor(level):
            user = getattr(getattr(request, "_cached_user", None), "pk", None)  # asks the database for nobody
            spent = 1000 * (time.perf_counter() - begin)
            said = request.method, route_of(request), response.status_code, spent, user
            log.log(level, "%s %s %d %.0f ms user %s", *said)
        return response
