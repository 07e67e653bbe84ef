"""Cells: what somebody else wrote, links, numbers and dates."""

import io
import json
import re
import zipfile
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from certdash.exports import excel
from tests.workbooks.opening import file_of, local, made, notes_of, opened, values
from tests.world import make_certificate, make_group, make_story

# -- What somebody else wrote -------------------------------------------------------------------------------------

HOSTILE = [
    "=1+1", "=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "{=1}", "\t=1", "＝1", "http://vendor.example/", "1e5", "007",
    "internal:Rows!A1", "external:c:\\x.xlsx", "mailto:a@example.com", "TRUE", "#N/A", "'=1", " spaces ",
    "<r><t>x</t></r>", "<r></r>", "<is><t>x</t></is>", "&lt;b&gt; & <b>", "]]>", '"><c r="A9"/>',
    "a\nb", "𠮷\u202e東京",
]  # fmt: skip


def test_texts_stay_texts_whatever_they_begin_with():
    content = made(["name", "url"], [[text, text] for text in HOSTILE])
    _, sheet = opened(content)
    assert values(sheet) == [[text, text] for text in HOSTILE]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} == {"s"}
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        assert "<f" not in parts.read("xl/worksheets/sheet2.xml").decode().replace("<family", "")
        assert not any("externalLink" in name or "vba" in name.lower() for name in parts.namelist())


def test_nothing_of_a_hostile_certificate_is_a_formula(reader, cast):
    evil = '=HYPERLINK("https://evil.example","x")'
    fields = ("firstname", "lastname", "email", "telephone", "country", "city", "url")
    one = make_certificate(make_story(cast.demo, evil, evil, evil), state=evil, **dict.fromkeys(fields, evil))
    make_group(cast.demo, evil, one.learner)
    about, sheet = opened(file_of(reader, "q=hyperlink"))
    row = dict(zip([cell.value for cell in sheet[1]], sheet[2], strict=True))
    for name in (*fields, "story_id", "story", "type", "state", "groups"):
        assert (row[name].value, row[name].data_type, row[name].hyperlink) == (evil, "s", None), name
    assert about["Filters"] == "“hyperlink”"


@pytest.mark.parametrize("bad", ["\0", "\x01", "\x08", "\x0b", "\x1f", "\udfff", "\ufffe", "\uffff"])
def test_characters_that_xml_cannot_hold_are_replaced_and_told(bad):
    content = made(["name"], [[f"a{bad}b"], ["c"]], page=f"p{bad}", filters=[f"f{bad}"])
    about, sheet = opened(content)
    assert values(sheet) == [["a\ufffdb"], ["c"]]
    assert (about["certdash"], about["Filters"]) == ("p\ufffd", "f\ufffd")
    assert "characters that a workbook cannot hold, each shown as \ufffd: 1." in notes_of(content)


def test_line_breaks_are_those_of_cells_and_what_looks_like_an_escape_is_none():
    content = made(["name"], [["a\r\nb\rc"], ["_x0041_"]])
    assert values(opened(content)[1]) == [["a\nb\nc"], ["_x005F_x0041_"]]  # which Excel shows as _x0041_
    assert "Notes" not in opened(content)[0]


@pytest.mark.parametrize("text", ["x" * 40_000, "𠮷" * 20_000], ids=["long", "long in UTF-16"])
def test_long_texts_are_cut_and_told(text):
    content = made(["name", "email"], [[text, "x" * 32_767]])
    [[cut, whole]] = values(opened(content)[1])
    assert text.startswith(cut)
    assert len(cut.encode("utf-16-le")) // 2 in (32_766, 32_767)
    assert len(whole) == 32_767
    assert "Cells cut at the 32,767 characters that Excel takes: 1." in notes_of(content)


# -- Links --------------------------------------------------------------------------------------------------------

UNSAFE = [
    "javascript:alert(1)", "file:///etc/passwd", "//vendor.example", "internal:Rows!A1", "mailto:a@example.com",
    "https://a@vendor.example/", "https://vendor.example/ x", "vendor", "https://vendor.example/" + "x" * 3000,
]  # fmt: skip


