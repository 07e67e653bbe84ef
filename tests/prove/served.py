"""The sandbox as the proofs in processes need it: with much to write, and with an eye on who asks."""

import json
import threading
import zlib
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any

from werkzeug import Request, Response

from certdash.sandbox import DEMO, ZONE, Clock, SandboxApp, World
from tests.falkor.vendors import ENDPOINT

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

ORIGIN = date(2026, 3, 2)
_SHARE = 8
_PIECE = 1 << 16
_PATIENCE = 100  # seconds


class Turning:
    """The sandbox with every turn a day later and another eighth of its rows missing: much is withdrawn and returns.

    `pace`: seconds between two pieces of 64 kB. `halved`: half of the rows are missing, as of the next turn.
    """

    def __init__(self, certificates: int, pace: float = 0.0) -> None:
        self.pace = pace
        self.halved = False
        self.sending = threading.Event()  # set once an answer has begun
        self._app = SandboxApp(World(ORIGIN, certificates, seed=1), Clock())
        self._bodies: dict[str, bytes] = {}
        self.turn_to(0)

    def turn_to(self, turn: int) -> None:
        """Move on to another day."""
        self.turn = turn
        self._bodies.clear()
        self._app.clock.frozen = datetime(2026, 3, 2, 12, tzinfo=ZONE) + timedelta(days=turn)

    def elements(self, url: str, **asked: Any) -> list[dict[str, Any]]:
        """What it says to a question on a turn."""
        headers = {"Authorization": f"Basic {DEMO.token}"}
        request = Request.from_values(f"{url}{ENDPOINT}", method="POST", json=asked, headers=headers)
        elements: list[dict[str, Any]] = json.loads(self._body(request))["data"]
        return elements

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        body = self._body(Request(environ))
        return Response(self._pieces(body), mimetype="application/json")(environ, start_response)

    def _pieces(self, body: bytes) -> Iterator[bytes]:
        for start in range(0, len(body), _PIECE):
            self.sending.set()
            yield body[start : start + _PIECE]
            threading.Event().wait(self.pace)

    def _body(self, request: Request) -> bytes:
        question = request.get_data(as_text=True)
        if question not in self._bodies:
            environ = request.environ | {"wsgi.input": BytesIO(question.encode()), "HTTP_ACCEPT_ENCODING": "identity"}
            answer = json.loads(Response.from_app(self._app, environ).get_data())
            for element in answer["data"]:
                element["certificates"] = [row for row in element["certificates"] if not self._is_missing(row)]
            self._bodies[question] = json.dumps(answer).encode()
        return self._bodies[question]

    def _is_missing(self, row: dict[str, Any]) -> bool:
        name = f"{row['email']} {row['firstname']} {row['certificate']['timestamp']}"
        number = zlib.crc32(name.encode())
        return number % _SHARE == self.turn % _SHARE or (self.halved and number % 2 == 0)


class Waiting:
    """The sandbox, which counts what it is asked and answers nothing before it may."""

    def __init__(self, certificates: int) -> None:
        self.may_answer = threading.Event()
        self.calls: list[dict[str, Any]] = []
        self._app = SandboxApp(World(ORIGIN, certificates, seed=1), Clock(datetime(2026, 3, 2, 12, tzinfo=ZONE)))

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        question = Request(environ).get_data()
        self.calls.append(json.loads(question))
        self.may_answer.wait(_PATIENCE)
        return self._app(environ | {"wsgi.input": BytesIO(question)}, start_response)
