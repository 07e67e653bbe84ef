"""How the fake vendor misbehaves: named scenarios, each played over the honest sandbox.

Only calls to the certificates endpoint are answered in another way; permalinks and the clock stay as they are.
"""

import threading
from collections import Counter
from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request

from certdash.sandbox.app import SandboxApp
from certdash.sandbox.request import Refused, read_object
from certdash.sandbox.scenarios.amounts import AMOUNTS
from certdash.sandbox.scenarios.bodies import BODIES
from certdash.sandbox.scenarios.call import Call, Scenario
from certdash.sandbox.scenarios.connections import CONNECTIONS
from certdash.sandbox.scenarios.flapping import FLAPPING
from certdash.sandbox.scenarios.groups import GROUPS
from certdash.sandbox.scenarios.refusals import REFUSALS
from certdash.sandbox.scenarios.shapes import SHAPES
from certdash.sandbox.scenarios.values import VALUES
from certdash.sandbox.scenarios.wire import Wire

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ENDPOINT = "/v1/logs/story-certificates"

#: Every scenario by its name.
SCENARIOS = {
    each.name: each for each in (*REFUSALS, *CONNECTIONS, *BODIES, *SHAPES, *VALUES, *AMOUNTS, *GROUPS, *FLAPPING)
}

__all__ = ["SCENARIOS", "Misbehaving", "Scenario"]


class Misbehaving:
    """The sandbox as a WSGI application that plays a scenario, or none.

    It needs werkzeug's own server (`SandboxServer`), which hands over the raw connection.
    """

    def __init__(self, app: SandboxApp, scenario: Scenario | None = None) -> None:
        self._app = app
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self.play(scenario)

    def play(self, scenario: Scenario | None) -> None:
        """Change to another scenario, or to none; calls are counted anew."""
        with self._lock:
            self.scenario, self._calls = scenario, Counter[str]()

    @property
    def calls(self) -> int:
        """How many calls to the endpoint there were since the scenario began."""
        with self._lock:
            return self._calls.total()

    def stop(self) -> None:
        """End, within a moment, every answer that goes on for ever; to be called when the server stops."""
        self._stopped.set()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        return self._chosen(Request(environ))(environ, start_response)

    def _chosen(self, request: Request) -> "WSGIApplication":
        """Who answers: the scenario, or the sandbox itself."""
        if (request.method, request.path) != ("POST", ENDPOINT):
            return self._app
        try:
            asked = read_object(request)
        except HTTPException:  # too large, and not read
            return self._app
        except Refused:
            asked = None
        request.environ["wsgi.input"] = BytesIO(request.get_data())
        if asked is None:
            return self._app
        call, scenario = self._note(request, asked)
        return scenario.answer(call) if scenario and scenario.when(call) else self._app

    def _note(self, request: Request, asked: dict[str, object]) -> tuple[Call, Scenario | None]:
        question = repr(sorted(asked.items()))
        with self._lock:
            number, repeat, scenario = self._calls.total(), self._calls[question], self.scenario
            self._calls[question] += 1
        wire = Wire(request.environ["werkzeug.socket"], self._stopped)
        return Call(request, asked, self._app, number, repeat, wire), scenario
