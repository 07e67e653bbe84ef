"""The vendor proves who it is by its certificate, by name, also when connected to by address."""

import datetime
import socket
import ssl
import threading

import pytest
import requests.adapters
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from certdash import falkor
from certdash.falkor import transport

from .vendors import drips, read_request, success


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Return the path of a key with its self-signed certificate for the name `vendor.example`."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "vendor.example")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("vendor.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "vendor.pem"
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    secret = key.private_bytes(encoding, form, serialization.NoEncryption())
    path.write_bytes(secret + signed.public_bytes(encoding))
    return path


@pytest.fixture
def tls(serve, certificate, monkeypatch):
    """Start a TLS server whose handler speaks once the request is there; every name leads to it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    real = socket.getaddrinfo

    def to_loopback(host, port, *args, **options):
        return real(host if options.get("flags") else "127.0.0.1", port, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", to_loopback)

    def start(speak):
        def handler(connection):
            with context.wrap_socket(connection, server_side=True) as secured:
                read_request(secured)
                speak(secured)

        return serve(handler, read_request=False)

    return start


@pytest.fixture
def trusted(certificate, monkeypatch):
    monkeypatch.setattr(requests.adapters, "DEFAULT_CA_BUNDLE_PATH", str(certificate))


def whole(connection):
    text = success()
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(text) + text)


def test_a_certificate_is_checked_against_the_name_of_the_url(tls, trusted, connect):
    connect(f"https://vendor.example:{tls(whole).port}").certificates().close()


@pytest.mark.parametrize("host", ["other.test", "127.0.0.1"])
def test_a_certificate_for_another_name_is_untrusted_and_not_tried_again(host, tls, trusted, connect):
    server = tls(whole)
    with pytest.raises(falkor.Untrusted):
        connect(f"https://{host}:{server.port}").certificates()
    assert server.connections == 1


def test_a_certificate_that_nobody_signed_is_untrusted(tls, connect):
    with pytest.raises(falkor.Untrusted):
        connect(f"https://vendor.example:{tls(whole).port}").certificates()


@pytest.mark.parametrize("beginning", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\n\r\n{"], ids=["head", "body"])
def test_the_deadline_cuts_what_drips_through_tls(beginning, tls, trusted, connect):
    server = tls(drips(beginning, b" "))
    with pytest.raises(falkor.TooSlow):
        connect(f"https://vendor.example:{server.port}", deadline=0.6).certificates()
    assert server.connections == 1


def test_headers_that_drip_through_tls_are_cut_before_the_deadline(tls, trusted, connect, monkeypatch):
    monkeypatch.setattr(transport, "READ_SECONDS", 0.3)
    server = tls(drips(b"HTTP/1.1 200 OK\r\nX: ", b" "))
    with pytest.raises(falkor.TooSlow, match=r"vendor\.example did not begin to answer"):
        connect(f"https://vendor.example:{server.port}", deadline=5).certificates()
    assert server.connections == 1


def test_a_tls_address_that_speaks_plain_http_is_unreachable(serve, connect):
    server = serve(lambda c: c.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"), read_request=False)
    with pytest.raises(falkor.Unreachable):
        connect(server.url.replace("http", "https")).certificates()


def proxy_to(port):
    """Return a handler that is a CONNECT proxy in front of a port."""

    def relay(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass

    def handler(connection):
        assert connection.recv(65536).startswith(b"CONNECT vendor.example:")
        with socket.create_connection(("127.0.0.1", port)) as upstream:
            connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            back = threading.Thread(target=relay, args=(upstream, connection))
            back.start()
            relay(connection, upstream)
            upstream.shutdown(socket.SHUT_RDWR)
            back.join()

    return handler


def test_through_a_proxy_the_certificate_is_still_the_vendors(tls, trusted, serve, connect):
    proxy = serve(proxy_to(tls(whole).port), read_request=False)
    connect("https://vendor.example:4433", proxy=proxy.url, allow_private=False).certificates().close()
    assert proxy.connections == 1


def test_through_a_proxy_the_deadline_cuts_too(tls, trusted, serve, connect):
    proxy = serve(proxy_to(tls(drips(b"HTTP/1.1 200 OK\r\n\r\n", b" ")).port), read_request=False)
    with pytest.raises(falkor.TooSlow):
        connect("https://vendor.example:4433", proxy=proxy.url, deadline=0.6).certificates()


def test_a_proxy_that_refuses_is_told_without_its_password(serve, connect, caplog):
    def refuse(connection):
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 407 No\r\n\r\n")

    proxy = serve(refuse, read_request=False)
    url = proxy.url.replace("http://", "http://someone:canary@")
    with pytest.raises(falkor.Unreachable) as caught:
        connect("https://vendor.example:4433", proxy=url).certificates()
    assert "proxy" in str(caught.value)
    assert "canary" not in str(caught.value) + caplog.text


def test_a_proxy_that_is_not_there_is_named(connect):
    with pytest.raises(falkor.Unreachable) as caught:
        connect("https://vendor.example:4433", proxy="http://127.0.0.1:1").certificates()
    assert "The proxy 127.0.0.1" in str(caught.value)
