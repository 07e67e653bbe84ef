"""Answers that bring nothing, spoken in good HTTP: errors, gateways' pages, redirects."""

import json

from werkzeug.wrappers import Response

from certdash.sandbox.scenarios.call import Answerer, Call, Scenario, altered, rewritten

_HTML = "<!doctype html><html><head><title>{0}</title></head><body><center><h1>{0}</h1></center><hr></body></html>"
SIGN_IN = "<!doctype html><title>Sign in</title><form method=post><input name=login><input type=password></form>"
_BUSY = "The service is overloaded – <b>please</b> try again later."


def refuse(status: int, message: str = "", page: str = "", **headers: str) -> Answerer:
    """Answer with the vendor's error, with a page, or (neither given) without a body."""
    body, kind = (page, "text/html") if page else ("", "text/plain")
    if message:
        body, kind = json.dumps({"status": "error", "message": message}), "application/json"
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: Response(body, status, sent, mimetype=kind)


def _quoting(call: Call) -> Response:
    """Refuse the token and repeat it, as it came and decoded."""
    sent, given = call.request.headers.get("Authorization", ""), call.request.authorization
    plain = f"{given.username}:{given.password}" if given else ""
    return refuse(401, f"Unauthorized: {sent} ({plain}) is not known.")(call)


def _to_itself(call: Call) -> Response:
    return Response(status=307, headers={"Location": call.request.url})


def _only_at_first(answer: Answerer) -> Answerer:
    """Of all calls, only the very first one is answered so."""
    return lambda call: call.honest() if call.number else answer(call)


def _half(call: Call) -> Response:
    body = call.honest().get_data()
    return Response(body[: len(body) // 2], 206, mimetype="application/json")


REFUSALS = (
    Scenario("bad-request", "400 with a message of the vendor.", refuse(400, "There is no app with that name.")),
    Scenario("unauthorised", "401 with a message that repeats the caller's credentials.", _quoting),
    Scenario("forbidden-endpoint", "403: the account may not use the endpoint.", refuse(403, "Not enabled.")),
    Scenario("forbidden-address", "403: the caller's address is not allowed.", refuse(403, "IP not allowed.")),
    Scenario("not-found", "404 with a web server's page.", refuse(404, page=_HTML.format("404 Not Found"))),
    Scenario("method-not-allowed", "405 with a message.", refuse(405, "POST is not allowed.", Allow="GET")),
    Scenario("request-timeout", "408 without a body.", refuse(408)),
    Scenario("throttled-seconds", "429, to come back in an hour.", refuse(429, _BUSY, Retry_After="3600")),
    Scenario(
        "throttled-date",
        "429, to come back on a day in 2099.",
        refuse(429, _BUSY, Retry_After="Wed, 21 Oct 2099 07:28:00 GMT"),
    ),
    Scenario(
        "throttled-huge",
        "429, to come back in a number of seconds beyond all sense.",
        refuse(429, Retry_After="9" * 30),
    ),
    Scenario(
        "throttled-once",
        "The first call gets 429 with a second to wait, every other one its answer.",
        _only_at_first(refuse(429, _BUSY, Retry_After="1")),
    ),
    Scenario("server-error", "500 with a message of the vendor.", refuse(500, _BUSY)),
    Scenario("server-error-empty", "500 without a body.", refuse(500)),
    Scenario("server-error-once", "The first call gets 500, every other one its answer.", _only_at_first(refuse(500))),
    Scenario("bad-gateway", "502 with a gateway's page.", refuse(502, page=_HTML.format("502 Bad Gateway"))),
    Scenario(
        "unavailable",
        "503 with a gateway's page, to come back in two hours.",
        refuse(503, page=_HTML.format("503 Service Temporarily Unavailable"), Retry_After="7200"),
    ),
    Scenario(
        "gateway-timeout",
        "504 with a gateway's page of half a megabyte.",
        refuse(504, page=_HTML.format("504 Gateway Time-out") + "<!-- a padding -->" * 30_000),
    ),
    Scenario("sign-in-page", "200 with the page of a log-in form.", refuse(200, page=SIGN_IN)),
    Scenario("no-content", "204, which has no body.", lambda _: Response(status=204)),
    Scenario("empty", "200 with an empty body.", lambda _: Response(mimetype="application/json")),
    Scenario("partial-content", "206 with the first half of the answer.", _half),
    Scenario("not-modified", "304, though nobody asked whether anything was modified.", lambda _: Response(status=304)),
    Scenario("redirect-moved", "301 to another host.", refuse(301, Location="https://moved.example/v1?token=abc")),
    Scenario("redirect-sign-in", "302 to a log-in page.", refuse(302, page=SIGN_IN, Location="https://login.example/")),
    Scenario("redirect-to-itself", "307 to the address that was asked.", _to_itself),
    Scenario("error-in-200", "200 with status error and a message.", refuse(200, _BUSY)),
    Scenario(
        "error-in-200-with-data",
        "200 with status error, a message and the whole data.",
        altered(lambda answer: answer | {"status": "ERROR", "message": _BUSY}),
    ),
    Scenario(
        "error-message-object",
        "200 with status error and a message that is an object.",
        rewritten(lambda _: b'{"status":"error","message":{"en":"No."}}'),
    ),
)
