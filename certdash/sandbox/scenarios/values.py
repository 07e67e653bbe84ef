"""Answers of the documented shape with strange values, most of which must arrive as they came."""

from datetime import UTC, datetime, timedelta
from typing import Any

from certdash.sandbox.scenarios.call import Answerer, Data, Scenario, rearranged
from certdash.sandbox.scenarios.places import (
    GONE,
    Alter,
    certificate,
    changed,
    elements,
    every_element,
    every_row,
    inside,
    rows,
    story,
)
from certdash.sandbox.scenarios.shapes import PERSON

_LONG = "你好 İß👩‍👩‍👧" * 1_000
_STRANGE = {
    "firstname": '=HYPERLINK("https://evil.example","Ann")',
    "lastname": "<script>alert(1)</script>{{ 7 * 7 }}",
    "telephone": "\x01\x1b[31m\x7f\r\n\t",
    "country": "\u202eegrupmE\u2066\ufeff\uffff\U0010ffff",
    "city": "'; DROP TABLE certdash_certificate; --",
}


def _with_nul(value: object) -> object:
    """NUL before, in the middle of and behind every text."""
    if isinstance(value, str):
        return f"\0{value[:3]}\0{value[3:]}\0"
    if isinstance(value, dict):
        return {key: _with_nul(each) for key, each in value.items()}
    return [_with_nul(each) for each in value] if isinstance(value, list) else value


def _and_surrogate(text: str) -> str:
    return text + "\ud83d"


def _in_utc(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(UTC).isoformat().replace("+00:00", "Z")


def _an_hour_later(text: str) -> str:
    return (datetime.fromisoformat(text) + timedelta(hours=1)).isoformat()


def _every_certificate(key: str, alter: Alter) -> Answerer:
    return every_row(inside("certificate", inside(key, alter)))


def _in_capitals(element: dict[str, Any]) -> dict[str, Any]:
    element["story"]["type"] = element["story"]["type"].upper()
    for row in element["certificates"]:
        row["certificate"]["state"] = row["certificate"]["state"].upper()
    return element


def _twins(data: Data) -> Data:
    """The second of the stories that hold a certificate gets the head of the first."""
    first, second = [element for element in data if element["certificates"]][:2]
    second["story"] = first["story"]
    return data


_WORDS = (
    Scenario(
        "upper-case",
        "Every state and every type is in upper case.",
        every_element(_in_capitals),
    ),
    Scenario("state-unknown", "The state of one certificate is Revoked.", rows(certificate(state="Revoked"))),
    Scenario("type-unknown", "The type of one story is Webinar.", elements(story(type="Webinar"))),
    Scenario(
        "type-missing",
        "One story has no type, that of another one is null.",
        elements(story(type=GONE), story(type=None)),
    ),
    Scenario(
        "url-missing", "One permalink is missing, another one null.", rows(certificate(url=GONE), certificate(url=None))
    ),
    Scenario("url-script", "One permalink is a script.", rows(certificate(url="javascript:alert(document.domain)"))),
)

_TIMES = (
    Scenario(
        "timestamps-in-utc", "Every timestamp is the same moment in UTC.", _every_certificate("timestamp", _in_utc)
    ),
    Scenario("timestamps-later", "Every timestamp is an hour later.", _every_certificate("timestamp", _an_hour_later)),
)

_TEXTS = (
    Scenario("nul", "NUL stands in every text of the data.", rearranged(lambda data: _with_nul(data))),
    Scenario(
        "surrogate",
        "One first name ends in half a character (a lone surrogate).",
        rows(inside("firstname", _and_surrogate)),
    ),
    Scenario(
        "texts-long",
        "Every text about one person but the e-mail address has 10,000 characters.",
        rows(changed(**{key: _LONG for key in PERSON if key != "email"})),
    ),
    Scenario(
        "texts-hostile", "Formulas, markup, control characters and SQL about one person.", rows(changed(**_STRANGE))
    ),
    Scenario("person-null", "Everything about one person is null.", rows(changed(**dict.fromkeys(PERSON)))),
    Scenario(
        "email-upper-case",
        "Every e-mail address is in upper case between spaces.",
        every_row(inside("email", lambda text: f" {text.upper()} " if text else "")),
    ),
    Scenario("emails-empty", "Every e-mail address is empty.", every_row(changed(email=""))),
)

_HEADS = (
    Scenario(
        "story-without-id",
        "One story has no ID, that of another one is null.",
        elements(story(ID=GONE), story(ID=None)),
    ),
    Scenario("story-renamed", "One story has a name of 10,000 characters.", elements(story(name=_LONG))),
    Scenario("story-twins", "Two stories have the same ID and the same name.", rearranged(_twins)),
    Scenario("one-id", "All stories have the same ID.", every_element(story(ID="EV72-RQZY-80AH"))),
)

VALUES = (*_WORDS, *_TIMES, *_TEXTS, *_HEADS)
