"""Every table has its workbook."""

from django.utils import timezone

from certdash import tables
from certdash.models import Change, Team
from certdash.tables.base import Moment
from tests.workbooks.opening import file_of, opened, values
from tests.world import NOW, make_certificate, make_group, make_run, make_story

PATHS = [
    "/stories/", "/groups/", "/people/", "/apps/", "/apps/demo/people/", "/apps/demo/runs/", "/apps/demo/audit/",
    "/accounts/people/", "/accounts/teams/", "/accounts/audit/", "/apps/demo/runs/{run}/changes/",
    "/stories/demo/{story}/", "/groups/demo/managers/", "/people/{person}/",
]  # fmt: skip


def test_every_table_has_its_workbook(client, cast):
    one = make_certificate(make_story(cast.demo), at=NOW)
    make_group(cast.demo, "Managers", one.learner)
    run = make_run(cast.demo)
    told = {"app": cast.demo, "run": run, "story": one.story, "seen_at": NOW}
    Change.objects.create(certificate=one, kind="link", before={"url": ""}, after={"url": "https://a.example"}, **told)
    Team.objects.create(name="Trainers")
    client.force_login(cast.superuser)
    for path in PATHS:
        path = path.format(run=run.pk, story=one.story.key, person=one.learner_id)
        page = client.get(path)
        assert page.context["rows"] >= 1, path
        assert "_export=xlsx" in page.content.decode(), path
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
