"""Every table has its file, the small ones of a page too, and what a browser is told of it."""

import codecs
import re
from datetime import UTC, datetime

import pytest
from django.utils import timezone

from certdash.rows import story_url
from tests import world
from tests.exports.files import HEAD, file_of, objects_of, rows_of
from tests.world import NOW, make_certificate, make_group, make_run, make_story

pytestmark = pytest.mark.django_db


# -- Every table ------------------------------------------------------------------------------------------------

HEADS = {
    "/stories/": "app,story_id,story,type,delivered,pending,certificates,newest,withdrawn",
    "/groups/": "app,group,people,delivered,pending,certificates,newest",
    "/people/": "app,person,email,delivered,pending,certificates,newest",
    "/apps/": "app,name,certificates,checked,data",
    "/apps/demo/people/": "name,email,team,members,role",
    "/apps/demo/runs/": "run,status,requested,requested_by,story,users,started,finished,seconds,received,created,"
    "changed,withdrawn,returned,out_of_scope,missing,stories,joined,left,rejected,repaired,bytes,hash,message",
}


@pytest.mark.parametrize("path", HEADS)
def test_every_table_has_its_file(path, client, cast):
    one = make_certificate(make_story(cast.demo), at=NOW)
    make_group(cast.demo, "Managers", one.learner)
    make_run(cast.demo, message="1 new.", vendor_hash="abc")
    client.force_login(cast.owner)
    page = client.get(path)
    assert file_of(client, path=path).decode("utf-8-sig").splitlines()[0] == HEADS[path]
    rows = rows_of(client, path=path)
    assert len(rows) == page.context["rows"] > 0
    assert objects_of(client, path=path)[0].keys() == rows[0].keys()


def test_the_numbers_of_a_storys_line(reader, cast):
    story = make_story(cast.demo)
    make_certificate(story, at=NOW), make_certificate(story, state="pending"), make_certificate(story, withdrawn_at=NOW)
    row = rows_of(reader, path="/stories/")[0]
    assert (row["delivered"], row["pending"], row["certificates"]) == ("1", "1", "2")
    assert row["newest"] == NOW.isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize("file_format", ["csv", "jsonl"])
def test_a_file_of_nothing_is_a_file(file_format, reader):
    head = codecs.BOM_UTF8 + HEAD.encode() + b"\r\n"
    assert file_of(reader, file_format=file_format) == (head if file_format == "csv" else b"")


# -- What a browser is told -------------------------------------------------------------------------------------


def test_a_file_has_a_name_with_its_moment_and_is_kept_by_nobody(reader, cast):
    story = make_story(cast.demo)
    make_certificate(story)
    for path, name in (
        ("/certificates/", "certificates"),
        ("/stories/", "stories"),
        (f"/stories/demo/{story.key}/", "certificates-demo"),
    ):
        response = reader.get(f"{path}?_export=csv")
        wanted = rf'attachment; filename="{name}-\d{{4}}-\d\d-\d\dT\d{{4}}Z\.csv"'
        assert re.fullmatch(wanted, response["Content-Disposition"])
        assert response["Content-Type"] == "text/csv; charset=utf-8"
        assert response["Cache-Control"] == "no-store"


def test_a_persons_file_has_no_name_of_hers_in_its_own(reader, cast):
    one = make_certificate(make_story(cast.demo))
    response = reader.get(f"/people/{one.learner_id}/?_export=csv")
    assert "Ana" not in response["Content-Disposition"]


# -- The small tables of a page ---------------------------------------------------------------------------------


def test_the_tables_beside_the_rows_have_their_file(client, cast):
    story = make_story(cast.demo, "Fire safety")
    certificate = make_certificate(story, at=timezone.now())
    world.make_group(cast.demo, "Sales", certificate.learner)
    client.force_login(cast.viewer)
    by_group = file_of_small(client, f"/stories/demo/{story.key}/", "breakdown")
    assert by_group == ["name,delivered,pending,certificates", "Sales,1,0,1"]
    by_story = file_of_small(client, "/groups/demo/sales/", "breakdown")
    assert by_story == ["name,delivered,pending,certificates", "Fire safety,1,0,1"]
    for path in ("/", "/groups/demo/sales/", f"/people/{certificate.learner.pk}/"):
        weeks = file_of_small(client, path, "weeks")
        assert (weeks[0], len(weeks), weeks[-1].endswith(",1,0")) == ("week,delivered,pending", 27, True)


def file_of_small(client, path, name):
    response = client.get(f"{path}?_export=csv&_table={name}")
    return b"".join(response.streaming_content).decode("utf-8-sig").splitlines()


@pytest.mark.parametrize(
    "query", ["_table=people", "_table=weeks&state=pending", "_table=weeks&_table=weeks", "_table=weeks&x=1"]
)
def test_small_tables_promise_nothing_that_they_do_not_hold(query, client, cast):
    client.force_login(cast.viewer)
    page = story_url(cast.demo, world.make_story(cast.demo))
    assert client.get(f"{page}?_export=csv&_table=weeks").status_code == 200
    assert client.get(f"{page}?_export=csv&{query}").status_code == 400
    assert client.get("/certificates/?_export=csv&_table=weeks").status_code == 400  # it shows none


def test_the_name_of_a_file_is_the_moment_of_its_data(client, cast):
    world.make_run(cast.demo, finished_at=datetime(2026, 3, 4, 5, 6, tzinfo=UTC))
    client.force_login(cast.viewer)
    assert (
        'filename="certificates-2026-03-04T0506Z.csv"'
        in client.get("/certificates/?_export=csv")["Content-Disposition"]
    )
