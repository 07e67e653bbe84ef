"""`FalkorClient`: one call to the vendor, with its tries and its deadline."""

import base64
import json
import logging
import random
import re
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import quote, urlsplit

import requests
import urllib3

from certdash import __version__
from certdash.falkor.address import ENDPOINT, check_base_url
from certdash.falkor.body import Meter, on_disk, spool
from certdash.falkor.errors import FalkorError
from certdash.falkor.payload import Answer
from certdash.falkor.token import normalise_token
from certdash.falkor.transport import CONNECT_SECONDS, READ_SECONDS, Deadline, Network, VendorSession
from certdash.falkor.verdict import network_error, status_error

TRIES = 3
BACKOFF_SECONDS = 2.0  # the longest pause before the second try; it doubles before the third
MESSAGE_LENGTH = 1000

_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
    "Content-Type": "application/json",
    "User-Agent": f"certdash/{__version__}",
}

log = logging.getLogger(__name__)


class FalkorClient:
    """One vendor account, asked over HTTP.

    `token`: any of the three forms that `normalise_token` takes; ValueError when it is none of them.
    `spool_dir`: where an answer lies while it is read; created (mode 0700) when missing.
    `deadline`: seconds that one call may take in all, tries and waiting included. Only looking up a name
    cannot be interrupted: a name server that does not answer may hold a call a little longer.
    `max_bytes`: the largest answer, after decompression.
    `proxy`: URL of the outgoing proxy; nothing of the environment's proxies is used. With a proxy the
    addresses of the vendor's name are the proxy's business.
    `allow_private`: permits `http` and loopback or private addresses.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        spool_dir: Path,
        deadline: float = 600,
        max_bytes: int = 1024 * 2**20,
        proxy: str | None = None,
        allow_private: bool = False,
    ) -> None:
        self._base_url = base_url
        self._token = normalise_token(token)
        self._spool_dir = spool_dir
        self._deadline = deadline
        self._max_bytes = max_bytes
        self._proxy = proxy
        self._allow_private = allow_private

    def certificates(
        self,
        app: str = "",
        story: str = "",
        groups: Sequence[str] = (),
        users: Sequence[str] = (),
        progress: Callable[[int], None] | None = None,
    ) -> Answer:
        """Ask for certificates: POST `<base>/v1/logs/story-certificates` with the keys that are given.

        `app`, `story`: ID or name. `groups`: names. `users`: names or e-mail addresses. None of them: every
        story, user and group of the account.
        `progress` gets the decompressed bytes so far: before each try, between the addresses that are tried, then
        at most once per MB or second as long as the body comes, be it an error's, and every second while waiting for
        the next try; not while the vendor is silent or sends status and headers, each READ_SECONDS at most. What it
        raises ends the call and passes through.

        Returns the whole answer, spooled to a file that is gone when the Answer is closed. Raises FalkorError.
        """
        given = {"app": app, "story": story, "groups": list(groups), "users": list(users)}
        body = json.dumps({key: value for key, value in given.items() if value}).encode("ascii")
        base = check_base_url(self._base_url, allow_private=self._allow_private, resolve=False)
        meter = Meter(progress)
        with Deadline(self._deadline) as deadline:
            tries = 0
            while True:
                meter.report(0)
                outcome = self._try(base + ENDPOINT, body, deadline, meter)
                if isinstance(outcome, Answer):
                    return outcome
                tries += 1
                if tries == TRIES or not outcome.retryable:
                    raise outcome
                _wait(_pause(outcome, tries, deadline), meter)

    def _try(self, url: str, body: bytes, deadline: Deadline, meter: Meter) -> Answer | FalkorError:
        """Make one try. Its failure is returned without traceback and chain: they lead through frames of
        requests whose local variables hold the token, and some error reports print those.
        """
        host, began = urlsplit(url).hostname or "", time.monotonic()
        outcome: Answer | FalkorError
        try:
            outcome = self._fetch(url, body, deadline, meter)
        except FalkorError as error:
            outcome = error
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            outcome = network_error(error, host)
        seconds = time.monotonic() - began
        if isinstance(outcome, Answer):
            log.info("%s: %d bytes in %.1f s", host, outcome.size, seconds)
            return outcome
        if not deadline.left():
            outcome = deadline.error()  # whatever the cut connection looked like
        log.warning("%s: %s after %.1f s", host, type(outcome).__name__, seconds)
        outcome.vendor_message = self._redacted(outcome.vendor_message)
        outcome.__context__ = None
        return outcome.with_traceback(None)

    def _fetch(self, url: str, body: bytes, deadline: Deadline, meter: Meter) -> Answer:
        network = Network(deadline, meter.alive, allow_private=self._allow_private)
        timeout = (CONNECT_SECONDS, READ_SECONDS)
        with (
            VendorSession(network, self._token, self._proxy) as session,
            session.post(url, data=body, headers=_HEADERS, timeout=timeout, stream=True) as response,
        ):
            meter.alive()  # the head may have taken its time, and the body may take as long again
            if response.status_code // 100 != 2:
                raise status_error(response, deadline, meter)
            return self._spooled(response, deadline, meter)

    def _spooled(self, response: requests.Response, deadline: Deadline, meter: Meter) -> Answer:
        with on_disk():
            self._spool_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Mode 0600 and without a name from the start: nothing stays behind even when we are killed.
            # Unbuffered, because closing a buffer that the disk did not take fails a second time.
            made = tempfile.TemporaryFile(dir=self._spool_dir, buffering=0)  # noqa: SIM115
        with made as file:
            size = spool(response, file, self._max_bytes, deadline, meter)
            deadline.check()  # a connection that was cut can look like one that ended
            return Answer(file, size)

    def _redacted(self, message: str) -> str:
        """Take the token out of what the vendor says, should it quote it, and then bound it."""
        pair = base64.b64decode(self._token).decode("utf-8", "replace")
        for secret in (self._token, pair, *pair.split(":", 1)):
            if len(secret) >= 8:
                forms = "|".join(map(re.escape, (secret, quote(secret, safe=""))))
                message = re.sub(forms, "…", message, flags=re.IGNORECASE)
        return message[:MESSAGE_LENGTH]


def _pause(failure: FalkorError, tries: int, deadline: Deadline) -> float:
    """Return the seconds to wait before the next try; raise the failure when there is no time for one."""
    # Jitter, so that many apps on one vendor that failed together do not come back together.
    longest = BACKOFF_SECONDS * 2 ** (tries - 1)
    jitter = random.uniform(longest / 2, longest)  # noqa: S311
    pause = jitter if failure.retry_after is None else failure.retry_after
    if pause < deadline.left():
        return pause
    if failure.retry_after is not None:
        seconds = f"{pause:.0f} seconds, " if pause < 86_400 else ""
        failure.what += f" and asks to wait {seconds}longer than this call may still take"
    raise failure


def _wait(seconds: float, meter: Meter) -> None:
    """Sleep, and let the caller know each second that the call is alive."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(1.0, left))
        meter.report(0)
