"""Whatever somebody is called, no page of a real browser runs it, breaks the policy or turns its own words around."""

import re
from urllib.parse import unquote, urlsplit

import pytest
from django.urls import resolve

from certdash.falkor.errors import RefusedRequest
from certdash.invitations import connecting_link, password_link
from certdash.links import apart
from certdash.models import User
from tests import hostile, world
from tests.access.expected import GET, ONLY_POST
from tests.access.test_posts import ELSEWHERE, FORMS
from tests.hostile import evil, quoted
from tests.hostile_walk import NAMES, TURNED, Walk
from tests.support.provider import configure

NOT_WALKED = {
    **{name: "answers a POST alone" for name, statuses in GET.items() if statuses == ONLY_POST},
    "healthz": "two letters of text",
    "readyz": "two letters of text",
}
WITHOUT_LOG_IN = {
    "account_login": [
        f"/accounts/login/?next=/certificates/%3Fq={quoted(evil(0))}",
        f"/accounts/login/?next={quoted(evil(5))}",
    ],
    "password_forgotten": ["/accounts/password/forgotten/"],
    "set_password": ["/accounts/set-password/MQ/abcdef-0123456789/"],
    "single_sign_on": [f"/accounts/sso/?next=/{quoted(evil(0))}"],
    "connect_by_link": ["/accounts/connect/MQ/abcdef-0123456789/"],
    "openid_connect_callback": [f"/accounts/sso/callback/?error={quoted(evil(0))}&error_description={quoted(evil(1))}"],
}


@pytest.fixture
def cast(transactional_db, live_server, settings):
    cast = hostile.make_hostile_cast()
    cast.url = live_server.url
    settings.SENDS_MAIL = True
    return cast


@pytest.fixture
def walk(page, expect, cast, page_problems):
    walk = Walk(page, expect, cast.url)
    walk.log_in(cast.owner)
    yield walk
    # A page that is not there, or refuses, is told as an error by the browser: these are among those that are walked.
    page_problems[:] = [one for one in page_problems if not re.search(r"status of 4\d\d", one)]


def test_every_page_that_can_be_opened_is_walked(db):
    walked = {*hostile.addresses(hostile.make_hostile_cast()), *WITHOUT_LOG_IN, "profile_connect"}
    assert (walked & {*NOT_WALKED}, walked | {*NOT_WALKED}) == (set(), {*GET})


def test_nothing_that_somebody_is_called_runs_on_any_page_or_turns_its_words(walk, cast):
    for paths in hostile.addresses(cast).values():
        for path in paths:
            walk.open(path)
    walk.open(f"/{quoted(evil(0))}/")
    assert not walk.wrong, walk.report


def test_nor_before_the_log_in(walk, cast, provider, settings):
    configure(settings, "http://127.0.0.1:9")
    walk.page.context.clear_cookies()
    for paths in WITHOUT_LOG_IN.values():
        for path in paths:
            walk.open(path)
    walk.open("/accounts/login/")
    walk.send("/accounts/login/", login=evil(0), password=evil(1))
    walk.send("/accounts/password/forgotten/", email=evil(0))
    walk.send("/accounts/password/forgotten/", email="nobody@example.com")
    walk.open(password_link(User.objects.get(username=evil(0))).removeprefix("http://127.0.0.1:8000"))
    walk.send(walk.page.url, new_password1=evil(0), new_password2=evil(1))
    walk.send("/accounts/login/", login=evil(0), csrfmiddlewaretoken=evil(1))
    assert not walk.wrong, walk.report


def test_nor_where_an_account_is_connected(walk, cast, provider, settings):
    configure(settings, "http://127.0.0.1:9")
    settings.SENDS_MAIL = False
    somebody = User.objects.get(username=evil(0))
    walk.open("/accounts/profile/")
    walk.open("/accounts/profile/connect/")
    walk.send("/accounts/profile/connect/", password=evil(1))
    walk.send(f"/accounts/people/{somebody.pk}/connect/")
    walk.open(connecting_link(somebody).removeprefix("http://127.0.0.1:8000"))
    walk.send("/accounts/profile/disconnect/")
    assert not walk.wrong, walk.report


