"""Odd paths, forms and headers are answered."""

import itertools
from urllib import parse

import pytest
import requests
from django.test import Client

from tests import world
from tests.bounds.queries import QUERIES
from tests.test_login import log_in

PATHS = [
    "/%00/", "/people/%00/", "/people/99999999999999999999999/", "/stories/demo/%00/", "/stories/demo/%FF/",
    "/groups/demo/%ED%A0%80/", "/apps/%00/", "/apps/demo%00/", "/apps/demo/runs/99999999999999999999/",
    "/stories/demo/" + "x" * 3000 + "/", "/groups/demo/a%0D%0Ab/", "/people/%D9%A1/", "/..%2f..%2fetc/passwd",
    "/stories/demo/%00/refresh/", "/people/99999999999999999999999/refresh/", "/static/%00", "/static/../x",
    "/stories/demo/%FF/refresh/", "/people/%EF%BC%91/refresh/", "/people/99999999999999999999999/timeline/",
    "/people/%00/timeline/", "/views/%00/", "/views/%FF/edit/", "/views/" + "x" * 3000 + "/", "/views/a%0Ab/pin/",
    "/views/-/home/", "/views/nothing/delete/", "/apps/demo/runs/99999999999999999999/members/",
]  # fmt: skip


# Pages without filters of rows.
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
