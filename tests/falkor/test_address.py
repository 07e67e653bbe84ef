"""Which base URLs are accepted, and which addresses are connected to."""

import socket

import pytest

from certdash import falkor
from certdash.falkor import body
from certdash.falkor.address import is_public

from .vendors import ENDPOINT, success


@pytest.fixture
def dns(monkeypatch):
    """Let names lead to given addresses; numbers stay what they are."""
    real = socket.getaddrinfo
    names: dict[str, list[str]] = {}
    asked: list[str] = []

    def fake(host, port, *args, flags=0, **options):
        if host in names and not flags & socket.AI_NUMERICHOST:
            asked.append(host)
            return [found for one in names[host] for found in real(one, port, type=socket.SOCK_STREAM)]
        return real(host, port, *args, flags=flags | socket.AI_NUMERICHOST, **options)

    monkeypatch.setattr(socket, "getaddrinfo", fake)
    names["api.vendor.example"] = ["93.184.215.14"]
    names["asked"] = asked
    return names


@pytest.mark.parametrize(
    ("entered", "kept"),
    [
        ("https://api.vendor.example", "https://api.vendor.example"),
        (" https://API.Vendor.example/ \n", "https://api.vendor.example"),
        ("https://api.vendor.example/v1", "https://api.vendor.example"),
        ("https://api.vendor.example/v1/", "https://api.vendor.example"),
        ("https://api.vendor.example" + ENDPOINT, "https://api.vendor.example"),
        ("https://api.vendor.example/tenant/a" + ENDPOINT + "/", "https://api.vendor.example/tenant/a"),
        ("https://api.vendor.example:443/v2", "https://api.vendor.example/v2"),
        ("https://api.vendor.example:8443", "https://api.vendor.example:8443"),
        ("https://93.184.215.14", "https://93.184.215.14"),
        (
            "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]:444",
            "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]:444",
        ),
    ],
)
def test_a_good_base_url_is_normalised(entered, kept, dns):
    assert falkor.check_base_url(entered, allow_private=False) == kept
    assert falkor.check_base_url(kept, allow_private=False) == kept


def test_a_name_in_another_script_is_kept_in_ascii(dns):
    dns["xn--bcher-kva.example"] = ["93.184.215.14"]
    assert falkor.check_base_url("https://bücher.example", allow_private=False) == "https://xn--bcher-kva.example"


SENSELESS = [
    "", "api.vendor.example", "ftp://api.vendor.example", "https://", "https:///v1", "https://:443",
    "javascript:alert(1)", "https://user:canary@api.vendor.example", "https://canary@api.vendor.example",
    "https://@api.vendor.example", "https://api.vendor.example?x=1", "https://api.vendor.example/#x",
    "https://api.vendor.example:0", "https://api.vendor.example:65536", "https://api.vendor.example:abc",
    "https://api.vendor.example\\@evil.example", "https://api.vendor .example",
    "https://api.vendor.example/a\r\nHost: x", "https://[::1", "https://[fe80::1%25eth0]",
    "https://[1.2.3.4]", "https://a..example", "https://-a.example", "https://" + "a" * 64 + ".example",
    "https://*.example", "https://api.vendor.example/ä", "https://api.vendor.example/%zz",
]  # fmt: skip


@pytest.mark.parametrize("entered", SENSELESS)
@pytest.mark.parametrize("allow_private", [False, True])
def test_a_senseless_base_url_is_refused_with_a_sentence(entered, allow_private, dns):
    with pytest.raises(falkor.AddressRefused) as caught:
        falkor.check_base_url(entered, allow_private=allow_private)
    assert "canary" not in str(caught.value)
    assert str(caught.value).endswith(".")


PRIVATE = [
    "127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "0.0.0.0", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "::1", "::",
    "fe80::1", "fe80::1%1", "fc00::1", "fec0::1", "ff02::1", "2001:db8::1", "::ffff:127.0.0.1",
    "::ffff:10.0.0.1", "::127.0.0.1", "2002:7f00:1::", "2002:a00:1::", "64:ff9b::7f00:1",
    "64:ff9b::10.0.0.1", "64:ff9b:1::1", "2001:0:7f00:1::",
]  # fmt: skip
PUBLIC = ["93.184.215.14", "8.8.8.8", "2606:2800:21f::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"]


