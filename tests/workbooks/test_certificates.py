"""A workbook of certificates: its head, its rows, what its first sheet says, and the command that writes it."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.core.management import call_command
from django.utils import translation

from certdash import tables
from certdash.exports import About, workbook
from tests import world
from tests.workbooks.opening import AT, file_of, local, opened, values
from tests.world import NOW, make_certificate, make_group, make_run, make_story


def test_the_first_sheet_speaks_the_language_of_who_asked_for_it(monkeypatch):
    monkeypatch.setattr("certdash.exports.about.gettext", lambda text: f"{translation.get_language()}: {text}")
    with translation.override("de"):
        about = About("People")
    with workbook(["name"], [], about) as file:
        told, _ = opened(file.read())
    assert {*told} == {"certdash", "de: Filters", "de: Rows", "de: As of", "de: Made"}


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