def test_nor_on_the_page_for_whose_address_somebody_has(walk, cast, provider, settings):
    configure(settings, provider.url)
    provider.person(
        "hostile", email="viewer@example.com", email_verified=True, name=evil(0), preferred_username=evil(1)
    )
    walk.page.context.clear_cookies()
    walk.page.route("**/*.css", lambda route: route.fulfill(body=""))  # of the provider, from somewhere else
    walk.page.goto(f"{walk.url}/accounts/sso/")
    walk.page.unroute_all()
    walk.page.get_by_placeholder("sub").fill("hostile")
    with walk.page.expect_navigation(url=f"{walk.url}/**"):
        walk.page.get_by_placeholder("sub").press("Enter")
    walk.look("409")
    walk.expect(walk.page.locator("h1")).to_have_text("Another account has your e-mail address")
    assert not walk.wrong, walk.report


# -- What answers a form ----------------------------------------------------------------------------------------

LONG = hostile.SCRIPTS[0] * 20
NO_CHOICE = hostile.SCRIPTS[3]
BAD_CONNECTION = {
    "name": evil(0),
    "base_url": evil(1),
    "app_id": evil(2),
    "refresh_minutes": NO_CHOICE,
    "token": evil(4),
}
CONNECTION = {"name": evil(0), "base_url": "http://127.0.0.1:9", "app_id": evil(2), "refresh_minutes": "60"}


def sent(cast):
    """The forms that are sent, one after the other, each to its address; the last ones take away."""
    at = {name: paths[0] for name, paths in hostile.addresses(cast).items()}
    person, views = "/accounts/people", f"/views/{cast.owner.saved_views.get().slug}"
    somebody, grant = User.objects.get(username=evil(7)), cast.demo.grants.get(user__username=evil(3))
    viewer, mail = cast.viewer.pk, cast.viewer.email
    shared = {"app": cast.demo.pk, "path": "/certificates/", "query": f"q=x&story={quoted(evil(3))}"}
    return [
        (at["view_add"], {"name": evil(1), "path": "/certificates/", "query": "q=x"}),
        (at["view_add"], {"name": LONG, "path": evil(0), "query": evil(1)}),
        (at["view_add"], {"name": evil(2)} | shared),
        (at["view_edit"], {"name": evil(1)}),
        (at["view_edit"], {"name": evil(4)}),
        (f"{views}/pin/", {"wanted": "1", "next": evil(5)}),
        (f"{views}/home/", {"wanted": "1", "next": "/views/"}),
        (at["view_delete"], {}),
        (at["profile"], {"time_zone": evil(0)}),
        ("/accounts/profile/time-zone/", {"time_zone": evil(0)}),
        ("/accounts/table/", {"table": evil(0), "column": evil(1), "next": evil(5)}),
        (at["account_change_password"], {"oldpassword": evil(0), "password1": evil(1)}),
        (at["app_connection"], BAD_CONNECTION),
        (at["app_connection"], CONNECTION | {"token": world.TOKEN}),
        ("/apps/demo/test/", {}),
        (at["app_groups"], {"names": LONG}),
        (at["app_groups"], {"names": "\n".join(NAMES)}),
        (at["app_scope"], {"breadth": NO_CHOICE, "stories": LONG * 9}),
        (at["app_people"], {"login": evil(0), "role": NO_CHOICE}),
        (at["app_people"], {"login": f"team:{evil(1)}", "role": "manager"}),
        (at["app_people"], {"login": f"team:{LONG}", "role": "manager"}),
        (f"/apps/demo/people/{grant.pk}/take-away/", {}),
        (at["app_privacy"], {"telephones": NO_CHOICE}),
        (at["app_privacy"], {"telephones": "off"}),
        (at["app_erasures"], {"email": evil(0)}),
        (at["app_erasures"], {"email": f"@{evil(0)}"}),
        (at["erasure_lift"], {}),
        (f"{at['run']}accept/", {}),
        (f"{at['story']}refresh/", {}),
        (f"{at['person']}refresh/", {}),
        ("/apps/demo/sync/", {}),
        (at["app_add"], BAD_CONNECTION),
        (at["app_add"], CONNECTION | {"token": world.TOKEN, "untested": "1"}),
        (at["account_add"], {"username": evil(0), "email": evil(0), "first_name": evil(1)}),
        (f"{person}/{somebody.pk}/", {"username": evil(0), "email": evil(0)}),
        (f"{person}/{viewer}/", {"username": "viewer", "email": mail, "last_name": evil(0)}),
        (f"{person}/{viewer}/link/", {}),
        (f"{person}/{somebody.pk}/link/", {}),
        (f"{person}/{somebody.pk}/deactivate/", {}),
        (f"{person}/{somebody.pk}/reactivate/", {}),
        (at["team_add"], {"name": evil(0), "members": NO_CHOICE}),
        (at["team_add"], {"name": f"x{evil(5)}"}),
        (at["team"], {"name": evil(1), "members": NO_CHOICE}),
        (at["team"], {"name": f"y{evil(0)}"}),
        (f"{at['team']}delete/", {}),
        (at["person_erase"], {}),
    ]


