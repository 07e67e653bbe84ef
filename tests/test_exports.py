"""Files: their head, their cells, their order, and that nothing in them is a formula."""

import codecs
import csv
import io
import json
import re
from datetime import UTC, datetime

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from certdash import exports
from certdash.models import Certificate
from certdash.rows import story_url
from certdash.tables import CertificateTable
from tests import world
from tests.world import NOW, make_certificate, make_group, make_learner, make_run, make_story

pytestmark = pytest.mark.django_db
HEAD = (
    "app,story_id,story,type,firstname,lastname,email,telephone,country,city,groups,state,timestamp,url,withdrawn"
)  # fmt: skip


@pytest.fixture
def reader(client, cast):
    client.force_login(cast.viewer)
    return client


def file_of(client, query="", path="/certificates/", file_format="csv"):
    response = client.get(f"{path}?{query}&_export={file_format}")
    assert response.status_code == 200, response.content
    assert response.streaming
    return b"".join(response)


def rows_of(client, query="", path="/certificates/"):
    return list(csv.DictReader(io.StringIO(file_of(client, query, path).decode("utf-8-sig"), newline="")))


def objects_of(client, query="", path="/certificates/"):
    return [json.loads(line) for line in file_of(client, query, path, "jsonl").splitlines()]


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


# -- Rows and order ---------------------------------------------------------------------------------------------

_ORDERS = ("person", "state", "story", "groups", "app", "awarded", "place", "first_seen", "changed")
SORTS = ["", *(f"sort={way}{name}" for name in _ORDERS for way in ("", "-"))]


@pytest.mark.parametrize("sort", SORTS)
def test_a_file_holds_all_pages_in_the_order_of_the_page(sort, reader, cast, monkeypatch):
    stories = [make_story(cast.demo, name, name) for name in ("b", "A", "Ä", "zebra")]
    world.make_many(cast.demo, 60, stories)
    monkeypatch.setattr("certdash.tables.Table.file_rows.__defaults__", (7,))  # several batches
    shown = []
    for page in (1, 2, 3):
        table = reader.get(f"/certificates/?{sort}&per_page=25&page={page}").context["table"]
        shown += [row.record.certificate.email for row in table.page.object_list]
    assert len(shown) == 60
    assert [row["email"] for row in rows_of(reader, sort)] == shown
    assert [row["email"] for row in objects_of(reader, sort)] == shown


def test_page_and_size_do_not_narrow_a_file(reader, cast):
    world.make_many(cast.demo, 30, [make_story(cast.demo)])
    assert len(rows_of(reader, "page=2&per_page=10")) == 30


def test_people_are_ordered_without_case_and_accents_and_the_same_in_every_database(reader, cast):
    names = ["Zoë", "ana", "Ángel", "Øster", "björn", "Bo", "", "東京"]
    for name in names:
        make_certificate(make_story(cast.demo), firstname=name, lastname="", email="", telephone=name or "1")
    assert [row["firstname"] for row in rows_of(reader, "sort=person")] == [
        "", "ana", "Ángel", "björn", "Bo", "Øster", "Zoë", "東京",
    ]  # fmt: skip


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


# -- The command ------------------------------------------------------------------------------------------------


@pytest.fixture
def exported(tmp_path):
    def exported(*arguments):
        output = tmp_path / "file"
        call_command("export_certificates", *arguments, "--output", str(output))
        return output.read_bytes()

    return exported


QUERIES = [
    "", "state=pending", "sort=person", "country=Country+3&country=Country+4", "q=person+1&sort=-story", "city=",
    "group=managers", "group=~none", "story=EV72-RQZY-80AH", "withdrawn=all&per_page=25&page=2",
]  # fmt: skip


