"""The one seam to the network: sessions whose connections are checked, watched and cut in time.

requests bounds a single read, not a whole call: a server that sends a byte now and then would hold a call
for ever. So every connection is made here, to an address that was checked a moment before, and is known to a
`Deadline` that shuts it down from outside when the time of the call is over.
"""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from certdash.falkor.address import Address, addresses, check_public
from certdash.falkor.errors import TooSlow, Unreachable

CONNECT_SECONDS = 10.0
READ_SECONDS = 120.0


class Deadline:
    """The end of a whole call, tries and waiting included; a context manager that leaves no thread behind."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> "Deadline":
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._timer.join()
        self._forget()

    def left(self) -> float:
        """Return the seconds that are left, 0 when there are none."""
        return max(0.0, self._end - time.monotonic())

    def check(self) -> None:
        """Raise TooSlow when the time is over."""
        if not self.left():
            raise self.error()

    def error(self) -> TooSlow:
        """Return the error of a call whose time is over."""
        return TooSlow(f"The vendor's answer was not complete after {self.seconds:g} seconds")

    def watch(self, connection: socket.socket) -> None:
        """Shut this connection down when the time is over, instead of the one before.

        A duplicate of the descriptor is kept: it stays valid whoever wraps (TLS) or closes the original.
        """
        self._forget()
        with self._lock:
            self._socket = connection.dup()
        self.check()

    @contextmanager
    def step(self, seconds: float, error: Exception) -> Iterator[Callable[[], None]]:
        """Shut the connection down, and raise `error`, also when the block takes longer than `seconds`.

        Yields a function that lets the seconds begin anew. No thread is left behind.
        """
        end, done = time.monotonic() + seconds, threading.Event()

        def renew() -> None:
            nonlocal end
            end = time.monotonic() + seconds

        def guard() -> None:
            while (left := end - time.monotonic()) > 0:
                if done.wait(left):
                    return
            self._cut()

        thread = threading.Thread(target=guard, daemon=True)
        thread.start()
        try:
            yield renew
        finally:
            done.set()
            thread.join()
            if time.monotonic() >= end:
                raise error  # whatever the cut connection looked like: an error, or an end

    def _forget(self) -> None:
        with self._lock:
            if self._socket is not None:
                self._socket.close()
            self._socket = None

    def _cut(self) -> None:
        with self._lock:
            if self._socket is not None:
                with suppress(OSError):  # it was not connected, or is so no longer: nothing waits on it
                    self._socket.shutdown(socket.SHUT_RDWR)


class Network:
    """How one call connects: until when, and whether to private addresses too. `alive` is called between two waits."""

    def __init__(self, deadline: Deadline, alive: Callable[[], None], *, allow_private: bool) -> None:
        self._deadline = deadline
        self._alive = alive
        self._allow_private = allow_private

    def connect(self, connection: HTTPConnection) -> socket.socket:
        """Return a socket connected to the first address of the connection's host (or proxy) that answers."""
        host = connection._dns_host  # with the final dot, which urllib3 keeps for looking names up
        found = addresses(host.strip("[]"), connection.port)
        # Of a proxy, the operator's own choice, nothing is asked: it is where the private network ends.
        if not self._allow_private and connection.proxy is None:
            check_public(host, found)
        timed_out = False
        for address in found:
            self._alive()  # each may take its time, and the answer's head as long again
            try:
                connected = self._connect_to(address, connection)
            except TimeoutError:
                timed_out = True
            except OSError:
                continue
            else:
                self._alive()
                return connected
        self._deadline.check()
        name = f"The proxy {host}" if connection.proxy is not None else host
        how = "did not answer" if timed_out else "refused the connection or could not be reached"
        raise Unreachable(f"{name} {how} (port {connection.port})")

    def head(self) -> AbstractContextManager[object]:
        """Bound the time in which status line and headers must be whole, even when they drip."""
        return self._deadline.step(READ_SECONDS, TimeoutError())  # like a single read that took too long

    def _connect_to(self, address: Address, connection: HTTPConnection) -> socket.socket:
        family, place = address
        made = socket.socket(family, socket.SOCK_STREAM)
        try:
            for option in connection.socket_options or ():
                made.setsockopt(*option)
            made.settimeout(max(0.001, min(CONNECT_SECONDS, self._deadline.left())))
            self._deadline.watch(made)
            made.connect(place)
        except BaseException:
            made.close()
            raise
        return made


def _pool_classes(network: Network) -> dict[str, type[HTTPConnectionPool]]:
    """Return urllib3's pools with connections that are made by `network`."""

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return network.connect(self)

        def getresponse(self) -> Any:
            with network.head():
                return super().getresponse()

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return network.connect(self)

        def getresponse(self) -> Any:
            with network.head():
                return super().getresponse()

        def connect(self) -> None:
            try:
                super().connect()
            except TimeoutError:  # urllib3 reports it as a read that took too long, which is not tried again
                raise Unreachable(f"{self.host} accepted the connection but not TLS in time") from None

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


class _Adapter(HTTPAdapter):
    def __init__(self, network: Network) -> None:
        self._pools = _pool_classes(network)
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = self._pools
        return manager


class _BasicToken(requests.auth.AuthBase):
    """Puts the token into the request, and nowhere else: not into a local variable, not into a repr."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Basic {self._token}"
        return request


class VendorSession(requests.Session):
    """A session for one try: no environment, no redirect, no reuse of connections by another call."""

    def __init__(self, network: Network, token: str, proxy: str | None) -> None:
        super().__init__()
        self.trust_env = False
        self.auth = _BasicToken(token)
        self.proxies = {"http": proxy, "https": proxy} if proxy else {}
        self.headers.clear()
        self.mount("http://", _Adapter(network))
        self.mount("https://", _Adapter(network))

    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002
        """Know no redirect: requests reads the whole body of one, even when told not to follow it."""
        return
