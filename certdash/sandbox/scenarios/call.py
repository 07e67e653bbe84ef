"""A call to the certificates endpoint, as a scenario sees it, and what a scenario is."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from werkzeug.wrappers import Request, Response

from certdash.sandbox.app import SandboxApp
from certdash.sandbox.scenarios.wire import Wire

#: Decoded JSON whose shape is about to be spoilt.
Answer = dict[str, Any]
Data = list[dict[str, Any]]


@dataclass(frozen=True)
class Call:
    """One call. `number` counts the calls that the scenario got before; `repeat` those that asked the same."""

    request: Request
    asked: dict[str, object]
    app: SandboxApp
    number: int
    repeat: int
    wire: Wire

    def honest(
        self, app: SandboxApp | None = None, asked: Mapping[str, object] | None = None, token: str = ""
    ) -> Response:
        """What the sandbox itself answers, not compressed: this one or another, asked so or otherwise, by whom else."""
        body = self.request.get_data() if asked is None else json.dumps(asked).encode()
        environ = {**self.request.environ, "wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        environ["HTTP_ACCEPT_ENCODING"] = "identity"
        if token:
            environ["HTTP_AUTHORIZATION"] = f"Basic {token}"
        return Response.from_app(app or self.app, environ)


Answerer = Callable[[Call], Response]


@dataclass(frozen=True)
class Scenario:
    """One way to misbehave. `answer` answers those calls for which `when` holds; the others are answered honestly."""

    name: str
    description: str
    answer: Answerer
    when: Callable[[Call], bool] = lambda _: True


# -- Ways to make an answerer of an alteration ------------------------------------------------------------------


def rewritten(alter: Callable[[bytes], bytes], **headers: str) -> Answerer:
    """The honest answer with other bytes, and with these headers (`Content_Encoding="br"`)."""

    def answer(call: Call) -> Response:
        honest = call.honest()
        if honest.status_code != 200:
            return honest
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return Response(alter(honest.get_data()), headers=sent, content_type="application/json; charset=utf-8")

    return answer


def altered(alter: Callable[[Answer], object]) -> Answerer:
    """The honest answer, decoded, altered and written again."""
    return rewritten(lambda body: json.dumps(alter(json.loads(body))).encode())


def rearranged(alter: Callable[[Data], object]) -> Answerer:
    """The honest answer with other `data`, and a hash to match."""
    return altered(lambda answer: with_data(answer, alter(answer["data"])))


def with_data(answer: Answer, data: object) -> Answer:
    """The answer with this as its data, and the hash of that."""
    digest = hashlib.md5(json.dumps(data).encode(), usedforsecurity=False).hexdigest()
    return answer | {"data": data, "hash": digest}
