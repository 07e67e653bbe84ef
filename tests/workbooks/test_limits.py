"""Where workbooks are made, how long they may be, and that they are written down."""

from collections import Counter

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from certdash.downloads import Download
from certdash.models import AuditEntry, AuditKind
from tests import world
from tests.workbooks.opening import file_of, made, notes_of, opened, values
from tests.world import make_certificate, make_group, make_story

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
