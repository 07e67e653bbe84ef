"""Reading an answer: what is understood, what is mended, and what is set aside with its path."""

import json
from datetime import UTC, datetime

import pytest

from certdash import falkor
from certdash.falkor.surrogates import repair_surrogates

from .vendors import ENDPOINT, element, row, success


@pytest.fixture
def read(httpserver, connect):
    """Return a function that serves a body and returns the client's open answer."""
    opened: list[falkor.Answer] = []

    def ask(body) -> falkor.Answer:
        httpserver.expect_request(ENDPOINT).respond_with_data(body)
        opened.append(connect(httpserver.url_for("")).certificates())
        return opened[-1]

    yield ask
    for answer in opened:
        answer.close()


@pytest.fixture
def read_rows(read):
    """Return a function that serves one story of these rows (objects or JSON texts) and reads it."""

    def ask(*rows) -> falkor.StoryRows:
        texts = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in rows]
        body = success(element("ROWS")).replace(b'"ROWS"', b", ".join(texts))
        return read(body).stories[0].rows()

    return ask


def without(key: str) -> dict:
    return {name: value for name, value in row().items() if name != key}


def test_every_documented_field_arrives(read_rows):
    sent = row(firstname="Zoë", telephone="+1 2", certificate={"state": "Pending", "url": ""})
    awarded = datetime(2021, 9, 28, 9, 14, 23, tzinfo=UTC)
    expected = falkor.Row("Zoë", "One", "one@mail.example", "+1 2", "United Kingdom", "London", "pending", awarded, "")
    assert read_rows(sent).rows == [expected]


def test_null_is_empty_and_further_fields_are_ignored(read_rows):
    person = dict.fromkeys(["firstname", "lastname", "email", "telephone", "country", "city"])
    read = read_rows(row(**person, certificate={"url": None, "id": 5}, extra=[1, {"a": None}]))
    assert read.rejected == []
    assert [getattr(read.rows[0], name) for name in (*person, "url")] == [""] * 7


def test_a_missing_url_is_empty(read_rows):
    sent = row()
    del sent["certificate"]["url"]
    assert read_rows(sent).rows[0].url == ""


@pytest.mark.parametrize(("sent", "kept"), [("DELIVERED", "delivered"), ("Revoked", "Revoked"), (" ", " ")])
def test_a_known_state_is_lower_case_and_any_other_as_sent(sent, kept, read_rows):
    assert read_rows(row(certificate={"state": sent})).rows[0].state == kept


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("2021-09-28T11:14:23+02:00", datetime(2021, 9, 28, 9, 14, 23, tzinfo=UTC)),
        ("2021-09-28T11:14:23Z", datetime(2021, 9, 28, 11, 14, 23, tzinfo=UTC)),
        ("2021-09-28 11:14:23.5-0530", datetime(2021, 9, 28, 16, 44, 23, 500000, tzinfo=UTC)),
        ("2021-09-28T11:14+02", datetime(2021, 9, 28, 9, 14, tzinfo=UTC)),
        ("20210928T111423Z", datetime(2021, 9, 28, 11, 14, 23, tzinfo=UTC)),
        ("2021-09-28T11:14:23.123456789Z", datetime(2021, 9, 28, 11, 14, 23, 123456, tzinfo=UTC)),
    ],
)
def test_a_timestamp_is_understood_in_every_iso_form_and_kept_in_utc(sent, kept, read_rows):
    stamp = read_rows(row(certificate={"timestamp": sent})).rows[0].timestamp
    assert stamp == kept
    assert stamp.tzinfo is UTC


STAMP = ".certificate.timestamp"
BAD_ROWS = [
    *[(row(certificate={"timestamp": stamp}), STAMP) for stamp in (
        "2021-09-28T11:14:23", "2021-09-28", "", "canary", "0001-01-01T00:00:00+02:00", "9999-12-31T23:59:59-02:00",
        "10000-01-01T00:00:00Z", "2021-02-30T00:00:00Z", 1632820463, None,
    )],
    *[(row(**{key: value}), f".{key}") for key in ("firstname", "email", "city") for value in (5, ["canary"], True)],
    *[(row(certificate={"state": state}), ".certificate.state") for state in ("", None, 5, "\0")],
    (row(certificate={"url": 5}), ".certificate.url"),
    ({**row(), "certificate": "canary"}, ".certificate"),
    ({**row(), "certificate": None}, ".certificate"),
    ({**row(), "certificate": {"state": "pending"}}, ".certificate"),
    *[(without(key), "") for key in ("firstname", "lastname", "email", "telephone", "country", "city", "certificate")],
    *[(other, "") for other in (None, "canary", 5, [], [["canary"]])],
    (json.dumps(row(firstname="canary?")).encode().replace(b"?", b"\xff"), ""),
]  # fmt: skip


