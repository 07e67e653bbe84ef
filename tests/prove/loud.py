"""The settings with all logging on, every statement of the database included, and every line written as it came.

For a search in what is logged: what `certdash.logs` leaves out must not hide what we hand to it.
"""

from typing import Any

from django.db.backends.signals import connection_created

from certdash.settings import *  # noqa: F403
from certdash.settings import LOGGING

LOGGING |= {
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "root": {"handlers": ["stderr"], "level": "DEBUG"},
    "loggers": {"django": {"handlers": ["stderr"], "level": "DEBUG", "propagate": False}},
}


def _log_statements(connection: Any, **_: Any) -> None:
    connection.force_debug_cursor = True


connection_created.connect(_log_statements)
