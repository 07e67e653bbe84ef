"""Who acts on accounts and apps, and the mails that go out."""

from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.test import Client

from tests.world import Cast


@pytest.fixture
def admin(client: Client, cast: Cast) -> Client:
    client.force_login(cast.superuser)
    return client


@pytest.fixture
def mails(settings: Any) -> list[EmailMessage]:
    """The mails that went out, of a certdash with a mail server."""
    settings.SENDS_MAIL = True
    return mail.outbox


@pytest.fixture
def owner(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.owner)
    return client