@pytest.mark.parametrize("address", PRIVATE)
def test_a_name_that_leads_to_a_private_address_is_refused(address, dns):
    assert not is_public(address)
    dns["rebound.example"] = ["93.184.215.14", address]
    with pytest.raises(falkor.AddressRefused) as caught:
        falkor.check_base_url("https://rebound.example", allow_private=False)
    assert "private or local" in str(caught.value)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_accepted_in_every_notation(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0x7f.1",
        "[::1]",
        "[::ffff:7f00:1]",
        "127.0.0.1.",
    ],
)
@pytest.mark.parametrize("resolve", [True, False])
def test_loopback_is_refused_in_every_spelling(host, resolve, dns):
    with pytest.raises(falkor.AddressRefused):
        falkor.check_base_url(f"https://{host}", allow_private=False, resolve=resolve)


@pytest.mark.parametrize(
    "host",
    ["redis", "redis.", "kubernetes.default.svc", "vault.svc.cluster", "db.svc.cluster.local", "printer.lan",
     "wiki.corp", "nas.home", "app.test", "a.invalid", "router.home.arpa", "Redis", "host.docker.internal"],
)  # fmt: skip
@pytest.mark.parametrize("resolve", [True, False])
def test_a_name_that_only_the_own_network_knows_is_refused_also_where_a_proxy_looks_names_up(host, resolve, dns):
    dns[host.lower()] = ["93.184.215.14"]  # whatever it leads to
    with pytest.raises(falkor.AddressRefused, match="private or local"):
        falkor.check_base_url(f"https://{host}", allow_private=False, resolve=resolve)


@pytest.mark.parametrize("host", ["vendor.example.com", "test.example.com", "corp.example", "[2606:4700::1111]"])
def test_a_name_that_only_looks_like_one_of_them_is_taken(host, dns):
    assert falkor.check_base_url(f"https://{host}", allow_private=False, resolve=False) == f"https://{host}"


def test_a_name_without_an_address_is_refused_when_saved(dns):
    with pytest.raises(falkor.AddressRefused) as caught:
        falkor.check_base_url("https://nowhere.example", allow_private=False)
    assert "could not be found" in str(caught.value)


def test_without_looking_names_up_only_the_url_is_judged(dns):
    kept = falkor.check_base_url("https://nowhere.example/", allow_private=False, resolve=False)
    assert kept == "https://nowhere.example"
    assert dns["asked"] == []


def test_http_and_private_addresses_need_permission(dns):
    for url in ("http://api.vendor.example", "http://127.0.0.1:8001", "https://127.0.0.1:8001"):
        with pytest.raises(falkor.AddressRefused):
            falkor.check_base_url(url, allow_private=False)
        assert falkor.check_base_url(url, allow_private=True) == url


def test_a_name_that_turned_private_is_refused_when_connecting_and_not_tried_again(dns, connect, serve):
    server = serve(lambda connection: None, read_request=False)
    dns["rebound.example"] = ["93.184.215.14"]
    url = falkor.check_base_url(f"https://rebound.example:{server.port}", allow_private=False)
    dns["rebound.example"] = ["127.0.0.1"]
    dns["asked"].clear()
    with pytest.raises(falkor.AddressRefused):
        connect(url, allow_private=False).certificates()
    assert server.connections == 0
    assert dns["asked"] == ["rebound.example"]


def test_a_stored_url_that_may_not_be_asked_is_refused_when_called(connect):
    for url in ("http://93.184.215.14", "https://127.0.0.1:1", "https://user:pw@vendor.example"):
        with pytest.raises(falkor.AddressRefused):
            connect(url, allow_private=False).certificates()


def test_a_call_gives_a_sign_of_life_between_addresses_that_do_not_answer(dns, connect, httpserver, monkeypatch):
    """Each may take ten seconds, and who asks must not be taken for dead meanwhile."""
    monkeypatch.setattr(body, "_REPORT_SECONDS", 0.0)
    dns["vendor.example"] = [f"127.0.0.{number}" for number in range(2, 8)] + ["127.0.0.1"]
    httpserver.expect_request(ENDPOINT).respond_with_data(success())
    seen: list[int] = []
    connect(f"http://vendor.example:{httpserver.port}").certificates(progress=seen.append).close()
    assert seen.count(0) >= 1 + 7


def test_a_name_is_resolved_once_and_its_addresses_are_tried_in_order(dns, connect, httpserver):
    httpserver.expect_request(ENDPOINT).respond_with_data(success())
    dns["vendor.example"] = ["::1", "127.0.0.2", "127.0.0.1"]
    connect(f"http://vendor.example:{httpserver.port}").certificates().close()
    assert dns["asked"] == ["vendor.example"]
    assert httpserver.log[0][0].headers["Host"] == f"vendor.example:{httpserver.port}"


def test_a_name_that_does_not_resolve_is_unreachable(dns, connect):
    with pytest.raises(falkor.Unreachable) as caught:
        connect("http://nowhere.invalid").certificates()
    assert "nowhere.invalid" in str(caught.value)
