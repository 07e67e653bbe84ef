"""Odd queries of lists and files: a page says what it left out, and a file refuses."""

import itertools

import pytest

from certdash.exports import FORMATS
from tests.bounds.queries import CERTIFICATES, LISTS, OF_CERTIFICATES, QUERIES

BEYOND = "page=999999999"  # a page that is not there, of a file that has none
OF_A_FILE = (
    "per_page=&page=",
    "_table=%00",
    "_table=weeks&_table=x",
    "_selected=%00",
    "id=",
    "_selected=1&_selected=%EF%BC%91",
    "=",
    "a[$gt]=",
)  # a page's form may send them, whoever asks for a file may not
# Lists that are always shown whole know no `q`.
WITHOUT_WORDS = ("apps/demo/people", "apps/demo/runs", "run", "members")


@pytest.mark.parametrize("name", LISTS)
def test_a_page_says_what_it_left_out_and_a_file_refuses(name, addresses, client, cast):
    client.force_login(cast.superuser)
    queries, formats = QUERIES | (CERTIFICATES if name in OF_CERTIFICATES else {}), itertools.cycle(FORMATS)
    for query, left_out in queries.items():
        page = client.get(f"{addresses[name]}?{query}")
        assert page.status_code == 200, query
        told = page.context["ignored"]
        said = any(left_out in part for part in told) if left_out else not told
        assert said or (query.startswith("q=") and name in WITHOUT_WORDS), (query, told)
        file = client.get(f"{addresses[name]}?{query}&_export={next(formats)}")
        refused = (bool(told) and query != BEYOND) or query in OF_A_FILE
        assert file.status_code == (400 if refused else 200), query
        assert not refused or b"No file was made" in file.content


# -- Parts of a page ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "part"), [("certificates", "filters"), ("person", "page")])
def test_a_part_of_a_page_is_answered_like_the_page(name, part, addresses, client, cast):
    client.force_login(cast.superuser)
    for query in QUERIES | CERTIFICATES:
        assert client.get(f"{addresses[name]}?{query}&_part={part}").status_code == 200, query


def test_a_small_table_has_no_filters(addresses, client, cast):
    client.force_login(cast.superuser)
    for query in QUERIES | CERTIFICATES:
        small = client.get(f"{addresses['group']}?_export=csv&_table=weeks&{query}")
        assert small.status_code == (400 if _says_more(query) else 200), query


def _says_more(query):
    """Whether an address asks for more than a file of all rows."""
    return query not in ("&&&", "_part=%00", "_part=filters%00", BEYOND)


# -- Days ---------------------------------------------------------------------------------------------------------

NO_DAYS = ["2026-1-5", " 2026-01-05", "2026-01-05 ", "２０２６-01-05", "2026-01-0٥", "20260105", "2026-W01-1",
           "26-01-05", "2026-02-29", "2026-13-01", "0001-12-31", "9999-01-01", "0000-01-01", "12026-01-05",
           "2026-01-05T00:00", "2026-01-05\n", "2026−01−05", "today", " "]  # fmt: skip
DAYS = ["2024-02-29", "0002-01-01", "9998-12-31", "1600-12-31"]
OF_DAYS = dict.fromkeys(OF_CERTIFICATES, ("awarded_from", "awarded_to"))
OF_DAYS |= dict.fromkeys(("apps/demo/audit", "accounts/audit"), ("noted_from", "noted_to"))


@pytest.mark.parametrize("name", OF_DAYS)
def test_what_is_no_day_is_left_out_and_told(name, addresses, client, cast):
    client.force_login(cast.superuser)
    for value in NO_DAYS:
        asked = dict.fromkeys(OF_DAYS[name], value)
        page = client.get(addresses[name], asked)
        assert page.context["ignored"] == [f"{one}={value}" for one in asked], value
        assert page.context["filters"].active == []
        assert client.get(addresses[name], {**asked, "_export": "csv"}).status_code == 400, value


@pytest.mark.parametrize("zone", ["", "Pacific/Kiritimati", "Etc/GMT+12"])
@pytest.mark.parametrize("name", OF_DAYS)
def test_a_day_of_any_year_is_shown_in_any_time_zone(name, zone, addresses, client, cast):
    cast.superuser.time_zone = zone
    cast.superuser.save()
    client.force_login(cast.superuser)
    for value in DAYS:
        asked = dict.fromkeys(OF_DAYS[name], value)
        assert client.get(addresses[name], asked).context["ignored"] == []
        assert client.get(addresses[name], asked | {"_export": "xlsx"}).status_code == 200, value


# -- Formats ------------------------------------------------------------------------------------------------------

EXPORTS = ["", "xls", "CSV", "csv&_export=csv", "csv&_export=x", "%00", "__class__", "csv%00", "../csv", "x" * 5000]


@pytest.mark.parametrize("name", [*LISTS, ""])
def test_no_odd_format_gives_a_file(name, addresses, client, cast):
    client.force_login(cast.superuser)
    answers = [client.get(f"{addresses.get(name, '/')}?_export={odd}") for odd in EXPORTS]
    assert {answer.status_code for answer in answers} == {400}
    assert {answer["Content-Type"] for answer in answers} == {"text/plain; charset=utf-8"}
