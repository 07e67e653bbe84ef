"""A file of whatever page, opened by a spreadsheet, calculates nothing, whatever somebody is called."""

import csv
import html
import io
import re
from urllib.parse import urljoin

import pytest
from django.test import Client
from openpyxl import load_workbook

from certdash import tables
from certdash.tables import Table
from tests import hostile
from tests.access.expected import GET

FORMULA = tuple("=+-@\t\r＝＋－＠")
# Numbers, dates and words of ours alone.
NAMELESS = {"weeks", "ages"}


@pytest.fixture
def cast(db):
    return hostile.make_hostile_cast()


@pytest.fixture
def client(cast):
    client = Client()
    client.force_login(cast.owner)
    return client


@pytest.fixture
def files(client, cast):
    """The addresses of every file that any page offers, without their format: the first one of its kind."""
    found = {}
    for name, (address, *_) in hostile.addresses(cast).items():
        response = client.get(address)
        for link in re.findall(r'href="([^"]*_export=csv[^"]*)"', response.content.decode()):
            table = re.search(r"_table=(\w+)", link)
            kind = f"{name} {table[1]}" if table else name
            found.setdefault(kind, urljoin(response.wsgi_request.build_absolute_uri(), html.unescape(link)))
    return found


def read(client, address):
    return b"".join(client.get(address))


def rows_of_csv(whole):
    return list(csv.reader(io.StringIO(whole.decode("utf-8-sig"), newline="")))


def test_the_file_of_every_table_is_looked_at(client, files, monkeypatch):
    seen, cells = set(), Table._cells
    monkeypatch.setattr(Table, "_cells", lambda self, ids: seen.add(type(self).__name__) or cells(self, ids))
    for address in files.values():
        read(client, address)
    assert seen == {*tables.__all__} - {"Table", "GrantTable"}  # which holds less of what a superuser has whole


def test_so_is_every_address_that_gives_one(client, files, cast):
    pages = hostile.addresses(cast)
    giving = {name for name in GET if name in pages and _gives_a_file(client, pages[name][0])}
    assert {kind.split()[0] for kind in files} == giving


def _gives_a_file(client, address):
    return "Content-Disposition" in client.get(f"{address.partition('?')[0]}?_export=csv")


def test_no_cell_begins_as_a_formula(client, files):
    for kind, address in files.items():
        head, *rows = rows_of_csv(read(client, address))
        assert rows, kind
        assert {len(row) for row in rows} == {len(head)}, kind
        assert [cell for row in [head, *rows] for cell in row if cell.startswith(FORMULA)] == [], kind
        defused = [cell for row in rows for cell in row if cell[:1] == "'" and cell[1:].startswith(FORMULA)]
        assert bool(defused) == (kind.split()[-1] not in NAMELESS), kind


def test_no_cell_of_a_workbook_is_a_formula(client, files):
    for kind, address in files.items():
        book = load_workbook(io.BytesIO(read(client, address.replace("_export=csv", "_export=xlsx"))))
        about, rows = ([cell for row in sheet.iter_rows() for cell in row] for sheet in book)
        assert [cell.value for cell in [*about, *rows] if cell.data_type == "f"] == [], kind
        texts = [cell.value for cell in rows if cell.data_type == "s" and str(cell.value).startswith(FORMULA)]
        assert bool(texts) == (kind.split()[-1] not in NAMELESS), kind
