"""Nothing is written by looking at pages and files."""

import pytest
from django.apps import apps as registry
from django.db import connection
from django.test.utils import CaptureQueriesContext

from certdash.models import AuditEntry
from tests.every_page import addresses, fill
from tests.world import make_run

pytestmark = pytest.mark.django_db

VISITS = ("visited_at", "visited_before")


def everything():
    """All rows of all tables but the sessions and the audit, to which downloads add, as text, without visits."""
    models = [model for model in registry.get_models() if model._meta.app_label == "certdash"]
    models.remove(AuditEntry)
    return {
        model.__name__: sorted(
            repr([item for item in row.items() if item[0] not in VISITS]) for row in model._base_manager.values()
        )
        for model in models
    }


def test_looking_writes_nothing(client, cast):
    fill(cast.demo, 3)
    make_run(cast.demo, "held", missing=3)
    client.force_login(cast.owner)
    before = everything()
    with CaptureQueriesContext(connection) as queries:
        for address in addresses().values():
            separator = "&" if "?" in address else "?"
            for query in ("", f"{separator}_export=csv", f"{separator}nonsense=1"):
                response = client.get(address + query)
                b"".join(response) if response.streaming else response.content
    assert everything() == before
    written = [
        query["sql"] for query in queries if not query["sql"].startswith(("SELECT", "(SELECT", "SAVEPOINT", "RELEASE"))
    ]
    # Downloads, and when somebody was here.
    noted = ('INSERT INTO "certdash_auditentry"', 'UPDATE "django_session"', 'UPDATE "certdash_user" SET "visited_')
    assert [sql for sql in written if "CURSOR" not in sql and not sql.startswith(noted)] == []