@pytest.mark.parametrize(("bad", "place"), BAD_ROWS, ids=range(len(BAD_ROWS)))
def test_a_row_that_cannot_be_understood_is_set_aside_alone(bad, place, read_rows):
    read = read_rows(row(firstname="first"), bad, row(firstname="last"))
    assert [one.firstname for one in read.rows] == ["first", "last"]
    assert [one.path for one in read.rejected] == [f"data[0].certificates[1]{place}"]
    assert len(read.rejected[0].reason) > 10
    assert "canary" not in read.rejected[0].reason


def test_the_path_counts_stories_and_rows_as_they_were_sent(read):
    answer = read(success(element(row()), 7, element(row(), row(), {"firstname": "x"}, row(email=5))))
    assert [one.path for one in answer.rejected] == ["data[1]"]
    paths = [one.path for one in answer.stories[1].rows().rejected]
    assert paths == ["data[2].certificates[2]", "data[2].certificates[3].email"]


def test_a_story_without_rows_is_a_story(read):
    answer = read(success(element()))
    assert answer.stories[0].rows() == falkor.StoryRows([], [], 0)


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ({}, ("EV72-RQZY-80AH", "Story A", "story")),
        ({"ID": None, "type": None}, ("", "Story A", "")),
        ({"type": "SCORM"}, ("EV72-RQZY-80AH", "Story A", "scorm")),
        ({"type": "Game"}, ("EV72-RQZY-80AH", "Story A", "Game")),
        ({"ID": "\0x" * 127, "name": "a\0b"}, ("x" * 127, "ab", "story")),
    ],
)
def test_a_head_is_normalised(head, expected, read):
    story = read(success(element(**head))).stories[0]
    assert (story.id, story.name, story.type) == expected


def test_a_head_may_lack_id_and_type(read):
    story = read(success({"story": {"name": "Bare"}, "certificates": []})).stories[0]
    assert (story.id, story.name, story.type) == ("", "Bare", "")


BAD_ELEMENTS = [
    (None, ""),
    ([], ""),
    ({}, ""),
    ({"story": {"name": "x"}}, ""),
    ({"certificates": []}, ""),
    ({"story": None, "certificates": []}, ".story"),
    ({"story": {"ID": "x"}, "certificates": []}, ".story"),
    (element(name=None), ".story.name"),
    (element(name=5), ".story.name"),
    (element(ID=5), ".story.ID"),
    (element(ID="x" * 256), ".story.ID"),
    (element(type=[]), ".story.type"),
    ({"story": {"name": "x"}, "certificates": None}, ".certificates"),
    ({"story": {"name": "x"}, "certificates": {"0": row()}}, ".certificates"),
    ({"story": {"name": "x"}, "certificates": "canary"}, ".certificates"),
]


@pytest.mark.parametrize(("bad", "place"), BAD_ELEMENTS, ids=range(len(BAD_ELEMENTS)))
def test_a_story_that_cannot_be_understood_is_set_aside_alone(bad, place, read):
    answer = read(success(element(name="first"), bad, element(name="last")))
    assert [(story.index, story.name) for story in answer.stories] == [(0, "first"), (2, "last")]
    assert [one.path for one in answer.rejected] == [f"data[1]{place}"]


def test_a_head_of_wrong_utf8_is_set_aside(read):
    answer = read(success(element(name="?"), element()).replace(b"?", b"\xff"))
    assert [one.path for one in answer.rejected] == ["data[0]"]
    assert len(answer.stories) == 1


