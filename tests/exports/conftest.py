"""Who downloads files."""

import pytest
from django.test import Client

from tests.world import Cast


@pytest.fixture
def reader(client: Client, cast: Cast) -> Client:
    client.force_login(cast.viewer)
    return client
