"""What goes wrong below HTTP: answers that are cut, drip, stall or never come."""

from werkzeug.wrappers import Response

from certdash.sandbox.scenarios.call import Call, Scenario

#: The beginning of a head, to which more headers may be added, and its end.
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
END = b"Connection: close\r\n\r\n"
_CHUNKED = b"Transfer-Encoding: chunked\r\n"


def _body(call: Call) -> bytes:
    return call.honest().get_data()


def _length(size: int) -> bytes:
    return b"Content-Length: %d\r\n" % size


def _chunk(piece: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(piece), piece)


def _hang_up(call: Call) -> Response:
    call.wire.hang_up()


def _reset(call: Call) -> Response:
    call.wire.reset()


def _reset_in_body(call: Call) -> Response:
    body = _body(call)
    call.wire.send(OK, _length(len(body)), END, body[: len(body) // 2])
    call.wire.reset()


def cut(call: Call) -> Response:
    """Half the body, though more was announced."""
    body = _body(call)
    call.wire.send(OK, _length(len(body)), END, body[: len(body) // 2])
    call.wire.hang_up()


def _cut_in_headers(call: Call) -> Response:
    call.wire.send(OK[:40])
    call.wire.hang_up()


def _cut_chunks(call: Call) -> Response:
    call.wire.send(OK, _CHUNKED, END, _chunk(_body(call)))
    call.wire.hang_up()


def _cut_until_close(call: Call) -> Response:
    body = _body(call)
    call.wire.send(OK, END, body[: len(body) // 2])
    call.wire.hang_up()


def _cut_error(call: Call) -> Response:
    call.wire.send(b"HTTP/1.1 500 Oh\r\n", _length(1000), END, b'{"status": "error", "mess')
    call.wire.hang_up()


def _too_short_a_length(call: Call) -> Response:
    body = _body(call)
    call.wire.send(OK, _length(len(body) - 30), END, body)
    call.wire.hang_up()


def _immense_length(call: Call) -> Response:
    call.wire.send(OK, _length(10**12), END, b"{")
    call.wire.say_nothing()


def silent(call: Call) -> Response:
    """Nothing, until somebody ends it."""
    call.wire.say_nothing()


def _stalled(call: Call) -> Response:
    body = _body(call)
    call.wire.send(OK, _length(len(body)), END, body[: len(body) // 2])
    call.wire.say_nothing()


def _dripping_status(call: Call) -> Response:
    call.wire.send(b"HTTP/1.1 200 O")
    call.wire.drip(b"K")


def _dripping_headers(call: Call) -> Response:
    call.wire.send(OK)
    call.wire.drip(b"X-More: 1\r\n", seconds=0.1)


def _dripping_body(call: Call) -> Response:
    call.wire.send(OK, _length(10**6), END, b'{"status":"success"')
    call.wire.drip(b" ")


def _dripping_chunks(call: Call) -> Response:
    call.wire.send(OK, _CHUNKED, END, _chunk(b'{"status":"success"'))
    call.wire.drip(_chunk(b" "))


def _endless(call: Call) -> Response:
    call.wire.send(OK, END, b'{"status":"success","data":[')
    call.wire.drip(b" " * 65536, seconds=0)


def _endless_error(call: Call) -> Response:
    call.wire.send(b"HTTP/1.1 500 Oh\r\nContent-Type: text/html\r\n", END, b"<!doctype html><title>500</title>")
    call.wire.drip(b"<p>Something went wrong.</p>" * 1000, seconds=0)


def _endless_headers(call: Call) -> Response:
    call.wire.send(OK)
    call.wire.drip(b"X-More: 1\r\n" * 50, seconds=0)


def _mail(call: Call) -> Response:
    call.wire.send(b"220 mail.example ESMTP ready\r\n")
    call.wire.hang_up()


def _slow(call: Call) -> Response:
    call.wire.pause(0.2)
    return call.honest()


def _in_pieces(call: Call) -> Response:
    """Many small chunks, cut in the middle of characters, with pauses."""
    body = _body(call)
    call.wire.send(OK, _CHUNKED, END)
    pieces = [_chunk(body[start : start + 61]) for start in range(0, len(body), 61)]
    some = len(pieces) // 10 + 1
    for first in range(0, len(pieces), some):
        call.wire.send(*pieces[first : first + some])
        call.wire.pause(0.01)
    call.wire.send(b"0\r\n\r\n")
    call.wire.hang_up()


def _until_close(call: Call) -> Response:
    call.wire.send(OK.replace(b"1.1", b"1.0"), b"\r\n", _body(call))
    call.wire.hang_up()


CONNECTIONS = (
    Scenario("hang-up", "The connection ends in order, without an answer.", _hang_up),
    Scenario("reset", "The connection is reset before an answer begins.", _reset),
    Scenario("reset-in-body", "The connection is reset in the middle of the body.", _reset_in_body),
    Scenario("cut-length", "The body ends half way to its announced length.", cut),
    Scenario("cut-headers", "The connection ends in the middle of the headers.", _cut_in_headers),
    Scenario("cut-chunks", "A chunked body without its last chunk.", _cut_chunks),
    Scenario("cut-until-close", "Half a body without a length, so that its end looks like one.", _cut_until_close),
    Scenario("cut-error", "500 with a body that ends before its announced length.", _cut_error),
    Scenario("length-too-short", "The announced length is 30 bytes short of the body.", _too_short_a_length),
    Scenario("length-immense", "The announced length is a terabyte; one byte comes.", _immense_length),
    Scenario("silent", "The call is taken and never answered.", silent),
    Scenario("stalled", "Half the body comes, and then nothing more.", _stalled),
    Scenario("dripping-status", "The status line never ends, a letter at a time.", _dripping_status),
    Scenario("dripping-headers", "The headers never end, one at a time.", _dripping_headers),
    Scenario("dripping-body", "The body never ends, a space at a time.", _dripping_body),
    Scenario("endless-body", "The body never ends, as fast as the line takes it.", _endless),
    Scenario("endless-headers", "The headers never end, as fast as the line takes them.", _endless_headers),
    Scenario("endless-error", "500 with a page that never ends.", _endless_error),
    Scenario("not-http", "A mail server answers.", _mail),
    Scenario("slow", "The right answer, after a fifth of a second of silence.", _slow),
    Scenario("in-pieces", "The right answer in chunks of 61 bytes, with pauses.", _in_pieces),
    Scenario("until-close", "The right answer in HTTP/1.0: it lasts until the connection ends.", _until_close),
)
