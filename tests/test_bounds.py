"""Whatever a request holds, it is answered: a page says what it left out, a file and a key refuse."""

import itertools
from urllib import parse

import pytest
import requests
from django.test import Client

from certdash.exports import FORMATS
from certdash.fields import MOST_VALUES
from tests import world
from tests.test_login import log_in

LONG = "x" * 201
# An odd query, and what the page says of it; "" when it is as good as none.
QUERIES = {
    "q=%00": "q=",
    "q=a%00b": "q=a",
    f"q={LONG}": f"q={LONG}",
    "q=a&q=b": "q=a",
    "q=%FF%FE": "",
    "q=%ED%A0%80": "",
    "q=%F0%9F%92%A9": "",
    "q=[[(.*": "",
    "q=%25_%27--": "",
    "page=0": "page=0",
    "page=-1": "page=-1",
    "page=1e9": "page=1e9",
    "page=%D9%A1": "page=١",
    "page=%EF%BC%91": "page=１",
    "page=+1": "page= 1",
    "per_page=%EF%BC%92%EF%BC%95": "per_page=２５",
    "page=99999999999999999999": "page=9",
    "page=999999999": "page=999999999",
    "page=%00": "page=",
    "per_page=201": "per_page=201",
    "per_page=0": "per_page=0",
    "per_page=1.5": "per_page=1.5",
    "per_page=&page=": "",
    "sort=person%00": "sort=person",
    "sort=--person": "sort=--person",
    "sort=person,name": "sort=person,name",
    "sort=pk": "sort=pk",
    "sort=a&sort=b": "sort=a",
    "app=%00": "app=",
    "app=no+such": "app=no such",
    "__class__=1": "__class__=1",
    "%00=1": "=1",
    "=": "",
    "&&&": "",
    "a[]=1": "a[]=1",
    "a[$gt]=": "",
    "_table=%00": "",
    "_table=weeks&_table=x": "",
    "_part=%00": "",
    "_part=filters%00": "",
    "_selected=%00": "",
    "_selected=1&_selected=%EF%BC%91": "",
    "%F0%28%8C%28=1": "=1",
    "x%0D%0ASet-Cookie:a=b": "x",
}
CERTIFICATES = {
    "state=%00": "state=",
    "id=1%00": "id=1",
    "id=99999999999999999999999": "id=9",
    "id=-1": "id=-1",
    "id=%C2%B2": "id=²",
    "id=%EF%BC%91": "id=１",
    "id=1&id=%FF": "id=\ufffd",
    "id=": "",
    "run=9999999999999999999": "run=9",
    "run=x": "run=x",
    "awarded_from=9999-12-31": "awarded_from=9999-12-31",
    "awarded_from=0001-01-01": "awarded_from=0001-01-01",
    "awarded_to=2026-02-30": "awarded_to=2026-02-30",
    "awarded_to=%00": "awarded_to=",
    "changed_from=2026-13-01T00:00": "changed_from=2026-13-01T00:00",
    "changed_from=9999-12-31T23:59:59-23:59": "changed_from=9999",
    "changed_from=0001-01-01T00:00%2B14:00": "changed_from=0001",
    "changed_from=1e400": "changed_from=1e400",
    "changed_from=%00": "changed_from=",
    "pending_days=1e999": "pending_days=1e999",
    "pending_days=NaN": "pending_days=NaN",
    "pending_days=-1": "pending_days=-1",
    "pending_days=99999999": "pending_days=99999999",
    "withdrawn=%00": "withdrawn=",
    "country=%00": "country=",
    f"story={'~' * 300}": "story=~",
    "story=%00~x": "story=",
    "group=..%2F..%2Fetc": "group=../../etc",
    "change=missing": "change=missing",
    "&".join(f"country=c{number}" for number in range(MOST_VALUES + 1)): f"country=c{MOST_VALUES}",
    "&".join(f"id={number}" for number in range(1, 202)): "id=201",
}
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
LISTS = ["certificates", "stories", "groups", "people", "apps", "person", "story", "group", "apps/demo/people",
         "apps/demo/runs", "run", "apps/demo/audit", "accounts/audit", "matrix", "delivery", "members", "views",
         "accounts/people", "accounts/teams"]  # fmt: skip
# Lists that are always shown whole know no `q`.
WITHOUT_WORDS = ("apps/demo/people", "apps/demo/runs", "run", "members")
OF_CERTIFICATES = ("certificates", "person", "story", "group", "matrix")


