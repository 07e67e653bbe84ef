"""Whose passwords are tried, and how many of them were hashed."""

from collections import Counter

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher

from certdash.models import User
from tests import world
from tests.world import Cast


@pytest.fixture
def hashed(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counts the passwords that were hashed."""
    count: Counter[str] = Counter()
    encode = MD5PasswordHasher.encode

    def counted(self: MD5PasswordHasher, password: str, salt: str) -> str:
        count["times"] += 1
        return encode(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    return count


@pytest.fixture
def people(cast: Cast) -> None:
    """Accounts of all sorts; `ghost@example.com` is the name of one and the e-mail of another."""
    User.objects.create_user("ghost", "ghost@example.com", world.PASSWORD)
    User.objects.create_user("ghost@example.com", "", "what-the-other-has")
    world.make_user("closed")
    User.objects.filter(username="closed").update(is_active=False)
    sso = world.make_user("sso")
    sso.set_unusable_password()
    sso.save()
