"""`manage.py vacuum`: gives back space that is no longer used, with what was deleted there."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection


class Command(BaseCommand):
    help = "Writes the database anew, so that its files hold nothing of what was deleted."

    def handle(self, *_: Any, **__: Any) -> None:
        try:
            with connection.cursor() as cursor:
                if connection.vendor == "sqlite":
                    cursor.execute("VACUUM")
                    # The log holds the former pages until the file has taken them over.
                    (busy, *_) = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                    if busy:
                        raise CommandError(
                            "The database was written anew, but its log is in use and still holds what was deleted. "
                            "Run this again when nothing long is going on, a download say."
                        )
                else:
                    cursor.execute("VACUUM (FULL, ANALYZE)")
        except OperationalError as error:
            raise CommandError(f"The database was not written anew: {error}. Nothing is lost; try again.") from None
        self.stdout.write("The database was written anew: its files hold nothing of what was deleted.")
