"""Bodies that are not the JSON they should be: wrong compression, wrong encoding, wrong syntax."""

import gzip
import json
from collections.abc import Callable
from functools import cache
from typing import Any

from werkzeug.wrappers import Response

from certdash.sandbox.scenarios.call import Answer, Call, Scenario, altered, rewritten
from certdash.sandbox.scenarios.connections import END, OK
from certdash.sandbox.scenarios.places import changed, in_rows

_BOMB_MEMBERS = 256
#: Deeper than the stack of any parser that calls itself.
_DEEP = b"[" * 100_000 + b"]" * 100_000


# -- Compression ------------------------------------------------------------------------------------------------


@cache
def _spaces() -> bytes:
    """16 MiB of spaces in 16 kB."""
    return gzip.compress(b" " * 2**24)


def _bomb(call: Call) -> Response:
    call.wire.send(OK, b"Content-Encoding: gzip\r\n", END, gzip.compress(b'{"status":"success","data":['))
    for _ in range(_BOMB_MEMBERS):
        call.wire.send(_spaces())
    call.wire.hang_up()


def _half(body: bytes) -> bytes:
    return body[: len(body) // 2]


def _two_members(body: bytes) -> bytes:
    return gzip.compress(_half(body)) + gzip.compress(body[len(body) // 2 :])


def _damaged(body: bytes) -> bytes:
    return gzip.compress(body)[:-8] + bytes(8)


COMPRESSION = (
    Scenario("gzip-none", "Plain JSON that calls itself gzip.", rewritten(bytes, Content_Encoding="gzip")),
    Scenario(
        "gzip-cut",
        "The first half of a gzip stream.",
        rewritten(lambda body: _half(gzip.compress(body)), Content_Encoding="gzip"),
    ),
    Scenario("gzip-damaged", "A gzip stream with a wrong checksum.", rewritten(_damaged, Content_Encoding="gzip")),
    Scenario("gzip-bomb", "4 MB of gzip that unfold to 4 GB.", _bomb),
    Scenario("gzip-members", "The right answer in two gzip members.", rewritten(_two_members, Content_Encoding="gzip")),
    Scenario("brotli", "Plain JSON that calls itself br.", rewritten(bytes, Content_Encoding="br")),
)


# -- Encodings and syntax ---------------------------------------------------------------------------------------


def _latin_1(body: bytes) -> bytes:
    return b"".join(each.encode("latin-1" if ord(each) < 256 else "utf-8") for each in body.decode())


def _written(key: str, text: bytes) -> Callable[[bytes], bytes]:
    """In one row, this text as the value of a key, whether it is JSON or not."""
    mark = "-the-mark-"

    def alter(body: bytes) -> bytes:
        answer = json.loads(body)
        answer["data"] = in_rows(answer["data"], changed(**{key: mark}))
        return json.dumps(answer).encode().replace(json.dumps(mark).encode(), text)

    return alter


def _email_twice(body: bytes) -> bytes:
    answer = json.loads(body)
    answer["data"] = in_rows(answer["data"], lambda row: {"e-mail": "wrong@mail.example", **row})
    return json.dumps(answer).encode().replace(b'"e-mail"', b'"email"')


def _with_last_key(text: bytes) -> Callable[[bytes], bytes]:
    return lambda body: body[:-1] + b"," + text + b"}"


def _pretty(body: bytes) -> bytes:
    def backwards(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: backwards(each) for key, each in reversed(value.items())}
        return [backwards(each) for each in value] if isinstance(value, list) else value

    return json.dumps(backwards(json.loads(body)), ensure_ascii=False, indent="\t").encode() + b"\r\n\r\n"


def _more_keys(answer: Answer) -> Answer:
    for element in answer["data"]:
        element |= {"groups": [], "": None}
        element["story"] |= {"language": "da", "certificate": {}}
        for row in element["certificates"]:
            row |= {"id": 7, "certificates": [[]]}
            row["certificate"] |= {"expires": None, "firstname": 1}
    return answer | {"version": 2.5, "warnings": [{"status": "error"}]}


ENCODINGS = (
    Scenario("bom", "A byte-order mark before the right answer.", rewritten(lambda body: b"\xef\xbb\xbf" + body)),
    Scenario("utf-16", "The answer in UTF-16.", rewritten(lambda body: body.decode().encode("utf-16"))),
    Scenario("latin-1", "Letters such as ø in Latin-1, the rest in UTF-8.", rewritten(_latin_1)),
    Scenario("utf-8-broken", "One city holds a byte that is not UTF-8.", rewritten(_written("city", b'"K\xf8ge"'))),
    Scenario("pretty", "The right answer with line breaks and all keys in the opposite order.", rewritten(_pretty)),
    Scenario("more-keys", "The right answer with undocumented keys at every level.", altered(_more_keys)),
)

SYNTAX = (
    Scenario("half-a-text", "The first half of the JSON text as a complete body.", rewritten(_half)),
    Scenario("trailing-garbage", "A second answer behind the first.", rewritten(lambda body: body + body)),
    Scenario("prefixed", "Characters against hijacking before the JSON.", rewritten(lambda body: b")]}'\n" + body)),
    Scenario("nan", "One telephone is NaN.", rewritten(_written("telephone", b"NaN"))),
    Scenario("infinity", "The response time is Infinity.", altered(changed(response_time=float("inf")))),
    Scenario("line-break", "One city holds a line break that is not escaped.", rewritten(_written("city", b'"K\n"'))),
    Scenario(
        "deep-envelope",
        "100,000 brackets in an unknown key of the envelope.",
        rewritten(_with_last_key(b'"more":' + _DEEP)),
    ),
    Scenario("deep-row", "100,000 brackets in place of one city.", rewritten(_written("city", _DEEP))),
    Scenario("data-twice", "The key data twice: empty, then right.", rewritten(lambda body: b'{"data":[],' + body[1:])),
    Scenario("data-twice-empty", "The key data twice: right, then empty.", rewritten(_with_last_key(b'"data":[]'))),
    Scenario("email-twice", "The key email twice in one row: wrong, then right.", rewritten(_email_twice)),
)

BODIES = (*COMPRESSION, *ENCODINGS, *SYNTAX)
