"""Workbooks, opened again: types, what Excel can and cannot hold, what the first sheet says, and what stays behind."""

import io
import json
import re
import zipfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import timezone, translation

from certdash import tables
from certdash.downloads import Download
from certdash.exports import About, excel, workbook
from certdash.models import AuditEntry, AuditKind
from certdash.tables.base import Moment
from tests import world
from tests.world import NOW, make_certificate, make_group, make_run, make_story

openpyxl = pytest.importorskip("openpyxl", reason="openpyxl is in requirements-dev.txt")

TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
AT = datetime(2026, 11, 3, 23, 4, 5, tzinfo=UTC)


def made(head, rows, **about):
    """The bytes of a workbook of these rows."""
    with workbook(head, rows, About(**about)) as file:
        return file.read()


def opened(content):
    """The first sheet as a dictionary, and the sheet of rows."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    about, rows = book.worksheets
    assert about.title == "About"
    return {row[0].value: row[1].value for row in about.iter_rows() if row[0].value}, rows


def values(sheet):
    return [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]


def notes_of(content):
    book = openpyxl.load_workbook(io.BytesIO(content))
    return " ".join(str(cell.value) for cell in book.worksheets[0]["B"] if cell.value)


def test_the_first_sheet_speaks_the_language_of_who_asked_for_it(monkeypatch):
    monkeypatch.setattr("certdash.exports.about.gettext", lambda text: f"{translation.get_language()}: {text}")
    with translation.override("de"):
        about = About("People")
    with workbook(["name"], [], about) as file:
        told, _ = opened(file.read())
    assert {*told} == {"certdash", "de: Filters", "de: Rows", "de: As of", "de: Made"}


@pytest.fixture
def reader(client, cast):
    client.force_login(cast.viewer)
    return client


def file_of(client, query="", path="/certificates/"):
    response = client.get(f"{path}?{query}&_export=xlsx")
    assert response.status_code == 200, response.content
    assert response["Content-Type"] == TYPE
    return b"".join(response)


def local(*parts):
    """A date as a cell holds it: of no time zone."""
    return datetime(*parts)  # noqa: DTZ001


# -- A file of certificates ---------------------------------------------------------------------------------------


def test_a_certificate_has_typed_cells_the_readers_clock_and_the_same_moments_in_utc(client, cast):
    one = make_certificate(make_story(cast.demo), telephone="0301", url="https://vendor.example/c/1?a=b#c", at=AT)
    make_group(cast.demo, "Managers", one.learner), make_group(cast.demo, "Engineering", one.learner)
    cast.viewer.time_zone = "Europe/Berlin"
    cast.viewer.save()
    client.force_login(cast.viewer)
    about, sheet = opened(file_of(client))
    head = [cell.value for cell in sheet[1]]
    assert head == [*tables.CertificateTable.columns_of_file, "timestamp_utc", "withdrawn_utc"]
    row = dict(zip(head, sheet[2], strict=True))
    assert row["timestamp"].is_date
    assert row["timestamp"].value == local(2026, 11, 4, 0, 4, 5)
    assert row["timestamp_utc"].value == "2026-11-03T23:04:05Z"
    assert (row["withdrawn"].value, row["withdrawn_utc"].value) == (None, None)
    assert (row["telephone"].value, row["groups"].value) == ("0301", "Engineering; Managers")
    assert row["url"].value == row["url"].hyperlink.target + "#" + row["url"].hyperlink.location
    assert "Europe/Berlin" in about["Notes"]


def test_the_head_stays_and_filters(reader, cast):
    make_certificate(make_story(cast.demo)), make_certificate(make_story(cast.demo))
    _, sheet = opened(file_of(reader))
    assert (sheet.freeze_panes, sheet.auto_filter.ref, sheet.print_title_rows) == ("A2", "A1:Q3", "$1:$1")


def test_the_first_sheet_says_what_the_rows_are(reader, cast):
    make_run(cast.demo, finished_at=NOW - timedelta(hours=1))
    story = make_story(cast.demo)
    make_certificate(story, country="Sweden", state="pending"), make_certificate(story)
    with time_machine.travel(NOW, tick=False):
        about, _ = opened(file_of(reader, "country=Sweden&state=pending&sort=person"))
    assert (about["certdash"], about["Rows"]) == ("Certificates", 1)
    assert about["Filters"] == "Pending; Sweden"
    assert about["Address"].startswith(f"{settings.PUBLIC_URL}/certificates/?")
    assert re.search(r"[?&]country=Sweden&.*sort=person$", about["Address"])
    moment = NOW - timedelta(hours=1)
    assert about["As of"] == f"{moment:%-d %b %Y, %H:%M} (UTC), {moment:%Y-%m-%dT%H:%M:%SZ}"
    assert about["Demo Academy"] == about["As of"]
    assert f"{NOW:%Y-%m-%dT%H:%M:%SZ}" in about["Made"]


def test_data_that_never_came_is_told(reader, cast):
    about, sheet = opened(file_of(reader))
    assert (about["As of"], about["Rows"], about["Filters"]) == (
        "not synchronised yet",
        0,
        "none: all rows of the page",
    )
    assert sheet.max_row == 1


def test_the_rows_and_their_order_are_those_of_the_other_formats(reader, cast, monkeypatch):
    world.make_many(cast.demo, 30, [make_story(cast.demo), make_story(cast.demo, "Other", "B")])
    monkeypatch.setattr("certdash.tables.Table.file_rows.__defaults__", (7,))
    _, sheet = opened(file_of(reader, "sort=-story&state=pending"))
    csv = b"".join(reader.get("/certificates/?sort=-story&state=pending&_export=csv")).decode("utf-8-sig")
    emails = [line.split(",")[6] for line in csv.splitlines()[1:]]
    assert len(emails) == 15
    assert [row[6] for row in values(sheet)] == emails


QUERIES = ["", "state=pending&sort=person", "q=person+1&country=Country+13", "per_page=25&page=2&withdrawn=all"]


@pytest.mark.parametrize("query", QUERIES)
def test_the_command_writes_the_bytes_of_the_page(query, client, cast, tmp_path):
    world.make_many(cast.demo, 40, [make_story(cast.demo)], [make_group(cast.demo, "Managers")])
    make_run(cast.demo)
    client.force_login(cast.superuser)
    with time_machine.travel(NOW + timedelta(minutes=3), tick=False):
        page = file_of(client, query)
        output = tmp_path / "file.xlsx"
        call_command("export_certificates", "--query", query, "--format", "xlsx", "--output", str(output))
    assert len(values(opened(page)[1])) > 0
    assert output.read_bytes() == page


def test_a_command_for_one_app_says_so(cast, tmp_path):
    output = tmp_path / "file.xlsx"
    call_command("export_certificates", "--app", "demo", "--format", "xlsx", "--output", str(output))
    assert opened(output.read_bytes())[0]["Address"].endswith("/certificates/?app=demo")


# -- Every table --------------------------------------------------------------------------------------------------

PATHS = [
    "/stories/", "/groups/", "/people/", "/apps/", "/apps/demo/people/", "/apps/demo/runs/", "/apps/demo/audit/",
    "/accounts/people/", "/accounts/teams/", "/accounts/audit/", "/apps/demo/runs/{run}/changes/",
    "/stories/demo/{story}/", "/groups/demo/managers/", "/people/{person}/",
]  # fmt: skip


def test_every_table_has_its_workbook(client, cast):
    one = make_certificate(make_story(cast.demo), at=NOW)
    make_group(cast.demo, "Managers", one.learner)
    run = make_run(cast.demo)
    client.force_login(cast.superuser)
    for path in PATHS:
        path = path.format(run=run.pk, story=one.story.key, person=one.learner_id)
        page = client.get(path)
        assert (
            "download>\n        \n          Excel" in page.content.decode() or "_export=xlsx" in page.content.decode()
        ), path
        about, sheet = opened(file_of(client, path=path))
        csv = b"".join(client.get(f"{path}?_export=csv")).decode("utf-8-sig")
        head = [cell.value for cell in sheet[1] if not cell.value.endswith("_utc")]
        assert head == csv.splitlines()[0].split(",")
        assert about["Rows"] == sheet.max_row - 1
        assert about["certdash"]


def test_the_tables_beside_the_rows_have_theirs(reader, cast):
    one = make_certificate(make_story(cast.demo), at=timezone.now())
    make_group(cast.demo, "Managers", one.learner)
    _, sheet = opened(file_of(reader, "_table=weeks", "/groups/demo/managers/"))
    assert sheet.title == "certificates-demo-weeks"
    assert len(values(sheet)) == 26
    assert values(sheet)[-1][1:] == [1, 0]
    assert {(cell.is_date, cell.number_format) for cell in sheet["A"][1:]} == {(True, "yyyy-mm-dd")}
    assert [cell.value.weekday() for cell in sheet["A"][1:]] == [0] * 26
    _, sheet = opened(file_of(reader, "_table=breakdown", f"/stories/demo/{one.story.key}/"))
    assert values(sheet) == [["Managers", 1, 0, 1]]


def test_every_column_that_is_written_in_utc_is_a_date_in_workbooks():
    each = [getattr(tables, name) for name in tables.__all__ if name != "Table"]
    assert sum(len(table.moments()) for table in each) > 10
    for table in each:
        texts = {
            name
            for name, cell in table.columns_of_file.items()
            if not isinstance(cell, Moment) and "utc" in getattr(getattr(cell, "__code__", None), "co_names", ())
        }
        assert texts == set(), table


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


# -- Where it is made ---------------------------------------------------------------------------------------------


def spooled():
    return sorted(settings.SPOOL_DIR.iterdir()) if settings.SPOOL_DIR.exists() else []


@pytest.mark.django_db
def test_nothing_stays_in_the_spool_whoever_leaves_and_whatever_fails(reader, cast):
    make_certificate(make_story(cast.demo))
    before = spooled()
    response = reader.get("/certificates/?_export=xlsx")
    stream = iter(response.streaming_content)
    assert next(stream).startswith(b"PK")
    assert spooled() == before  # the file that is being sent has no name
    response.close()
    with pytest.raises(ZeroDivisionError):
        made(["name"], ([1 // number] for number in (1, 0)))
    assert spooled() == before


def test_memory_holds_a_row_at_a_time(tmp_path):
    gone = Counter()

    def rows():
        for number in range(3000):
            gone["files"] = max(gone["files"], sum(1 for _ in settings.SPOOL_DIR.rglob("*")))
            yield [f"{number}", "x" * 1000]

    made(["name", "email"], rows())
    assert gone["files"] >= 3  # a folder with a file for each sheet: rows wait on the disk


# -- Too long -----------------------------------------------------------------------------------------------------


def test_more_rows_than_a_workbook_takes_are_refused_with_a_way_out(reader, cast, monkeypatch, tmp_path):
    world.make_many(cast.demo, 6, [make_story(cast.demo)])
    for module in ("views.page", "views.refusals", "management.commands.export_certificates"):
        monkeypatch.setattr(f"certdash.{module}.MOST_ROWS", 5)
    response = reader.get("/certificates/?_export=xlsx")
    assert response.status_code == 400
    assert "at most 5 rows here, and these are 6. Take them as CSV" in response.content.decode()
    page = reader.get("/certificates/").content.decode()
    assert "_export=xlsx" not in page
    assert "Excel takes at most 5 rows" in page
    output = tmp_path / "file"
    with pytest.raises(CommandError, match="at most 5 rows"):
        call_command("export_certificates", "--format", "xlsx", "--output", str(output))
    assert not output.exists()
    assert len(values(opened(file_of(reader, "state=pending"))[1])) == 3
    assert AuditEntry.objects.filter(kind=AuditKind.DOWNLOAD).count() == 1


def test_a_matrix_and_a_small_table_have_the_same_limit(reader, cast, monkeypatch):
    groups = [make_group(cast.demo, name) for name in ("Managers", "Engineering")]
    world.make_many(cast.demo, 6, [make_story(cast.demo), make_story(cast.demo, "Other", "B")], groups)
    paths = ["/matrix/?_export=", "/groups/demo/managers/?_table=weeks&_export=", "/?_table=ages&_export="]
    assert {reader.get(f"{path}xlsx").status_code for path in paths} == {200}
    assert "_export=xlsx" in reader.get("/matrix/").content.decode()
    for module in ("views.page", "views.refusals"):
        monkeypatch.setattr(f"certdash.{module}.MOST_ROWS", 3)
    for path in paths:
        response = reader.get(f"{path}xlsx")
        assert response.status_code == 400
        assert "at most 3 rows here" in response.content.decode()
        assert reader.get(f"{path}csv").status_code == 200
    page = reader.get("/matrix/").content.decode()
    assert "_export=xlsx" not in page
    assert "Excel takes at most 3 rows" in page


def test_a_matrix_is_no_wider_with_more_groups_and_cuts_what_no_cell_takes(reader, cast):
    long = "x" * 33_000
    story = make_story(cast.demo, long)
    world.make_many(cast.demo, 2, [story], [make_group(cast.demo, f"Group {number}") for number in range(40)])
    content = file_of(reader, path="/matrix/")
    about, sheet = opened(content)
    assert sheet.max_column == 6
    assert {row[2] for row in values(sheet)} == {long[:32_767], "(all stories)"}
    assert f"Cells cut at the 32,767 characters that Excel takes: {about['Rows'] // 2}." in notes_of(content)


@pytest.mark.parametrize(("rows", "status"), [(200_000, 200), (200_001, 400)])
def test_the_limit_is_200_000_rows(rows, status, reader, cast, monkeypatch):
    monkeypatch.setattr("certdash.views.page.exact_count", lambda *_: rows)
    assert reader.get("/certificates/?_export=xlsx").status_code == status


# -- What is written down -----------------------------------------------------------------------------------------


def test_a_workbook_is_written_down_like_the_other_files(reader, cast):
    make_certificate(make_story(cast.demo)), make_certificate(make_story(cast.demo))
    file_of(reader, "state=delivered")
    [entry] = AuditEntry.objects.filter(kind=AuditKind.DOWNLOAD)
    told = {"what": "certificates", "format": "xlsx", "filters": ["state"], "rows": 2}
    assert (entry.app_name, entry.person_name, entry.details) == ("Demo Academy", "viewer", told)


def test_a_workbook_that_was_made_for_somebody_who_left_is_not_whole(cast):
    rows = (["demo", f"{number**7}"] for number in range(9000))
    stream = Download("certificates", "xlsx", [], [cast.demo], cast.viewer).stream(["app", "name"], rows)
    next(stream)
    stream.close()
    [entry] = AuditEntry.objects.filter(kind=AuditKind.DOWNLOAD)
    assert (entry.details["rows"], entry.details["whole"]) == (9000, False)
