"""Logging in: by a browser's own steps, with a name or an e-mail address, and to where one was going."""

import re
from html import unescape
from urllib.parse import urlencode

import pytest
import requests
from django.test import Client

from certdash.models import AuditEntry
from tests import world


def log_in(url, name, password=world.PASSWORD, **fields):
    """A session of a served certdash, logged in as a browser would do it."""
    session = requests.Session()
    session.headers["Connection"] = "close"  # one that is kept may be closed by the server just when it is used again
    session.trust_env = False
    page = session.get(f"{url}/accounts/login/", timeout=30)
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)[1]
    form = {"login": name, "password": password, "csrfmiddlewaretoken": token, **fields}
    answer = session.post(f"{url}/accounts/login/", form, timeout=30)
    assert answer.ok
    assert "sessionid" in session.cookies
    return session


@pytest.fixture
def send(cast):
    """Sends the log-in form of a page to where that form leads."""

    def send(address="/accounts/login/", **fields):
        client = Client()
        page = client.get(address)
        html = unescape(page.content.decode())
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', html))
        action = re.search(r'<form class="form" method="post" action="([^"]+)"', html)[1]
        return client.post(action, hidden | {"password": world.PASSWORD} | fields)

    return send


@pytest.mark.parametrize("login", ["viewer", "viewer@example.com", "Viewer@Example.COM"])
def test_a_user_name_or_an_e_mail_address_opens(login, send):
    response = send(login=login)
    assert (response.status_code, response["Location"]) == (302, "/")
    assert response.client.get("/certificates/").status_code == 200


@pytest.mark.parametrize("fields", [{"password": "wrong"}, {"login": "nobody"}, {"password": ""}, {"login": "a\0b"}])
def test_anything_else_does_not(fields, send):
    response = send(**({"login": "viewer"} | fields))
    assert response.status_code == 200
    assert 'role="alert"' in response.content.decode() or 'class="error"' in response.content.decode()
    assert "sessionid" not in response.client.cookies
    assert response.client.get("/certificates/").status_code == 302


def test_a_wrong_name_and_a_wrong_password_are_told_apart_by_nobody(send):
    answers = {self_made(send(login="nobody")), self_made(send(login="viewer", password="wrong"))}
    assert len(answers) == 1


def self_made(response):
    """The page without what its sender wrote and the token that is another one each time."""
    return re.sub(r'value="[^"]*"|CSRFToken": "\w+"', "", response.content.decode())


def test_a_closed_account_does_not_open(send, cast):
    cast.viewer.is_active = False
    cast.viewer.save()
    response = send(login="viewer")
    assert response.client.get("/certificates/").status_code == 302


def test_one_comes_to_where_one_was_going(send):
    wanted = "/certificates/?state=pending&country=S%C3%A3o"
    way = Client().get(wanted)["Location"]
    assert send(way, login="viewer")["Location"] == wanted


# Where an address of a link must not lead; `{host}` is ours.
ELSEWHERE = [
    "https://evil.example/",
    "HtTpS://evil.example/",
    "ftp://evil.example/",
    "//evil.example/",
    "///evil.example/",
    "////evil.example/",
    "/\\evil.example/",
    "\\\\evil.example/",
    "\\/evil.example/",
    "/\t/evil.example/",
    "/\r\n/evil.example/",
    "\t//evil.example/",
    " //evil.example/",
    "\u00a0//evil.example/",
    "https:evil.example",
    "https:/evil.example",
    "https:///evil.example",
    "http:\\\\evil.example",
    "//{host}@evil.example/",
    "http://{host}.evil.example/",
    "http://{host}@evil.example/",
    "http://evil.example\\@{host}/",
    "http://evil.example#@{host}/",
    "http://evil.example?{host}/",
    "//evil\u3002example/",
    "//[::1]/",
    "http://[evil",
    "http://127.0.0.1:1/",
    "javascript:alert(1)",
    "java\tscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "/%0d%0aLocation:%20https://evil.example/",
]


def read_by_a_browser(location):
    """An address as browsers read it: without control characters and outer space, and with every slash a slash."""
    return re.sub(r"[\t\r\n]", "", location).strip("".join(map(chr, range(33)))).replace("\\", "/")


@pytest.mark.parametrize("elsewhere", ELSEWHERE)
def test_nobody_is_led_elsewhere(elsewhere, send):
    wanted = elsewhere.format(host="testserver")
    response = send(f"/accounts/login/?{urlencode({'next': wanted})}", login="viewer", next=wanted)
    assert response.status_code == 302
    assert re.match(r"/(?!/)", read_by_a_browser(response["Location"]))
    assert response.client.get("/certificates/").status_code == 200


@pytest.mark.parametrize("elsewhere", ELSEWHERE)
def test_nobody_who_is_logged_in_already_is_led_elsewhere(elsewhere, client, cast):
    client.force_login(cast.viewer)
    response = client.get("/accounts/login/", {"next": elsewhere.format(host="testserver")})
    assert re.match(r"/(?!/)", read_by_a_browser(response["Location"]))


def test_no_browser_leaves_the_host(cast, live_server, page, page_problems):
    page.route(re.compile(f"^(?!{live_server.url}/)"), lambda route: route.fulfill(body="elsewhere"))
    page.route(re.compile("/static/"), lambda route: route.abort())
    for elsewhere in ELSEWHERE:
        page.context.clear_cookies()
        wanted = elsewhere.format(host=live_server.url.removeprefix("http://"))
        page.goto(f"{live_server.url}/accounts/login/?{urlencode({'next': wanted})}", wait_until="commit")
        page.get_by_label("User name").fill("viewer")
        page.get_by_label("Password").fill(world.PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url(re.compile("^(?!.*/accounts/login/)"), wait_until="commit")
        assert page.url.startswith(f"{live_server.url}/"), elsewhere
    page.goto("about:blank")
    page_problems.clear()  # nothing was loaded beside the pages, and some of these addresses are none


def test_the_way_back_is_never_on_another_host_of_ours(send):
    response = send("/accounts/login/?next=http://127.0.0.1/stories/", login="viewer")
    assert response["Location"] == "/"


def test_logging_out_is_a_post_and_ends_the_session(client, cast):
    client.force_login(cast.viewer)
    assert client.get("/accounts/logout/").status_code == 200
    assert client.get("/certificates/").status_code == 200
    assert client.post("/accounts/logout/")["Location"] == "/accounts/login/"
    assert client.get("/certificates/").status_code == 302


def test_one_changes_ones_password(client, cast):
    client.force_login(cast.viewer)
    new = "another-horse-8"
    form = {"oldpassword": world.PASSWORD, "password1": new, "password2": new}
    assert client.post("/accounts/password/change/", form).status_code == 302
    cast.viewer.refresh_from_db()
    assert cast.viewer.check_password(new)
    noted = AuditEntry.objects.filter(kind="person").values_list("details", "person")
    assert list(noted) == [({"change": "password changed", "account": "viewer"}, cast.viewer.pk)]
    assert client.get("/certificates/").status_code == 200


@pytest.mark.parametrize("path", ["signup", "email", "password/reset"])
def test_no_other_page_of_the_log_in_is_reachable(path, client, cast):
    client.force_login(cast.viewer)
    assert client.get(f"/accounts/{path}/").status_code == 404