def test_every_form_is_sent(db):
    by_the_others = {"account_login", "password_forgotten", "set_password"}  # before the log-in, above
    names = {resolve(unquote(urlsplit(path).path)).url_name for path, _ in sent(hostile.make_hostile_cast())}
    assert names | by_the_others | {"account_logout"} == {*FORMS, *ELSEWHERE}


def test_nor_on_a_page_that_answers_a_form(walk, cast, monkeypatch, settings):
    settings.SENDS_MAIL = False  # links to passwords are then shown

    def fails(_app):
        raise RefusedRequest("The vendor refused", vendor_message=evil(0))

    monkeypatch.setattr("certdash.views.apps.test_connection", fails)
    walk.page.goto(f"{walk.url}/accounts/profile/")
    for path, form in sent(cast):
        walk.send(path, **{name: str(value) for name, value in form.items()})
    walk.open("/apps/demo/")
    walk.send("/apps/demo/sync/", csrfmiddlewaretoken=evil(0))
    assert not walk.wrong, walk.report


# -- The search itself ------------------------------------------------------------------------------------------


def test_the_hooks_would_see_it(walk, page_problems):
    walk.open("/accounts/inactive/")
    assert not walk.wrong, walk.report
    walk.page.evaluate("() => { alert(1); const it = document.createElement('script'); it.text = 'prompt(2)';"
                       " document.body.append(it); }")  # fmt: skip
    walk.page.evaluate("() => new Promise(seen => { const look = () => window.fired.length > 1 ? seen()"
                       " : setTimeout(look, 20); look(); })")  # fmt: skip
    assert walk.page.evaluate("window.fired") == ["alert1", "policy: script-src-elem"]
    page_problems.clear()


@pytest.mark.parametrize("name", ["Ana", "São Paulo 2", "東京"])
def test_a_name_that_turns_nothing_carries_no_marks(name):
    assert (apart(name), apart(f"{name}\u202e"), apart("عمر")) == (name, f"\u2068{name}\u202e\u2069", "\u2068عمر\u2069")


@pytest.mark.parametrize(
    ("html", "turned"),
    [
        ("<p>Who: \u202eα</p>", False),
        ("<p>\u202eα was here</p>", True),
        ("<p><bdi>\u202eα</bdi> was here</p>", False),
        ("<p><span>\u202eα</span> was here</p>", True),
        ("<p>\u2068\u202eα\u2069 was here</p>", False),
        ("<p>\u202eα\u202c was here</p>", False),
        ("<p><a>\u202eα</a> <bdi>x</bdi></p>", True),
        ("<p><bdi>\u202eα, and more</bdi></p>", True),
        ("<p title='\u202eα, too'></p>", True),
    ],
)
def test_words_that_are_turned_would_be_seen(html, turned, walk):
    walk.open("/accounts/inactive/")
    walk.page.evaluate("html => document.querySelector('main').insertAdjacentHTML('beforeend', html)", html)
    assert bool(walk.page.evaluate(TURNED, NAMES)) == turned
