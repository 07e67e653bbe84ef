"""Good JSON of another shape than documented, at every level, from the envelope down to a field."""

from certdash.sandbox.scenarios.call import Scenario, altered, rearranged
from certdash.sandbox.scenarios.places import GONE, Alter, certificate, changed, elements, instead, rows, story

PERSON = ("firstname", "lastname", "email", "telephone", "country", "city")


def _each(keys: tuple[str, ...], *values: object) -> list[Alter]:
    """For each key an alteration that gives it its value."""
    return [changed(**{key: value}) for key, value in zip(keys, values, strict=True)]


def _timestamps(*values: object) -> list[Alter]:
    return [certificate(timestamp=value) for value in values]


_ENVELOPES = (
    Scenario("envelope-list", "The data without its envelope.", altered(lambda answer: answer["data"])),
    Scenario("status-missing", "No status.", altered(changed(status=GONE))),
    Scenario("status-null", "The status is null.", altered(changed(status=None))),
    Scenario("status-unknown", "The status is another word.", altered(changed(status="processing"))),
    Scenario("status-upper-case", "The right answer, and the status is SUCCESS.", altered(changed(status="SUCCESS"))),
    Scenario("data-missing", "No data.", altered(changed(data=GONE))),
    Scenario("data-null", "The data is null.", altered(changed(data=None))),
    Scenario("data-object", "The data is an object.", altered(lambda answer: answer | {"data": {"0": answer["data"]}})),
    Scenario(
        "hash-missing",
        "The right data; the hash is null and there is no response time.",
        altered(changed(hash=None, response_time=GONE)),
    ),
    Scenario("hash-number", "The hash is a number.", altered(changed(hash=5))),
)

_ELEMENTS = (
    Scenario(
        "elements-strange",
        "Between the right elements stand null, a number, a text, a list and an empty object.",
        rearranged(lambda data: [None, 7, *data[:2], "story", [], {}, *data[2:]]),
    ),
    Scenario(
        "stories-spoilt",
        "Four elements have no story, null, a text and a list in its place.",
        elements(*(changed(story=value) for value in (GONE, None, "Story A", ["Story A"]))),
    ),
    Scenario(
        "heads-spoilt",
        "Seven stories have no name, null or a number; a number, an object or 300 characters as ID; a list as type.",
        elements(
            *(story(name=value) for value in (GONE, None, 7)),
            *(story(ID=value) for value in (7, {"ID": "7"}, "X" * 300)),
            story(type=["story"]),
        ),
    ),
    Scenario(
        "certificates-spoilt",
        "The certificates of four elements are missing, null, an object and a text.",
        elements(*(changed(certificates=value) for value in (GONE, None, {"0": {}}, "none"))),
    ),
)

_ROWS = (
    Scenario(
        "rows-strange",
        "Seven rows are null, a list, a text, a number, true, an empty object and a list of rows.",
        rows(*map(instead, (None, [], "Ann", 7, True, {}, [{}]))),
    ),
    Scenario(
        "person-wrong-types",
        "In six rows, one of the person's fields each is a number, a list, an object, true or a fraction.",
        rows(*_each(PERSON, 7, ["Lee"], {"work": "a@mail.example"}, 4570101234, True, 0.5)),
    ),
    Scenario(
        "person-missing-keys",
        "In six rows, one key of the person's each is missing.",
        rows(*_each(PERSON, *[GONE] * 6)),
    ),
    Scenario(
        "certificate-wrong-types",
        "The certificates of five rows are missing, null, a text, a list and empty.",
        rows(*(changed(certificate=value) for value in (GONE, None, "delivered", [{}], {}))),
    ),
    Scenario(
        "states-spoilt",
        "The states of five certificates are missing, null, a number, a list and empty.",
        rows(*(certificate(state=value) for value in (GONE, None, 1, ["delivered"], ""))),
    ),
    Scenario(
        "timestamps-wrong-types",
        "The timestamps of four certificates are missing, null, Unix time and a list.",
        rows(*_timestamps(GONE, None, 1772445600, ["2026-03-02T10:00:00+01:00"])),
    ),
    Scenario(
        "timestamps-without-offset",
        "The timestamps of two certificates have no offset, or are only a day.",
        rows(*_timestamps("2026-03-02T10:00:00", "2026-03-02")),
    ),
    Scenario(
        "timestamps-senseless",
        "The timestamps of seven certificates are a word, empty, 30 February, hour 25, the years 1, 9999 and 12026.",
        rows(
            *_timestamps(
                "yesterday",
                "",
                "2026-02-30T10:00:00+01:00",
                "2026-03-02T25:00:00+01:00",
                "0001-01-01T00:00:00+14:00",
                "9999-12-31T23:59:59-12:00",
                "12026-03-02T10:00:00+01:00",
            )
        ),
    ),
    Scenario(
        "urls-spoilt",
        "The permalinks of three certificates are a number, a list and an object.",
        rows(certificate(url=404), certificate(url=["https://c.example/1"]), certificate(url={})),
    ),
)

SHAPES = (*_ENVELOPES, *_ELEMENTS, *_ROWS)
