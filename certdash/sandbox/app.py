"""The fake vendor as a WSGI application: the certificates endpoint, the permalinks and its clock.

Misbehaviour belongs beside this module, as WSGI applications that wrap this one.
"""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from certdash.sandbox.answer import envelope, gzipped, in_chunks
from certdash.sandbox.clock import Clock
from certdash.sandbox.page import POLICY, certificate_page, missing_page
from certdash.sandbox.request import Refused, authenticate, read_moment, read_object, read_selection
from certdash.sandbox.world import World

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

ROUTES = Map(
    [
        Rule("/v1/logs/story-certificates", endpoint="story_certificates", methods=["POST"]),
        Rule("/certificates/<key>", endpoint="permalink", methods=["GET"]),
        Rule("/sandbox/clock", endpoint="set_clock", methods=["POST"]),
        Rule("/sandbox/clock", endpoint="clock", methods=["GET"]),
    ],
    merge_slashes=False,
)


class SandboxApp:
    """The fake vendor over one world, at the moment that its clock shows."""

    def __init__(self, world: World, clock: Clock) -> None:
        self.world, self.clock = world, clock

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        try:
            response = self._respond(Request(environ))
        except Refused as refused:
            response = _error(refused.status, refused.message)
            if refused.status == 401:
                response.headers["WWW-Authenticate"] = 'Basic realm="Falkor sandbox"'
        except HTTPException as error:
            response = _error(error.code or 500, error.description or error.name)
            if isinstance(error, MethodNotAllowed):
                response.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
        return response(environ, start_response)

    def _respond(self, request: Request) -> Response:
        route, values = ROUTES.bind_to_environ(request.environ).match()
        if route == "permalink":
            return self._permalink(request, values["key"])
        if route == "story_certificates":
            return self._story_certificates(request)
        if route == "set_clock":
            self.clock.frozen = read_moment(read_object(request), self.world.origin)
        return self._clock()

    def _story_certificates(self, request: Request) -> Response:
        account = authenticate(request)
        selection = read_selection(read_object(request), account)
        stories = self.world.stream(account.app_id, self.clock.now(), _base_url(request), selection)
        narrowed = bool(selection.groups or selection.users)
        pieces = in_chunks(envelope(stories, leave_out_empty=narrowed))
        headers = {"Vary": "Accept-Encoding"}
        if request.accept_encodings["gzip"] > 0:
            pieces, headers["Content-Encoding"] = gzipped(pieces), "gzip"
        return Response(pieces, headers=headers, content_type="application/json; charset=utf-8")

    def _permalink(self, request: Request, key: str) -> Response:
        found = self.world.certificate(key, self.clock.now(), _base_url(request))
        page = certificate_page(*found, key) if found else missing_page()
        headers = {"Content-Security-Policy": POLICY, "Referrer-Policy": "no-referrer"}
        return Response(page, 200 if found else 404, headers, mimetype="text/html")

    def _clock(self) -> Response:
        state = {"now": self.clock.now().isoformat(), "frozen": self.clock.frozen is not None}
        return Response(json.dumps(state), mimetype="application/json")


def _base_url(request: Request) -> str:
    return request.host_url.rstrip("/")


def _error(status: int, message: str) -> Response:
    body = json.dumps({"status": "error", "message": message})
    return Response(body, status, mimetype="application/json")
