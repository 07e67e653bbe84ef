"""The settings with all logging on, every statement of the database included: for a search in what is logged."""

from typing import Any

from django.db.backends.signals import connection_created

from certdash.settings import *  # noqa: F403
from certdash.settings import LOGGING

LOGGING |= {
    "root": {"handlers": ["stderr"], "level": "DEBUG"},
    "loggers": {"django": {"handlers": ["stderr"], "level": "DEBUG", "propagate": False}},
}


def _log_statements(connection: Any, **_: Any) -> None:
    connection.force_debug_cursor = True


connection_created.connect(_log_statements)