@pytest.fixture
def addresses(cast):
    story = world.make_story(cast.demo)
    one = world.make_certificate(story)
    group = world.make_group(cast.demo, "Managers", one.learner)
    run = world.make_run(cast.demo)
    ours = {
        "person": f"people/{one.learner_id}",
        "story": f"stories/demo/{story.key}",
        "group": f"groups/demo/{group.key}",
        "run": f"apps/demo/runs/{run.pk}/changes",
        "members": f"apps/demo/runs/{run.pk}/members",
    }
    return {name: f"/{ours.get(name, name)}/" for name in LISTS}


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


PATHS = [
    "/%00/", "/people/%00/", "/people/99999999999999999999999/", "/stories/demo/%00/", "/stories/demo/%FF/",
    "/groups/demo/%ED%A0%80/", "/apps/%00/", "/apps/demo%00/", "/apps/demo/runs/99999999999999999999/",
    "/stories/demo/" + "x" * 3000 + "/", "/groups/demo/a%0D%0Ab/", "/people/%D9%A1/", "/..%2f..%2fetc/passwd",
    "/stories/demo/%00/refresh/", "/people/99999999999999999999999/refresh/", "/static/%00", "/static/../x",
    "/stories/demo/%FF/refresh/", "/people/%EF%BC%91/refresh/", "/people/99999999999999999999999/timeline/",
    "/people/%00/timeline/", "/views/%00/", "/views/%FF/edit/", "/views/" + "x" * 3000 + "/", "/views/a%0Ab/pin/",
    "/views/-/home/", "/views/nothing/delete/", "/apps/demo/runs/99999999999999999999/members/",
]  # fmt: skip


# Pages without filters of rows; `told` is what they say of a page number that is none.
@pytest.mark.parametrize("page", ["", "home", "views/add", "timeline", "view", "accounts/profile", "accounts/table"])
def test_a_page_without_a_list_answers_odd_queries(page, addresses, cast):
    client = Client(raise_request_exception=False)
    client.force_login(cast.superuser)
    view = world.make_view(cast.superuser, "Mine", "/certificates/", "awarded_from=2026-1-5")
    paths = {"timeline": f"{addresses['person']}timeline/", "view": f"/views/{view.slug}/", "": "/"}
    for query in [
        *[*QUERIES][:: 8 if page == "accounts/profile" else 1],
        *(f"path={quote(value)}" for value in ODD_PATHS),
        "_export=csv",
        "_table=x&_export=xlsx",
    ]:
        answer = client.get(f"{paths.get(page, f'/{page}/')}?{query}")
        assert answer.status_code in (200, 302, 400, 404, 405), query


ODD_PATHS = [
    "\0",
    "/certificates/\0",
    "//evil.example",
    "/stories/demo/\ud800/",
    "x" * 5000,
    "/people/１/",
    "/views/add/",
]


def quote(text):
    """The text in an address, also one that no encoding has."""
    return parse.quote(text.encode("utf-8", "surrogatepass"), safe="")


def test_a_view_of_an_address_that_means_nothing_leads_to_a_page_that_says_so(client, cast):
    client.force_login(cast.viewer)
    view = world.make_view(cast.viewer, "Mine", "/certificates/", "awarded_from=2026-1-5&id=%EF%BC%91")
    page = client.get(f"/views/{view.slug}/", follow=True)
    assert page.context["ignored"] == ["awarded_from=2026-1-5", "id=１"]


@pytest.mark.parametrize("path", PATHS)
def test_an_odd_path_leads_nowhere(path, addresses, cast):
    client = Client(raise_request_exception=False)
    client.force_login(cast.superuser)
    assert client.get(path).status_code in (400, 404, 405)
    assert client.post(path).status_code in (400, 404, 405)


FORMS = ["/accounts/login/", "/accounts/password/change/", "/apps/add/", "/apps/demo/connection/",
         "/apps/demo/groups/", "/apps/demo/scope/", "/apps/demo/people/", "/apps/demo/privacy/", "/apps/demo/erasures/",
         "/apps/demo/sync/", "/accounts/people/add/", "/accounts/teams/add/", "/accounts/profile/",
         "/accounts/profile/time-zone/", "/accounts/table/", "/views/add/", "{view}edit/", "{view}pin/", "{view}home/",
         "{view}delete/", "{story}refresh/", "{person}refresh/", "{person}erase/"]  # fmt: skip
