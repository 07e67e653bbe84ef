"""The head and the cells of a file, and that nothing in them is a formula."""

import codecs
import json
from datetime import UTC, datetime

import pytest

from tests.exports.files import HEAD, file_of, rows_of
from tests.world import NOW, make_certificate, make_group, make_story

pytestmark = pytest.mark.django_db


# -- Form -------------------------------------------------------------------------------------------------------


def test_a_csv_begins_with_a_mark_and_the_head_and_ends_its_lines_as_rfc_4180_wants(reader):
    assert file_of(reader) == codecs.BOM_UTF8 + HEAD.encode() + b"\r\n"


def test_a_certificate_as_a_line(reader, cast):
    one = make_certificate(
        make_story(cast.demo), telephone="030 1", url="https://vendor.example/c/1",
        at=datetime(2026, 11, 3, 8, 4, 5, tzinfo=UTC),
    )  # fmt: skip
    make_group(cast.demo, "Managers", one.learner), make_group(cast.demo, "Engineering", one.learner)
    line = file_of(reader).decode().splitlines()[1]
    assert line == (
        "demo,EV72-RQZY-80AH,Fire safety,story,Ana,Souza,ana@example.com,030 1,Brazil,São Paulo,"
        "Engineering; Managers,delivered,2026-11-03T08:04:05Z,https://vendor.example/c/1,"
    )


def test_quotes_commas_and_line_breaks_survive_a_csv(reader, cast):
    odd = 'She said "hi", twice\r\nand\nleft; ok'
    make_certificate(make_story(cast.demo, odd), firstname=odd)
    assert (rows_of(reader)[0]["story"], rows_of(reader)[0]["firstname"]) == (odd, odd)
    assert '"She said ""hi"", twice\r\nand\nleft; ok"' in file_of(reader).decode()


@pytest.mark.parametrize(
    ("at", "written"),
    [
        ("2026-03-29T02:30:00+02:00", "2026-03-29T00:30:00Z"),
        ("2026-11-03T08:04:05.120000+00:00", "2026-11-03T08:04:05.120000Z"),
        ("2026-11-03T08:04:05.000001+05:45", "2026-11-03T02:19:05.000001Z"),
        ("0005-01-01T00:00:00+00:00", "0005-01-01T00:00:00Z"),
    ],
)
def test_moments_are_written_in_utc_with_their_fractions(at, written, reader, cast, settings):
    settings.TIME_ZONE = "Europe/Berlin"
    moment = datetime.fromisoformat(at)
    make_certificate(make_story(cast.demo), at=moment, withdrawn_at=moment)
    row = rows_of(reader, "withdrawn=all")[0]
    assert (row["timestamp"], row["withdrawn"]) == (written, written)


@pytest.mark.parametrize("state", ["pending", "delivered", "Expired", "EN ATTENTE"])
def test_a_state_is_lower_case_when_it_is_documented_and_else_as_sent(state, reader, cast):
    make_certificate(make_story(cast.demo, type="Quiz"), state=state)
    assert (rows_of(reader)[0]["state"], rows_of(reader)[0]["type"]) == (state, "Quiz")


def test_withdrawn_certificates_are_in_the_file_when_they_are_on_the_page(reader, cast):
    make_certificate(make_story(cast.demo), withdrawn_at=NOW)
    assert rows_of(reader) == []
    assert rows_of(reader, "withdrawn=only")[0]["withdrawn"] == NOW.isoformat().replace("+00:00", "Z")


# -- Formulas ---------------------------------------------------------------------------------------------------

FORMULAS = ["=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"]
TEXTS = ("firstname", "lastname", "email", "telephone", "country", "city", "url")


@pytest.mark.parametrize("first", FORMULAS, ids=[f"U+{ord(first):04X}" for first in FORMULAS])
def test_no_cell_begins_as_a_formula(first, reader, cast):
    evil = f"{first}cmd|' /C calc'!A0"
    one = make_certificate(make_story(cast.demo, evil, evil, evil), state=evil, **dict.fromkeys(TEXTS, evil))
    make_group(cast.demo, evil, one.learner)
    row = rows_of(reader)[0]
    for name in (*TEXTS, "story_id", "story", "type", "state", "groups"):
        assert row[name] == f"'{evil}", name
    assert {name for name in row if row[name][:1] in FORMULAS} == set()


def test_a_dash_inside_and_a_leading_quote_are_left_alone(reader, cast):
    make_certificate(make_story(cast.demo, "A - b"), firstname="'=1", lastname="a=b", telephone="")
    row = rows_of(reader)[0]
    assert (row["story"], row["firstname"], row["lastname"], row["telephone"]) == ("A - b", "'=1", "a=b", "")


def test_json_lines_carry_every_value_untouched_and_groups_as_a_list(reader, cast):
    evil = '=1+1\r\n"𠮷"\u2028'
    one = make_certificate(make_story(cast.demo, evil), **dict.fromkeys(TEXTS, evil))
    make_group(cast.demo, "=Managers", one.learner)
    content = file_of(reader, file_format="jsonl")
    assert content.count(b"\n") == 1
    row = json.loads(content)
    assert list(row) == HEAD.split(",")
    assert {row[name] for name in (*TEXTS, "story")} == {evil}
    assert row["groups"] == ["=Managers"]
    assert "𠮷" in content.decode()


@pytest.mark.parametrize("path", ["stories", "groups", "people"])
def test_files_of_other_tables_are_guarded_too(path, reader, cast):
    one = make_certificate(make_story(cast.demo, "=1", "-1", "@1"), firstname="+1", lastname="", email="-1")
    make_group(cast.demo, "=1", one.learner)
    assert {value[:1] for row in rows_of(reader, path=f"/{path}/") for value in row.values()}.isdisjoint(FORMULAS)
