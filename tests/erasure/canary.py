"""A learner who is erased, and where anything of them is stored."""

from typing import Any

from django.db import connection

from certdash.models import Learner
from tests.falkor.vendors import row
from tests.prove.hunt import Hunt

EMAIL = "canarella@zwitscher.example"
CANARY = {"firstname": "Canarella", "lastname": "Zwitschersson", "email": EMAIL, "telephone": "+49 5550123987"}
CANARY |= {"city": "Zwitscherstadt"}
SECRETS = {"name": "Canarella", "rest": "Zwitscher", "telephone": "5550123987"}


def canary(state: str = "delivered", number: int = 1, **changes: Any) -> dict[str, Any]:
    certificate = {"url": f"https://c.example/zwitscher-{number}", "state": state}
    return row(**CANARY | {"certificate": certificate | changes.pop("certificate", {})} | changes)


def the_canary() -> Learner:
    return Learner.objects.get(email__icontains="zwitscher")


def hits_in_tables() -> set[str]:
    """Where in the database, by table, anything of the canary is."""
    found: set[str] = set()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            hunt = Hunt(**SECRETS)
            cursor.execute(f'SELECT * FROM "{table}"')
            for values in cursor.fetchall():
                hunt.search(table, "\n".join(_text(value) for value in values))
            found |= {table} if hunt.found else set()
    return found


def _text(value: object) -> str:
    return bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)
