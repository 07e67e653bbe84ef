"""What holds for every test; see `tests/support` for the database, the browser and the processes."""

from pathlib import Path

import pytest
from django.conf import settings
from django.core.cache import cache

from tests.world import Cast, make_cast


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """SQLite in a file, as in real use: threads of a server that share one in memory lock each other out."""
    database = settings.DATABASES["default"]
    if database["ENGINE"] == "django.db.backends.sqlite3":
        database["TEST"]["NAME"] = str(Path(settings.DATA_DIR) / "tests.sqlite3")


@pytest.fixture(scope="session", autouse=True)
def _quick_passwords() -> None:
    """The real hash is slow on purpose: a fifth of a second for each log-in."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def _nothing_cached() -> None:
    """No test sees the counts or the failed log-ins of the one before."""
    cache.clear()


@pytest.fixture
def cast(db: None) -> Cast:
    """Superuser, owner, manager and viewer of the app `demo`, and the owner of another one."""
    return make_cast()
