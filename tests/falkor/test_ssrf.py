"""Where a base URL could lead inside: refused when it is saved, and again when it is called, whatever DNS says then."""

import io
import socket

import pytest
from django.core.management import CommandError, call_command
from pytest_httpserver import HTTPServer

from certdash import falkor
from certdash.models import App, Secret
from certdash.sync.connection import test_connection as ask_vendor
from tests import world

from .test_address import dns  # noqa: F401
from .vendors import ENDPOINT

# How the machine itself, its network and the services of clouds are written to get past a check.
SSRF = [
    "127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0x7f.1", "017700000001", "0177.0.0.1",
    "0177.1", "127.0.0.1.", "127.000.000.001", "0", "0.0.0.0", "00000000", "localhost", "localhost.", "LOCALHOST",
    "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[0000::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]",
    "[0:0:0:0:0:ffff:127.0.0.1]", "[64:ff9b::127.0.0.1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::]", "[2001:0:7f00:1::]", "[2001:0:4136:e378:8000:63bf:80ff:fffe]", "[::ffff:0:127.0.0.1]",
    "[fe80::5efe:127.0.0.1]", "[2606:2800:220:1:0:5efe:7f00:1]", "[fe80::1]", "[fe80::1%25lo]", "[fc00::1]",
    "[fd00:ec2::254]", "[fec0::1]", "[ff02::1]", "10.0.0.1", "10.1", "0xa.0.0.1", "172.16.0.1", "172.31.255.254",
    "192.168.0.1", "3232235521", "100.64.0.1", "100.100.100.200", "169.254.169.254", "0xa9fea9fe", "2852039166",
    "169.254.43518", "192.0.0.192", "192.88.99.1",
    "metadata.google.internal", "printer.local", "a.localhost",
    "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    "１２７.0.0.1", "①②⑦.⓪.⓪.①", "127。0。0。1", "user@127.0.0.1", "api.vendor.example@127.0.0.1",
    "127.0.0.1#@api.vendor.example", "127.0.0.1\\@api.vendor.example", "api.vendor.example\t@127.0.0.1",
]  # fmt: skip


@pytest.fixture
def strict(settings, dns):  # noqa: F811
    """As in production, with names that lead where the test says."""
    settings.ALLOW_PRIVATE_UPSTREAMS = False
    dns["localhost"] = dns["localhost."] = ["127.0.0.1", "::1"]
    return dns


@pytest.mark.parametrize("resolve", [True, False])
@pytest.mark.parametrize("host", SSRF)
def test_nothing_inside_is_a_base_url(host, resolve, strict):
    with pytest.raises(falkor.AddressRefused) as caught:
        falkor.check_base_url(f"https://{host}/", allow_private=False, resolve=resolve)
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(
    "scheme", ["http", "ftp", "file", "gopher", "dict", "unix", "HTTP", "javascript", "https:https"]
)
def test_only_https_is_a_base_url(scheme, strict):
    with pytest.raises(falkor.AddressRefused):
        falkor.check_base_url(f"{scheme}://api.vendor.example/", allow_private=False)


def form(url):
    return {"name": "New", "base_url": url, "token": world.TOKEN, "refresh_minutes": "15", "untested": "1"}


@pytest.mark.parametrize("host", SSRF)
def test_the_form_explains_and_saves_nothing(host, strict, client, cast):
    client.force_login(cast.superuser)
    page = client.post("/apps/add/", form(f"https://{host}/"))
    assert page.status_code == 422
    assert "base_url" in page.context["form"].errors
    assert not App.objects.filter(slug="new").exists()


@pytest.mark.parametrize("proxy", [None, "http://proxy.example:3128"])
def test_neither_does_the_form_of_a_stored_connection(proxy, strict, client, cast, settings):
    settings.UPSTREAM_PROXY = proxy
    client.force_login(cast.owner)
    page = client.post("/apps/demo/connection/", form("https://169.254.169.254/"))
    assert page.status_code == 422
    assert "private or local" in page.content.decode()
    assert App.objects.get(slug="demo").base_url == "http://127.0.0.1:9"


def test_nor_the_command(strict, db, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(world.TOKEN))
    for host in SSRF:
        with pytest.raises(CommandError):
            call_command("add_app", "new", name="New", base_url=f"https://{host}/")
    assert not App.objects.exists()


def test_a_name_that_turned_inward_is_not_connected_to(strict, cast):
    """Saved while it led outside; whoever owns the name then lets it lead to this machine."""
    with HTTPServer() as inside:
        strict["rebound.example"] = ["93.184.215.14"]
        url = falkor.check_base_url(f"https://rebound.example:{inside.port}", allow_private=False)
        app = world.make_app("rebound", base_url=url, token=Secret.seal(world.TOKEN))
        strict["rebound.example"] = ["127.0.0.1"]
        with pytest.raises(falkor.AddressRefused, match="private or local"):
            ask_vendor(app)
        assert inside.log == []


def test_a_resolver_that_changes_its_answer_cannot_change_the_target(strict, settings, monkeypatch):
    """What was looked up is checked and connected to: there is no second question in between."""
    asked, connected = [], []

    def resolve(host, port, *_, flags=0, **__):
        if flags & socket.AI_NUMERICHOST:
            raise socket.gaierror
        asked.append(host)
        number = "93.184.215.14" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (number, port))]

    def connect(_socket, place):
        connected.append(place)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket.socket, "connect", connect)
    options = {"spool_dir": settings.SPOOL_DIR, "deadline": 5, "allow_private": False}
    with pytest.raises(falkor.FalkorError):
        falkor.FalkorClient("https://turning.example", world.TOKEN, **options).certificates()
    assert connected == [("93.184.215.14", 443)]


def test_one_address_inside_among_public_ones_is_enough_to_refuse(strict):
    strict["mixed.example"] = ["93.184.215.14", "10.0.0.1"]
    with pytest.raises(falkor.AddressRefused):
        falkor.check_base_url("https://mixed.example", allow_private=False)


def test_a_redirection_inward_is_not_followed(cast, httpserver):
    inward = "http://169.254.169.254/latest/meta-data/"
    httpserver.expect_request(ENDPOINT).respond_with_data("", 302, {"Location": inward})
    app = world.make_app("moved", base_url=httpserver.url_for(""), token=Secret.seal(world.TOKEN))
    with pytest.raises(falkor.Redirected):
        ask_vendor(app)
    assert len(httpserver.log) == 1