FIELDS = ("login", "password", "name", "base_url", "token", "app_id", "names", "stories", "role", "oldpassword",
          "time_zone", "next", "description", "app", "path", "query", "per_page", "table", "column", "wanted", "pin",
          "username", "email", "members", "teams", "claim", "telephones", "reason")  # fmt: skip


VALUES = ["a\0b", "\ud800", "\u202e" * 9, "１", "9" * 30, "x" * 100_000]


@pytest.mark.parametrize(("form", "value"), [*itertools.product(FORMS, VALUES)])
def test_a_form_answers_odd_values(form, value, addresses, cast):
    client = Client(raise_request_exception=False)
    if form != "/accounts/login/":
        client.force_login(cast.superuser)
    view = world.make_view(cast.superuser, "Mine")
    path = form.format(view=f"/views/{view.slug}/", **addresses)
    sent = "&".join(f"{name}={quote(value)}" for name in FIELDS)
    answer = client.post(path, sent, content_type="application/x-www-form-urlencoded")
    assert answer.status_code in (200, 302, 400, 413, 422, 429)


@pytest.mark.parametrize(
    "value", ["Europe/Berlin\0", "../../etc/passwd", "Europe/Ｂerlin", "/etc/localtime", "x" * 201]
)
def test_what_is_no_time_zone_is_not_taken(value, client, cast):
    client.force_login(cast.viewer)
    assert client.post("/accounts/profile/", {"time_zone": value}).status_code == 422
    client.post("/accounts/profile/time-zone/", {"time_zone": value})
    cast.viewer.refresh_from_db()
    assert cast.viewer.time_zone == ""


@pytest.mark.parametrize("size", ["0", "-1", "２５", "51", " 50", "1e2", "9" * 40, "25\0"])
def test_what_is_no_size_of_a_page_is_not_remembered(size, client, cast):
    client.force_login(cast.viewer)
    sent = {"table": "certificates", "per_page": size, "column": ["story", "__class__", "story\0", "x" * 201]}
    assert client.post("/accounts/table/", sent).status_code == 302
    cast.viewer.refresh_from_db()
    assert (cast.viewer.page_size, cast.viewer.columns) == (None, {"certificates": ["story"]})


# -- What a server sees -----------------------------------------------------------------------------------------

HEADERS = [
    {"Accept": "*/*;q=" + "9" * 500},
    {"Accept": "\x01"},
    {"Accept-Language": "a" * 4000},
    {"Accept-Encoding": "gzip;q=x, ,"},
    {"Cookie": "sessionid=" + "\x7f" * 100},
    {"Cookie": "sessionid=%00; csrftoken=x; =; ;;"},
    {"Cookie": "messages=canary"},
    {"HX-Request": "\xff", "HX-Target": "a" * 500, "HX-Current-URL": "javascript:x"},
    {"X-Forwarded-For": "x," * 500, "X-Forwarded-Proto": "https"},
    {"If-Modified-Since": "x", "Range": "bytes=9-1"},
    {"Content-Type": "multipart/form-data"},
    {"Content-Type": "text/html; charset=nothing"},
]


def test_a_served_certdash_answers_odd_requests(installation):
    installation.manage("migrate")
    installation.manage("add_user", "viewer", "--email", "v@example.com", stdin=world.PASSWORD)
    url = installation.serve()
    session = log_in(url, "viewer")
    page = f"{url}/certificates/"
    for headers in HEADERS:
        assert session.get(page, headers=headers, timeout=30).status_code < 500, headers
    for host in ("evil.example", "a b", "127.0.0.1@evil.example", "\xff"):
        assert session.get(page, headers={"Host": host}, timeout=30).status_code == 400, host
    assert session.get(f"{page}?q={'x' * 3000}", timeout=30).status_code == 200
    assert session.get(f"{page}?q={'x' * 9000}", timeout=30).status_code in (400, 414)
    many = "&".join(f"p{number}=" for number in range(400))
    assert session.get(f"{page}?{many}", timeout=30).status_code in (200, 400)
    assert session.get(f"{page}?{many * 9}", timeout=30).status_code == 414
    body = "&".join(f"p{number}=x" for number in range(5000))
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert session.post(f"{url}/accounts/login/", body, headers=form, timeout=30).status_code in (400, 403)
    assert requests.request("BREW", page, timeout=30).status_code < 500
    assert "Nobody expected" not in installation.started[-1].output
    assert "was answered 500" not in installation.started[-1].output
