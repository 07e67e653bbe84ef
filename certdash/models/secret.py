"""A credential at rest: encrypted in the database, opened only where it is used."""

from contextlib import suppress
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models


class CredentialUnreadable(Exception):
    """The stored token cannot be decrypted with any of the configured keys."""

    def __init__(self) -> None:
        super().__init__(
            "The stored token cannot be decrypted with the keys of CERTDASH_CREDENTIAL_KEYS. "
            "The stored certificates are unchanged. Restore the former key, or enter the token again."
        )


def _keys() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.CREDENTIAL_KEYS])


class Secret:
    """Ciphertext that can be revealed on purpose and never by printing it."""

    __slots__ = ("sealed",)

    def __init__(self, sealed: str) -> None:
        self.sealed = sealed

    @classmethod
    def seal(cls, plain: str) -> "Secret":
        """Encrypt with the first configured key."""
        return cls(_keys().encrypt(plain.encode()).decode())

    @property
    def key_number(self) -> int | None:
        """Which of the configured keys opens it, the first one being 0; None when none does."""
        for number, key in enumerate(settings.CREDENTIAL_KEYS):
            with suppress(InvalidToken):
                Fernet(key).decrypt(self.sealed.encode())
                return number
        return None

    def reveal(self) -> str:
        """The plain text. Raises `CredentialUnreadable` when no configured key opens it."""
        try:
            return _keys().decrypt(self.sealed.encode()).decode()
        except InvalidToken:
            raise CredentialUnreadable from None

    def __repr__(self) -> str:
        return "Secret(…)"

    def __str__(self) -> str:
        return "…"


class SecretField(models.TextField):  # type: ignore[type-arg]  # generic only in the stubs
    """Holds a `Secret`; the column holds its ciphertext."""

    def from_db_value(self, value: str | None, *_: Any) -> Secret | None:
        return None if value is None else Secret(value)

    def to_python(self, value: Any) -> Any:
        return Secret(value) if isinstance(value, str) else value

    def get_prep_value(self, value: Any) -> Any:
        if isinstance(value, str):
            raise TypeError("A credential is stored as Secret.seal(text), never as plain text.")
        return value.sealed if isinstance(value, Secret) else value

    def value_to_string(self, obj: models.Model) -> str:
        secret: Secret = self.value_from_object(obj)
        return secret.sealed