def test_only_safe_addresses_become_links():
    safe = ["https://vendor.example/c/1", "HTTP://vendor.example/", "https://vendor.example/ü?q=%20#" + "y" * 20]
    content = made(["url"], [[url] for url in [*UNSAFE, *safe, ""]])
    _, sheet = opened(content)
    linked = {cell.value for [cell] in sheet.iter_rows(min_row=2) if cell.hyperlink}
    assert linked == set(safe)
    assert [row[0] for row in values(sheet)][: len(UNSAFE)] == UNSAFE
    assert f"no web addresses that are safe to follow: {len(UNSAFE)}." in notes_of(content)
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        targets = re.findall('Target="([^"]*)"', parts.read("xl/worksheets/_rels/sheet2.xml.rels").decode())
    assert all(target.startswith(("http://", "https://")) for target in targets)


def test_links_end_where_excel_takes_no_more(monkeypatch):
    monkeypatch.setattr("certdash.exports.excel.MOST_LINKS", 3)
    content = made(["url"], [[f"https://vendor.example/{number}"] for number in range(5)])
    _, sheet = opened(content)
    assert [bool(cell.hyperlink) for [cell] in sheet.iter_rows(min_row=2)] == [True] * 3 + [False] * 2
    assert values(sheet)[-1] == ["https://vendor.example/4"]
    assert "Excel takes at most 65,530 links a sheet: 2." in notes_of(content)


def test_excels_own_limit_of_links_is_ours():
    assert excel.MOST_LINKS == 65_530


# -- Numbers and dates --------------------------------------------------------------------------------------------


def test_numbers_are_numbers_as_long_as_excel_keeps_all_their_digits():
    rows = [[1], [-2.5], [10**14], [10**15], [float("inf")], [True], [None], [["a", "b"]]]
    assert values(opened(made(["bytes"], rows))[1]) == [
        [1], [-2.5], [10**14], ["1000000000000000"], ["inf"], ["True"], [None], ["a; b"],
    ]  # fmt: skip


def test_times_to_delivery_are_numbers_of_days(reader, cast):
    took = [timedelta(days=1), timedelta(days=2, hours=8), timedelta(days=5)]
    for one in took:
        make_certificate(make_story(cast.demo), delivered_after=one)
    make_certificate(make_story(cast.demo, "Never", "N"), state="pending")
    _, sheet = opened(file_of(reader, path="/delivery/"))
    head = [cell.value for cell in sheet[1]]
    told = [
        [dict(zip(head, row, strict=True))[name] for name in ("median_days", "slowest_days")] for row in values(sheet)
    ]
    assert told == [[2.33, 5], [None, None]]
    assert {cell.data_type for cell in sheet[2][4:6]} == {"n"}
    lines = b"".join(reader.get("/delivery/?_export=jsonl")).splitlines()
    assert [json.loads(line)["median_days"] for line in lines] == [2.33, ""]


@pytest.mark.parametrize(
    ("text", "zone", "shown"),
    [
        ("2026-03-29T00:59:59Z", "Europe/Berlin", local(2026, 3, 29, 1, 59, 59)),
        ("2026-03-29T01:00:00Z", "Europe/Berlin", local(2026, 3, 29, 3, 0)),
        ("2026-10-25T00:30:00Z", "Europe/Berlin", local(2026, 10, 25, 2, 30)),
        ("2026-10-25T01:30:00Z", "Europe/Berlin", local(2026, 10, 25, 2, 30)),  # told apart in UTC only
        ("2026-11-03T08:04:05.125000Z", "Asia/Kathmandu", local(2026, 11, 3, 13, 49, 5, 125_000)),
        ("1901-06-01T00:00:00Z", "UTC", local(1901, 6, 1)),
        ("0005-01-01T00:00:00Z", "Asia/Tokyo", "0005-01-01T00:00:00Z"),
        ("1900-01-01T00:00:00Z", "America/New_York", "1900-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59Z", "Asia/Tokyo", "9999-12-31T23:59:59Z"),
    ],
)
def test_moments_are_dates_of_the_readers_clock_where_excel_has_them(text, zone, shown):
    content = made(["at"], [[text]], moments=["at"], zone=ZoneInfo(zone))
    about, sheet = opened(content)
    assert values(sheet) == [[shown, text]]
    assert zone in about["Notes"]
    assert ("text in UTC" in notes_of(content)) == isinstance(shown, str)
