"""Whatever a request holds, it is answered: a page says what it left out, a file and a key refuse."""

import itertools

import pytest
import requests
from django.test import Client

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
    "%F0%28%8C%28=1": "=1",
    "x%0D%0ASet-Cookie:a=b": "x",
}
CERTIFICATES = {
    "state=%00": "state=",
    "id=1%00": "id=1",
    "id=99999999999999999999999": "id=9",
    "id=-1": "id=-1",
    "id=%C2%B2": "id=²",
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
    "=",
    "a[$gt]=",
)  # a page's form may send them, whoever asks for a file may not
LISTS = ["certificates", "stories", "groups", "people", "apps", "person", "story", "group", "apps/demo/people",
         "apps/demo/runs", "run", "apps/demo/audit", "accounts/audit", "matrix", "delivery"]  # fmt: skip
WITHOUT_WORDS = ("apps/demo/people", "apps/demo/runs", "run")  # lists that are always shown whole know no `q`
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
    }
    return {name: f"/{ours.get(name, name)}/" for name in LISTS}


@pytest.mark.parametrize("name", LISTS)
def test_a_page_says_what_it_left_out_and_a_file_refuses(name, addresses, client, cast):
    client.force_login(cast.superuser)
    queries = QUERIES | (CERTIFICATES if name in OF_CERTIFICATES else {})
    for query, left_out in queries.items():
        page = client.get(f"{addresses[name]}?{query}")
        assert page.status_code == 200, query
        told = page.context["ignored"]
        said = any(left_out in part for part in told) if left_out else not told
        assert said or (query.startswith("q=") and name in WITHOUT_WORDS), (query, told)
        for file_format in ("csv", "jsonl"):
            file = client.get(f"{addresses[name]}?{query}&_export={file_format}")
            refused = (bool(told) and query != BEYOND) or query in OF_A_FILE
            assert file.status_code == (400 if refused else 200), (query, file_format)
            assert not refused or b"means nothing here" in file.content


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
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_an_odd_path_leads_nowhere(path, addresses, cast):
    client = Client(raise_request_exception=False)
    client.force_login(cast.superuser)
    assert client.get(path).status_code in (400, 404, 405)
    assert client.post(path).status_code in (400, 404, 405)


FORMS = ["/accounts/login/", "/accounts/password/change/", "/apps/add/", "/apps/demo/connection/",
         "/apps/demo/groups/", "/apps/demo/scope/", "/apps/demo/people/"]  # fmt: skip
FIELDS = ("login", "password", "name", "base_url", "token", "app_id", "names", "stories", "role", "oldpassword")


@pytest.mark.parametrize(("form", "value"), itertools.product(FORMS, ["a\0b", "\ud800", "\u202e" * 9, "x" * 100_000]))
def test_a_form_answers_odd_values(form, value, addresses, cast):
    client = Client(raise_request_exception=False)
    if form != "/accounts/login/":
        client.force_login(cast.superuser)
    sent = "&".join(f"{name}={_quoted(value)}" for name in FIELDS)
    answer = client.post(form, sent, content_type="application/x-www-form-urlencoded")
    assert answer.status_code in (200, 302, 400, 413, 422, 429)


def _quoted(text):
    return "".join(f"%{byte:02X}" for byte in text.encode("utf-8", "surrogatepass"))


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
