"""Who saves views."""

import pytest
from django.test import Client

from tests.saved_views.saving import client_of
from tests.world import Cast


@pytest.fixture
def viewer(cast: Cast) -> Client:
    return client_of(cast.viewer)
