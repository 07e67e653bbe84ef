"""What must come of a sync with each scenario of the misbehaving sandbox: one table."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from certdash.sandbox import DEMO, RETAIL, ZONE
from tests.sync.truth import SmallWorld, Truth

#: Stories that would only take time. Of the other thirteen, two share an ID, one is renamed, one has no certificate.
LEFT_OUT = {story.name for story in DEMO.app.stories[11:]} - {
    "Data Classification Quiz",
    "Draft: Sustainability Basics",
}
WORLD = SmallWorld(date(2026, 3, 2), 220, 1, LEFT_OUT)
GROUPS = ("Engineering", "Sales & Partners")
MONDAY = datetime(2026, 3, 2, 12, tzinfo=ZONE)
#: When the vendor misbehaves: there is news since Monday, a renamed story, and something withdrawn.
THEN = MONDAY + timedelta(days=10)
LATER = MONDAY + timedelta(days=12)

BUSY = "The service is overloaded – <b>please</b> try again later."
SOME = -1  # as a count: at least one


TOLD = list(WORLD.rows(DEMO.app_id, THEN, ""))
SIZES = [len(items) for _, items in TOLD if items]
FIRST, SECOND = SIZES[:2]
EVERYBODY = sum(SIZES)
EMAILS = sum(item["email"] != "" for _, items in TOLD for item in items)
DELIVERED = sum(item["certificate"]["url"] != "" for _, items in TOLD for item in items)
BEFORE = sum(len(items) for _, items in WORLD.rows(DEMO.app_id, MONDAY, ""))
ELSEWHERE = sum(len(items) for _, items in WORLD.rows(RETAIL.app_id, THEN, ""))
MEMBERS = sum(map(len, Truth(WORLD, DEMO.app_id, "").members(GROUPS, THEN).values()))


@dataclass(frozen=True)
class Must:
    """What must come of a sync while a scenario is played, over stored data and over none."""

    status: str  # over stored data; a word for each run
    first: str  # over an empty database
    says: str = ""  # a part of the run's sentence
    vendor: str = ""  # the vendor's own message
    stored: str = "mixed"  # afterwards live: what was there "before", the "truth", or rows of both and `strange` ones
    strange: int = 0  # live rows that are neither
    lacking: int = 0  # certificates of the truth that cannot be understood, or do not come
    calls: int = 3  # that the vendor gets, in all runs
    rejected: int = 0
    places: str = ""  # the ends of the rejected rows' paths
    repaired: int = 0
    missing: int = 0  # certificates, held
    missing_members: int = 0
    left: int = 0
    members: str = ""  # afterwards in the groups: who was "before", the "truth", or whoever
    holds: dict[str, str] = field(default_factory=dict)  # a live row has these values, as regular expressions
    back: int = 0  # withdrawn by this, and returned with the next good answer
    days: int = 0  # between two runs
    seconds: float | None = None  # the deadline of a call
    accept: bool = False  # the next good run is held too, as it lacks what only this one said; an owner accepts


def fails(says: str, vendor: str = "", calls: int = 1, **more: Any) -> Must:
    """Nothing is stored, nothing is changed."""
    return Must(
        "failed", "failed", says, vendor, stored="before", members="before", lacking=EVERYBODY, calls=calls, **more
    )


def slow(**more: Any) -> Must:
    """The deadline ends it, and it is not tried again."""
    return fails("not complete after 0.4 seconds", seconds=0.4, **more)


def right(status: str = "success", first: str = "", **more: Any) -> Must:
    """Everything arrives as it is."""
    return Must(status, first or status, stored="truth", **{"members": "truth", **more})


def strange(rows: int, **more: Any) -> Must:
    """So many rows are stored as they came, which is not as they are."""
    return Must("success", "success", strange=rows, **{"lacking": rows, **more})


def partial(each: int, places: str = "", **more: Any) -> Must:
    """In each of the three answers so many rows are set aside; nothing is lost for it."""
    said = f"Set aside, because not understood: {each * 3} rows"
    return Must("partial", "partial", said, rejected=each * 3, places=places, **{"lacking": each, **more})


def held(missing: int = SOME, first: str = "success", **more: Any) -> Must:
    """So many are missing that nothing is withdrawn."""
    return Must("held", first, "without an owner who accepts it", missing=missing, **more)


def groups(says: str, vendor: str = "", **more: Any) -> Must:
    """All certificates are up to date; who is in the groups is as before."""
    return Must("partial", "partial", says, vendor, stored="truth", members="before", **more)


CUT = "ended before it was complete"
SHAPE = "another shape than documented"
NO_JSON = "not JSON"
TABLE = {
    # -- refusals
    "bad-request": fails("refused the request (400)", "There is no app with that name."),
    "unauthorised": fails("did not accept the token (401)", "Unauthorized: Basic … (…) is not known."),
    "forbidden-endpoint": fails("does not let this account use the endpoint (403)", "Not enabled."),
    "forbidden-address": fails("does not allow calls from this machine's address (403)", "IP not allowed."),
    "not-found": fails("knows no such endpoint (404)"),
    "method-not-allowed": fails("refused the request (405)", "POST is not allowed."),
    "request-timeout": fails("failed (408)", calls=3),
    "throttled-seconds": fails("(429) and asks to wait", BUSY),
    "throttled-date": fails("(429) and asks to wait", BUSY),
    "throttled-huge": fails("fewer requests (429)", calls=3),
    "throttled-once": right(calls=4),
    "server-error": fails("server failed (500)", BUSY, calls=3),
    "server-error-empty": fails("server failed (500)", calls=3),
    "server-error-once": right(calls=4),
    "bad-gateway": fails("server failed (502)", calls=3),
    "unavailable": fails("server failed (503) and asks to wait"),
    "gateway-timeout": fails("server failed (504)", calls=3),
    "sign-in-page": fails("web page"),
    "no-content": fails("empty", calls=3),
    "empty": fails("empty", calls=3),
    "partial-content": fails(CUT, calls=3),
    "not-modified": fails("(304)"),
    "redirect-moved": fails("redirected the call (301) to moved.example"),
    "redirect-sign-in": fails("redirected the call (302) to login.example"),
    "redirect-to-itself": fails("redirected the call (307) to 127.0.0.1"),
    "error-in-200": fails("answered with an error", BUSY),
    "error-in-200-with-data": fails("answered with an error", BUSY),
    "error-message-object": fails("answered with an error"),
    # -- connections
    "hang-up": fails("closed the connection without an answer", calls=3),
    "reset": fails("closed the connection without an answer", calls=3),
    "reset-in-body": fails(CUT, calls=3),
    "cut-length": fails(CUT, calls=3),
    "cut-headers": fails("empty", calls=3),
    "cut-chunks": fails(CUT, calls=3),
    "cut-until-close": fails(CUT, calls=3),
    "cut-error": fails("server failed (500)", calls=3),
    "length-too-short": fails(CUT, calls=3),
    "length-immense": fails("larger than 2 MB"),
    "silent": slow(),
    "stalled": slow(),
    "dripping-status": slow(),
    "dripping-headers": slow(),
    "dripping-body": slow(),
    "endless-body": fails("larger than 2 MB"),
    "endless-headers": fails("not HTTP"),
    "endless-error": fails("server failed (500)", calls=3),
    "not-http": fails("not HTTP"),
    "slow": right(),
    "in-pieces": right(),
    "until-close": right(),
    # -- bodies
    "gzip-none": fails(CUT, calls=3),
    "gzip-cut": fails(CUT, calls=3),
    "gzip-damaged": fails(CUT, calls=3),
    "gzip-bomb": fails("larger than 2 MB"),
    "gzip-members": right(),
    "brotli": fails("compressed its answer in a way that was not asked for"),
    "bom": right(),
    "utf-16": fails(NO_JSON),
    "latin-1": Must("partial", "partial", "Set aside", lacking=SOME, rejected=SOME),
    "utf-8-broken": partial(1),
    "pretty": right(),
    "more-keys": right(),
    "half-a-text": fails(CUT, calls=3),
    "trailing-garbage": fails("not valid JSON"),
    "prefixed": fails(NO_JSON),
    "nan": fails("not valid JSON"),
    "infinity": fails("not valid JSON"),
    "line-break": fails("not valid JSON"),
    "deep-envelope": fails("nested too deeply"),
    "deep-row": fails("nested too deeply"),
    "data-twice": right(),
    "data-twice-empty": held(
        BEFORE, first="unchanged", stored="before", members="before", lacking=EVERYBODY, missing_members=MEMBERS
    ),
    "email-twice": right(),
    # -- shapes
    "envelope-list": fails(SHAPE),
    "status-missing": fails("neither success nor error"),
    "status-null": fails(SHAPE),
    "status-unknown": fails("neither success nor error"),
    "status-upper-case": right(),
    "data-missing": fails(SHAPE),
    "data-null": fails(SHAPE),
    "data-object": fails(SHAPE),
    "hash-missing": right(),
    "hash-number": fails(SHAPE),
    "elements-strange": partial(5, lacking=0),
    "stories-spoilt": partial(4, ".story", lacking=sum(SIZES[:4])),
    "heads-spoilt": partial(7, ".story .story.name .story.ID .story.type", lacking=sum(SIZES[:7])),
    "certificates-spoilt": partial(4, ".certificates", lacking=sum(SIZES[:4])),
    "rows-strange": partial(7),
    "person-wrong-types": partial(6, ".firstname .lastname .email .telephone .country .city"),
    "person-missing-keys": partial(6),
    "certificate-wrong-types": partial(5, ".certificate"),
    "states-spoilt": partial(5, ".certificate .certificate.state"),
    "timestamps-wrong-types": partial(4, ".certificate .certificate.timestamp"),
    "timestamps-without-offset": partial(2, ".certificate.timestamp"),
    "timestamps-senseless": partial(7, ".certificate.timestamp"),
    "urls-spoilt": partial(3, ".certificate.url"),
    # -- values
    "upper-case": right(),
    "state-unknown": strange(1, holds={"state": "Revoked"}),
    "type-unknown": strange(FIRST, holds={"type": "Webinar"}),
    "type-missing": strange(FIRST + SECOND, holds={"type": ""}),
    "url-missing": strange(2, holds={"state": "delivered", "url": ""}),
    "url-script": strange(1, holds={"url": r"javascript:alert\(document\.domain\)"}),
    "timestamps-in-utc": right(),
    "timestamps-later": strange(EVERYBODY, back=SOME),
    "nul": right(),
    "surrogate": strange(1, repaired=1, holds={"firstname": ".+\ufffd"}),
    "texts-long": strange(1, holds={"firstname": ".{10000}", "country": ".{10000}", "city": ".{10000}"}),
    "texts-hostile": strange(
        1, holds={"firstname": "=HYPER.+", "lastname": "<script>.+", "telephone": "\x01\x1b.+\r\n\t"}
    ),
    "person-null": strange(1, back=1, holds=dict.fromkeys(("firstname", "lastname", "email", "city"), "")),
    "email-upper-case": strange(EMAILS, holds={"email": " [A-Z0-9.@]+ "}),
    "emails-empty": held(strange=EMAILS, lacking=EMAILS, left=SOME, accept=True),
    "story-without-id": held(strange=FIRST + SECOND, lacking=FIRST + SECOND),
    "story-renamed": strange(FIRST, holds={"story": ".{10000}"}),
    "story-twins": strange(SECOND, back=SOME),
    "one-id": held(strange=SOME, lacking=SOME, accept=True),
    # -- amounts
    "stories-repeated": right(),
    "stories-split": right(),
    "rows-repeated": right(),
    "shuffled": right(),
    "half-missing": held(lacking=EVERYBODY // 2, left=SOME),
    "tenth-missing": strange(0, lacking=EVERYBODY // 10 + 1, back=SOME),
    "story-missing": strange(0, lacking=FIRST, back=FIRST),
    "no-data": held(
        BEFORE, first="unchanged", stored="before", members="before", lacking=EVERYBODY, missing_members=MEMBERS
    ),
    "no-certificates": held(BEFORE, lacking=EVERYBODY, missing_members=MEMBERS),
    "hash-stuck": right("success success", days=5, calls=6),
    "old": strange(SOME, lacking=SOME, back=SOME),
    "of-somebody-else": held(strange=ELSEWHERE, lacking=EVERYBODY, missing_members=MEMBERS, accept=True),
    # -- groups
    "groups-fail": groups("“Engineering” is as before", calls=7),
    "groups-fail-odd": groups("“Engineering” is as before", calls=5),
    "groups-unknown": groups("“Sales & Partners” is as before", "There is no such group."),
    "groups-cut": groups("“Sales & Partners” is as before", calls=7),
    "groups-silent": groups("“Engineering” is as before", seconds=1.5),
    "groups-nobody": Must(
        "held", "success", f"{MEMBERS} learners did not", stored="truth", members="before", missing_members=MEMBERS
    ),
    "groups-ignored": right(accept=True, members=""),
    "groups-row-null": groups("not understood: 2 rows", rejected=2),
    # -- flapping
    "fails-every-other-time": right("success unchanged", calls=12),
    "errs-every-other-time": right("failed success failed", vendor="Try again.", calls=5),
    "order-flaps": right("success unchanged unchanged", calls=9),
    "half-flaps": right("held success held", "success success held", missing=SOME, left=SOME, members="", calls=9),
    "all-flaps": right(
        "held success held", "unchanged success held", missing=EVERYBODY, missing_members=MEMBERS, calls=9
    ),
    "name-flaps": replace(strange(FIRST, calls=9), status="success success success", first="success success success"),
    "states-flap": replace(
        strange(DELIVERED, calls=9), status="success success success", first="success success success"
    ),
    "hash-flaps": right("success unchanged unchanged", calls=9),
}