@pytest.mark.parametrize("query", QUERIES)
def test_the_command_writes_the_bytes_of_the_page(query, exported, client, cast):
    world.make_many(cast.demo, 70, [make_story(cast.demo)], [make_group(cast.demo, "Managers")])
    world.make_foreign(cast.other)
    client.force_login(cast.superuser)
    for file_format in exports.FORMATS:
        with time_machine.travel(NOW, tick=False):  # which a workbook tells
            by_command = exported("--query", query, "--format", file_format)
            assert by_command == file_of(client, query, file_format=file_format)
    client.force_login(cast.viewer)
    assert exported("--app", "demo", "--query", query) == file_of(client, query)


NONSENSE = [
    "stat=pending",
    "state=pendng",
    "app=nobody",
    "sort=colour",
    "awarded_from=today",
    "page=x",
    "per_page=-1",
    "_export=xls",
]


@pytest.mark.parametrize("query", NONSENSE)
def test_the_command_refuses_what_means_nothing_and_writes_nothing(query, tmp_path, cast):
    output = tmp_path / "file"
    with pytest.raises(CommandError, match=re.escape(query)):
        call_command("export_certificates", "--query", query, "--output", str(output))
    assert not output.exists()


@pytest.mark.parametrize("query", ["_export=csv", "page=2", "per_page=25"])
def test_the_command_takes_the_query_of_an_address(query, exported, cast):
    make_certificate(make_story(cast.demo))
    assert exported("--query", query).count(b"\r\n") == 2


def test_the_command_names_an_app_and_a_file_that_are_not_there(tmp_path, cast):
    with pytest.raises(CommandError, match="no app nobody"):
        call_command("export_certificates", "--app", "nobody")
    with pytest.raises(CommandError, match=r"missing/file could not be written: No such file or directory\."):
        call_command("export_certificates", "--output", str(tmp_path / "missing" / "file"))


# -- How it is read ---------------------------------------------------------------------------------------------


def test_queries_of_a_file_grow_with_its_batches_only(reader, cast):
    make_many = world.make_many
    make_many(cast.demo, 50, [make_story(cast.demo)], [make_group(cast.demo, "Managers")])
    with CaptureQueriesContext(
        connection,
    ) as few:
        rows_of(reader)
    assert len(few) < 12


@pytest.mark.django_db(transaction=True)
def test_a_file_is_never_read_inside_a_transaction(client, transactional_db):
    cast = world.make_cast()
    make_certificate(make_story(cast.demo))
    client.force_login(cast.viewer)
    in_transaction = []

    def note(execute, sql, *rest):
        in_transaction.append(connection.in_atomic_block)
        return execute(sql, *rest)

    response = client.get("/certificates/?_export=csv")
    with connection.execute_wrapper(note):
        assert b"ana@example.com" in b"".join(response)
    assert in_transaction
    assert not any(in_transaction)


def test_a_file_is_made_while_it_is_sent(cast):
    world.make_many(cast.demo, 30, [make_story(cast.demo)])
    with CaptureQueriesContext(connection) as queries:
        table = certificates_of(cast.demo)
        lines = exports.lines(list(table.columns_of_file), table.file_rows(), "csv")
        next(lines)
        assert len(queries) == 0  # the head waits for no row


def certificates_of(app):
    return CertificateTable(Certificate.objects.of([app]))


def test_blocks_are_the_same_bytes_in_larger_pieces():
    parts = [b"x" * number for number in range(400)]
    blocks = list(exports.in_blocks(parts, size=1000))
    assert b"".join(blocks) == b"".join(parts)
    assert {len(block) >= 1000 for block in blocks[:-1]} == {True}
    assert list(exports.in_blocks([])) in ([], [b""])


def test_learners_of_one_name_stay_in_one_order(reader, cast):
    for number in range(6):
        learner = make_learner(cast.demo, email=f"{number}@example.com")
        make_certificate(make_story(cast.demo), learner, telephone=f"{number}", at=NOW)
    down = [row["telephone"] for row in rows_of(reader, "sort=awarded")]
    assert [row["telephone"] for row in rows_of(reader, "sort=-awarded")] == down[::-1]


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
