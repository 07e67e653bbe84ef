"""The test of a connection: a real call that costs the vendor nothing and says what is in the way."""

import pytest

from certdash import falkor
from certdash.sandbox import ADDRESS_REFUSED, DEMO, NOT_ENABLED, World, running_sandbox
from certdash.sync.connection import test_connection as try_connection
from certdash.sync.connection import usable_base_url
from tests.sync.test_run import MORNING, ORIGIN
from tests.sync.vendor import new_app


def test_it_asks_with_the_apps_own_credentials_for_nobody(vendor):
    vendor.app.app_id = "io.falkor.demo"
    try_connection(vendor.app)
    (asked,) = vendor.asked
    assert asked.keys() == {"app", "users"}
    assert asked["app"] == "io.falkor.demo"
    assert [user.endswith(".invalid") for user in asked["users"]] == [True]


@pytest.mark.parametrize(
    ("token", "kind"),
    [
        (NOT_ENABLED.token, falkor.EndpointNotEnabled),
        (ADDRESS_REFUSED.token, falkor.AddressNotAllowed),
        ("bm9ib2R5OmtleQ==", falkor.WrongToken),
    ],
)
def test_what_is_in_the_way_is_told_apart(token, kind, db):
    with running_sandbox(World(ORIGIN, 10, seed=1), MORNING) as url:
        try_connection(new_app(url, token=DEMO.token))
        with pytest.raises(kind):
            try_connection(new_app(url, "other", token=token))


def test_behind_a_proxy_names_are_the_proxys_business(settings):
    settings.ALLOW_PRIVATE_UPSTREAMS = False
    with pytest.raises(falkor.AddressRefused):
        usable_base_url("https://vendor.example")
    settings.UPSTREAM_PROXY = "http://proxy.invalid:3128"
    assert usable_base_url("https://vendor.example") == "https://vendor.example"
