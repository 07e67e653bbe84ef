"""The vendor who tells of the learner, and the owner who erases them."""

import pytest
from django.test import Client
from pytest_httpserver import HTTPServer

from certdash.models import Role
from tests import world
from tests.sync.vendor import Vendor, new_app


@pytest.fixture
def vendor(db: None, httpserver: HTTPServer) -> Vendor:
    return Vendor(httpserver, new_app(httpserver.url_for(""), groups=["Sales"]))


@pytest.fixture
def owner(vendor: Vendor) -> Client:
    client = Client()
    client.force_login(world.make_user("olivia", vendor.app, Role.OWNER))
    return client
