"""What is shown of a row that could not be understood says nothing of anybody."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from certdash.falkor.excerpt import LENGTH, excerpt
from certdash.falkor.rows import read_rows
from tests.falkor.vendors import row


def shown(text: str) -> str:
    return excerpt(Raw(text.encode()))


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ('{"firstname": "Ada", "lastname": null}', '{"firstname": "xxx", "lastname": null}'),
        ('{"email": "ada.lee+1@mail.example"}', '{"email": "xxx.xxx+0@xxxx.xxxxxxx"}'),
        ('{"timestamp": "2021-13-45T25:61"}', '{"timestamp": "0000-00-00x00:00"}'),
        ('{"state": 17, "url": -1.5e3, "city": true}', '{"state": 00, "url": -0.0x0, "city": true}'),
        ('{"Ada Lee": "city"}', '{"xxx xxx": "xxxx"}'),  # only documented keys are keys, and only where keys stand
        ('"firstname"', '"xxxxxxxxx"'),
        (r'{"city": "\"email\": \"ada\""}', r'{"city": "\"xxxxx\": \"xxx\""}'),
        ('{"city": "東京 Århus 😀"}', '{"city": "xx xxxxx x"}'),
        ("[[[]]]", "[[[]]]"),
    ],
)
def test_letters_and_digits_are_masked_and_the_shape_stays(text, masked):
    assert shown(text) == masked


def test_a_long_row_is_cut_and_says_so():
    text = shown(json.dumps({"city": "a" * 5000}))
    assert len(text) == LENGTH + 1
    assert text.endswith("…")


def test_wrong_utf8_is_shown_as_something_unreadable():
    assert excerpt(Raw(b'{"city": "\xff\xfe"}')) == '{"city": "xx"}'


_CANARY = st.text('QZ9éЖ字"\\\n ')


@given(st.recursive(_CANARY, lambda some: st.lists(some) | st.dictionaries(_CANARY, some)), st.booleans())
def test_no_letter_or_digit_of_a_value_or_an_odd_key_is_left(value, plain):
    assert not set("QZ9éЖ字") & set(shown(json.dumps(value, ensure_ascii=plain)))


def test_a_rejected_row_carries_its_excerpt():
    wire = json.dumps([row(firstname="Canary", certificate={"timestamp": "soon"})]).encode()
    rejected = read_rows(Raw(wire), "data[0].certificates").rejected[0]
    assert rejected.path == "data[0].certificates[0].certificate.timestamp"
    assert '"firstname": "xxxxxx"' in rejected.excerpt
    assert '"timestamp": "xxxx"' in rejected.excerpt
