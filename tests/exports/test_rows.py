"""The rows of a file: their order, and how they are read while it is sent."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from certdash import exports
from certdash.models import Certificate
from certdash.tables import CertificateTable
from tests import world
from tests.exports.files import objects_of, rows_of
from tests.world import NOW, make_certificate, make_group, make_learner, make_story

pytestmark = pytest.mark.django_db


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
