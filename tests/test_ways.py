"""Where a text that somebody sends may lead: to paths of ours, from every form that takes one."""

import ast
import re
from urllib.parse import quote

import pytest
from django.core.cache import cache
from django.test import Client

from certdash.ways import is_way
from tests import world
from tests.test_login import ELSEWHERE, read_by_a_browser
from tests.test_structure import MODULES

# What Django's `redirect` would look up, or what is relative to a page; none of them is a way.
NO_PATHS = [
    "overview", "views", "certificates", "account_logout", "admin:index", "certdash.views.overview.overview", "nothing",
    "", ".", "..", "./", "../apps/", "certificates/", "?state=pending", "#main", " /people/", "\t/people/",
    "http://testserver/people/", "//testserver/people/", "/\\testserver/people/", "/" + "x" * 9000,
]  # fmt: skip
WAYS = [
    "/", "/people/?q=a&sort=-name", "/certificates/?" + "&".join(f"id={10**6 + number}" for number in range(200)),
    "/certificates/?q=//evil.example/&city=https://evil.example/", "/people/?q=a#main",
]  # fmt: skip


def forms(cast):
    """Every form that takes `next`: address, what else it sends, and where it leads without a way."""
    view = world.make_view(cast.viewer, "Mine")
    passwords = dict.fromkeys(("oldpassword", "password1", "password2"), world.PASSWORD)
    credentials = {"login": "viewer", "password": world.PASSWORD}
    return {
        "table options": ("/accounts/table/", {"per_page": "25"}, "/"),
        "time zone": ("/accounts/profile/time-zone/", {"time_zone": "Asia/Tokyo"}, "/accounts/profile/"),
        "pin": (f"/views/{view.slug}/pin/", {"wanted": "1"}, "/views/"),
        "unpin": (f"/views/{view.slug}/pin/", {"wanted": "0"}, "/views/"),
        "home": (f"/views/{view.slug}/home/", {"wanted": "1"}, "/views/"),
        "no home": (f"/views/{view.slug}/home/", {"wanted": "0"}, "/views/"),
        "log-out": ("/accounts/logout/", {}, "/accounts/login/"),
        "password": ("/accounts/password/change/", passwords, "/accounts/password/change/"),
        "log-in": ("/accounts/login/", credentials, "/"),
    }


FORMS = ["table options", "time zone", "pin", "unpin", "home", "no home", "log-out", "password", "log-in"]


@pytest.fixture
def send(cast):
    """Sends one of the forms with this `next`, in the form and in its address; gives where that leads."""
    known = forms(cast)
    assert [*known] == FORMS

    def send(form, wanted):
        cache.clear()  # allauth counts changes of a password there
        client, (address, fields, _) = Client(raise_request_exception=False), known[form]
        if form != "log-in":
            cast.viewer.refresh_from_db()  # another password is another session
            client.force_login(cast.viewer)
        response = client.post(f"{address}?next={quote(wanted)}", fields | {"next": wanted})
        assert response.status_code == 302, (response.status_code, wanted)
        return response["Location"]

    send.otherwise = {name: otherwise for name, (_, _, otherwise) in known.items()}
    return send


@pytest.mark.parametrize("form", FORMS)
def test_no_form_leads_elsewhere(form, send):
    wanted = [text.format(host="testserver") for text in ELSEWHERE]
    led = {text: read_by_a_browser(send(form, text)) for text in wanted}
    assert len(led) >= 25
    assert {text: where for text, where in led.items() if not re.match(r"/(?!/)", where)} == {}


@pytest.mark.parametrize("form", FORMS)
def test_no_form_takes_a_name_for_a_way(form, send):
    led = {text: send(form, text) for text in NO_PATHS}
    assert led == dict.fromkeys(NO_PATHS, send.otherwise[form])


@pytest.mark.parametrize("form", FORMS)
def test_every_form_leads_back_to_pages_of_ours(form, send):
    assert {text: send(form, text) for text in WAYS} == {text: text for text in WAYS}


def test_nothing_is_no_way():
    assert not is_way(None)


def test_djangos_redirect_is_given_names_of_ours_alone():
    """It takes a text for the name of a page, too: whatever came from outside goes by `certdash.ways`."""
    calls = [
        (module.name, call.lineno, call.args[0])
        for module in MODULES
        for call in ast.walk(ast.parse(module.read_text()))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "redirect"
    ]
    assert calls
    assert [where for *where, first in calls if not isinstance(first, ast.Constant)] == []
