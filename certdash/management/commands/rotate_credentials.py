"""`manage.py rotate_credentials`: encrypts every token anew with the first credential key."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from certdash.models import App, Secret


class Command(BaseCommand):
    help = "Encrypts every token with the first key of CERTDASH_CREDENTIAL_KEYS, and says which keys can then go."

    def handle(self, *_: Any, **__: Any) -> None:
        unreadable = [app.slug for app in App.objects.order_by("slug") if not self._rotate(app)]
        if unreadable:
            raise CommandError(
                f"No key of CERTDASH_CREDENTIAL_KEYS opens the token of {', '.join(unreadable)}, which stays as it is; "
                "all others are encrypted with the first key. Remove no key yet: add the one that is missing and run "
                "this again, or enter the token again."
            )
        old = len(settings.CREDENTIAL_KEYS) - 1
        keys = {0: "There is no other key.", 1: "The second key can be removed from CERTDASH_CREDENTIAL_KEYS."}
        several = f"The keys after the first ({old}) can be removed from CERTDASH_CREDENTIAL_KEYS."
        self.stdout.write(f"Every token is encrypted with the first key. {keys.get(old, several)}")

    def _rotate(self, app: App) -> bool:
        """False when no key opens the token."""
        number = app.token.key_number
        if number:
            # Unless another one was entered meanwhile: that is encrypted with the first key already.
            stored = App.objects.filter(pk=app.pk, token=app.token)
            if stored.update(token=Secret.seal(app.token.reveal())):
                self.stdout.write(f"{app.name} ({app.slug}): encrypted anew.")
        return number is not None