def test_a_byte_order_mark_and_white_space_are_skipped(read):
    spaced = json.dumps(json.loads(success(element(row()))), indent=3).encode()
    for body in (b"\xef\xbb\xbf" + success(element(row())), b" \r\n" + spaced + b"\n\n"):
        assert len(read(body).stories[0].rows().rows) == 1


def test_status_is_compared_without_case_and_missing_extras_are_empty(read):
    answer = read('{"data": [], "status": "SUCCESS", "hash": null}')
    assert (answer.hash, answer.response_time, answer.stories) == ("", None, [])


def test_nul_is_removed_from_every_text_and_is_no_repair(read_rows):
    read = read_rows(row(firstname="a\0b\0", city="\0", certificate={"state": "deliv\0ered", "url": "\0u"}))
    kept = read.rows[0]
    assert (kept.firstname, kept.city, kept.state, kept.url) == ("ab", "", "delivered", "u")
    assert read.repaired == 0


def test_a_lone_surrogate_becomes_a_replacement_character_and_its_row_counts_as_repaired(read_rows):
    broken = json.dumps(row(firstname="a?b", lastname="?")).encode().replace(b"?", rb"\ud83d")
    read = read_rows(row(), broken, row(lastname="😀"))
    assert [one.firstname for one in read.rows] == ["User", "a\ufffdb", "User"]
    assert read.rows[2].lastname == "😀"
    assert (read.repaired, read.rejected) == (1, [])


def test_a_lone_surrogate_in_a_head_costs_nothing(read):
    answer = read(success(element(row(), name="?")).replace(b"?", rb"\uDFFF"))
    assert answer.stories[0].name == "\ufffd"
    assert answer.stories[0].rows().repaired == 0


def test_a_real_replacement_character_is_no_repair(read_rows):
    assert read_rows(row(firstname="\ufffd")).repaired == 0


SURROGATES = [
    (rb"\ud83d", 1, "\ufffd"),
    (rb"\uDC00", 1, "\ufffd"),
    (rb"\ud83d\ude00", 0, "😀"),
    (rb"\uD83D\uDE00", 0, "😀"),
    (rb"\ud83d\ud83d\ude00", 1, "\ufffd😀"),
    (rb"\ud83d\ude00\ude00", 1, "😀\ufffd"),
    (rb"\ude00\ud83d", 2, "\ufffd\ufffd"),
    (rb"\ud83d\u0041", 1, "\ufffdA"),
    (rb"\ud83dx\ude00", 2, "\ufffdx\ufffd"),
    (rb"\\ud83d", 0, "\\ud83d"),
    (rb"\\\ud83d", 1, "\\\ufffd"),
    (rb"\\\\ud83d", 0, "\\\\ud83d"),
    (rb"\\ud83d\ude00", 1, "\\ud83d\ufffd"),
    (rb"\\\ud83d\ude00", 0, "\\😀"),
    (rb"\ud83d\\ude00", 1, "\ufffd\\ude00"),
    (rb"\ud83d\n\ude00", 2, "\ufffd\n\ufffd"),
    (rb"\\" * 50_000 + rb"\ud83d", 1, "\\" * 50_000 + "\ufffd"),
    (rb"\ud7ff\ue000", 0, "\ud7ff\ue000"),
]


@pytest.mark.parametrize(("escapes", "repairs", "text"), SURROGATES, ids=range(len(SURROGATES)))
def test_exactly_the_lone_surrogates_are_repaired(escapes, repairs, text, read_rows):
    assert repair_surrogates(bytearray(b'"' + escapes + b'"')) == repairs
    broken = json.dumps(row(firstname="?")).encode().replace(b"?", escapes)
    read = read_rows(broken)
    assert read.rows[0].firstname == text
    assert read.repaired == (repairs > 0)


def test_a_row_nested_too_deeply_for_its_reader_is_set_aside(read):
    """What could be skipped from where the answer was opened may be too deep from further down the stack."""
    deep = b"[" * 600 + b"]" * 600
    answer = read(success(element(row(), row(extra="?"))).replace(b'"?"', deep))

    def further_down(levels: int) -> falkor.StoryRows:
        return further_down(levels - 1) if levels else answer.stories[0].rows()

    read_there = further_down(600)
    assert len(read_there.rows) + len(read_there.rejected) >= 1
    assert all("Nested too deeply" in one.reason for one in read_there.rejected)
