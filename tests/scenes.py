"""Every page in every state: where it is, who sees it, and what is done on it before it is looked at."""

from collections.abc import Callable
from typing import Any, NamedTuple

from certdash.adapters import email_taken
from certdash.attempts import TooManyAttempts
from certdash.models import App
from tests.scenery import LOST

# -- What is done on a page before it is looked at --------------------------------------------------------------


def opened(where: str) -> Callable[[Any], None]:
    """Opens menus and sheets, also those that another width hides."""
    return lambda page: page.locator(where).evaluate_all("all => all.forEach(one => { one.open = true })")


def sent(where: str = "main form.form", **fields: str) -> Callable[[Any], Any]:
    """Sends a form with these fields and all others empty, past the browser's own checks; returns the answer."""

    def send(page: Any) -> Any:
        with page.expect_navigation() as answer:
            page.locator(where).first.evaluate(_SEND, fields)
        return answer.value

    return send


_SEND = """(form, fields) => {
    form.noValidate = true;
    for (const field of form.querySelectorAll("input:not([type=hidden]), textarea, select")) {
        field.checked = false;
        field.value = fields[field.name] ?? "";
    }
    for (const field of form.querySelectorAll("select")) {
        if (fields[field.name]) field.options[0].value = fields[field.name];
        field.selectedIndex = 0;
    }
    form.requestSubmit(form.querySelector("[type=submit]:not([name])"));
}"""


def ticked(page: Any) -> None:
    page.locator(".pick input").first.check()
    opened("#table-options")(page)


def without_cookies(page: Any) -> Any:
    page.context.clear_cookies(name="csrftoken")
    return sent()(page)


# -- The pages --------------------------------------------------------------------------------------------------


class Scene(NamedTuple):
    """A page in one of its states. `path` has names of the scenery's things in braces."""

    path: str
    who: str | None = "owner"
    act: Callable[[Any], Any] | None = None
    status: int = 200
    settings: dict[str, Any] = {}
    patch: tuple[str, Any] | None = None


def fails(error: Exception) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    return fail


NO_APP = ("certdash.views.page.apps_for", lambda user, *_: App.objects.none())
MAIL = {"SENDS_MAIL": True}
SSO = {"OIDC_ISSUER": "http://127.0.0.1:9"}
STORY, PERSON, GROUP, RUN = "/stories/demo/{story}/", "/people/{person}/", "/groups/demo/{group}/", "/apps/demo/runs/"
FULL = {"name": "x", "slug": "x", "base_url": "http://127.0.0.1:9/", "token": "ZGVtbzp4", "refresh_minutes": "60"}
NEW_VIEW = "/views/add/?path=/certificates/&query=state%3Dpending%26country%3D"

# By the names of the addresses.
PAGES: dict[str, dict[str, Scene]] = {
    "overview": {
        "tables": Scene("/", "viewer", opened(".chart details")),
        "stale": Scene("/", "failing"),
        "while a sync runs": Scene("/", "busy"),
        "no sync yet": Scene("/", "new"),
        "no app": Scene("/", "newcomer"),
        "first run": Scene("/", "superuser", patch=NO_APP),
        "navigation": Scene("/", "newcomer", opened(".nav-menu")),
        "user menu": Scene("/", "superuser", opened(".top-end .menu"), patch=NO_APP),
    },
    "certificates": {
        "rows": Scene("/certificates/?per_page=25&sort=person&withdrawn=all"),
        "chips": Scene("/certificates/?state=pending&country=Country+2&nonsense=1"),
        "filters": Scene("/certificates/?state=pending", "viewer", opened(".filters, .facet details")),
        "ticked": Scene("/certificates/?q=person01", "viewer", ticked),
        "all columns": Scene("/certificates/?q=person0&story=AAAA-1111", "all columns", ticked),
        "no columns": Scene("/certificates/?q=person01", "no columns", ticked),
        "while a sync runs": Scene("/certificates/", "busy"),
        "stale": Scene("/certificates/", "failing"),
        "missing": Scene("/certificates/?run={held}&change=missing"),
        "empty": Scene("/certificates/?country=Nowhere"),
        "ways out": Scene("/certificates/?country=Nowhere&state=pending"),
        "no app": Scene("/certificates/", "newcomer"),
        "other time zone": Scene("/certificates/?q=ana", "traveller"),
        "403": Scene("/apps/demo/connection/", "viewer", status=403),
        "404": Scene("/nothing/", "viewer", status=404),
        "500": Scene("/", "viewer", status=500, patch=("certdash.views.overview.states", fails(RuntimeError("x")))),
        "400": Scene(f"/?{'&'.join('a' * 1001)}", "viewer", status=400),
    },
    "stories": {
        "rows": Scene("/stories/"),
        "download menu": Scene("/stories/", "viewer", opened("#download")),
        "empty": Scene("/stories/?q=nothing&app=demo"),
    },
    "story": {
        "owner": Scene(f"{STORY}?q=person0"),
        "viewer": Scene("/stories/demo/{other_story}/?q=person01", "viewer"),
        "choice": Scene("/stories/demo/TWICE/"),
    },
    "groups": {"rows": Scene("/groups/"), "none": Scene("/groups/", "new")},
    "group": {"members": Scene(f"{GROUP}?q=ana"), "nobody": Scene("/groups/demo/{empty_group}/")},
    "matrix": {"cells": Scene("/matrix/?nonsense=1"), "empty": Scene("/matrix/?country=Nowhere&state=pending")},
    "delivery": {"rows": Scene("/delivery/"), "empty": Scene("/delivery/", "new")},
    "people": {"rows": Scene("/people/"), "empty": Scene("/people/?q=nobody&app=demo")},
    "person": {"owner": Scene(PERSON), "viewer": Scene(PERSON, "viewer")},
    "person_timeline": {"rows": Scene(f"{PERSON}timeline/")},
    "person_erase": {"question": Scene(f"{PERSON}erase/")},
    "views": {
        "rows": Scene("/views/"),
        "pinned views": Scene("/views/", "owner", opened(".nav .menu")),
        "empty": Scene("/views/?q=nothing"),
    },
    "view_add": {
        "form": Scene(NEW_VIEW),
        "errors": Scene(NEW_VIEW, act=sent(), status=422),
    },
    "view_edit": {"form": Scene("/views/{view}/edit/"), "errors": Scene("/views/{view}/edit/", act=sent(), status=422)},
    "view_delete": {"question": Scene("/views/{view}/delete/")},
    "apps": {"rows": Scene("/apps/", "superuser"), "empty": Scene("/apps/", "newcomer")},
    "app_add": {
        "form": Scene("/apps/add/", "superuser"),
        "errors": Scene("/apps/add/", "superuser", sent(), 422),
        "no connection": Scene("/apps/add/", "superuser", sent(**FULL), 422),
    },
    "app": {
        "owner": Scene("/apps/demo/"),
        "viewer": Scene("/apps/demo/", "viewer"),
        "no group": Scene("/apps/new/", "new"),
        "stale": Scene("/apps/failing/", "failing"),
        "while a sync runs": Scene("/apps/busy/", "busy"),
        "no connection": Scene("/apps/failing/", "failing", sent("form[action$='/test/']")),
    },
    "app_connection": {
        "form": Scene("/apps/demo/connection/"),
        "errors": Scene("/apps/demo/connection/", act=sent(), status=422),
    },
    "app_groups": {
        "form": Scene("/apps/demo/groups/"),
        "errors": Scene("/apps/demo/groups/", act=sent(names="x" * 1001), status=422),
    },
    "app_scope": {"form": Scene("/apps/demo/scope/"), "errors": Scene("/apps/demo/scope/", act=sent(), status=422)},
    "app_people": {
        "rows": Scene("/apps/demo/people/"),
        "errors": Scene("/apps/demo/people/", act=sent(login="nobody"), status=422),
    },
    "app_privacy": {
        "form": Scene("/apps/demo/privacy/"),
        "errors": Scene("/apps/demo/privacy/", act=sent(), status=422),
    },
    "app_erasures": {
        "rows": Scene("/apps/demo/erasures/"),
        "found": Scene("/apps/demo/erasures/", act=sent(email=LOST)),
        "not found": Scene("/apps/new/erasures/", "new", sent(email=LOST)),
        "errors": Scene("/apps/demo/erasures/", act=sent(), status=422),
    },
    "erasure_lift": {"question": Scene("/apps/demo/erasures/{erasure}/lift/")},
    "app_audit": {"rows": Scene("/apps/demo/audit/"), "empty": Scene("/apps/new/audit/", "new")},
    "audit": {"rows": Scene("/accounts/audit/", "superuser")},
    "runs": {"rows": Scene(f"{RUN}?status=held"), "none": Scene("/apps/new/runs/", "new")},
    "run": {
        "partial": Scene(f"{RUN}{{run}}/"),
        "failed": Scene(f"{RUN}{{failed}}/"),
        "held": Scene(f"{RUN}{{held}}/"),
        "held for others": Scene(f"{RUN}{{held}}/", "viewer"),
        "accepted": Scene(f"{RUN}{{accepted}}/"),
        "running": Scene("/apps/busy/runs/{busy}/", "busy"),
        "waiting": Scene("/apps/queued/runs/{queued}/", "queued"),
        "lost": Scene("/apps/lost/runs/{lost}/", "lost"),
    },
    "changes": {"rows": Scene(f"{RUN}{{run}}/changes/"), "none": Scene(f"{RUN}{{failed}}/changes/")},
    "members": {"rows": Scene(f"{RUN}{{held}}/members/"), "none": Scene(f"{RUN}{{run}}/members/")},
    "accounts": {"rows": Scene("/accounts/people/", "superuser")},
    "account_add": {
        "form": Scene("/accounts/people/add/", "superuser"),
        "errors": Scene("/accounts/people/add/", "superuser", sent(), 422),
    },
    "account": {
        "form": Scene("/accounts/people/{account}/", "superuser"),
        "errors": Scene("/accounts/people/{account}/", "superuser", sent(), 422),
        "deactivated": Scene("/accounts/people/{gone}/", "superuser"),
    },
    "account_connect": {
        "link": Scene("/accounts/people/{account}/", "superuser", sent("form[action$='/connect/']"), settings=SSO),
    },
    "account_link": {"link": Scene("/accounts/people/{account}/", "superuser", sent("form[action$='/link/']"))},
    "teams": {"rows": Scene("/accounts/teams/", "superuser")},
    "team_add": {
        "form": Scene("/accounts/teams/add/", "superuser"),
        "errors": Scene("/accounts/teams/add/", "superuser", sent(), 422),
    },
    "team": {
        "form": Scene("/accounts/teams/{team}/", "superuser"),
        "errors": Scene("/accounts/teams/{team}/", "superuser", sent(members="nobody"), 422),
    },
    "set_password": {
        "form": Scene("{link}", None),
        "errors": Scene("{link}", None, sent(new_password1="x"), 422),
        "ended": Scene("/accounts/set-password/MQ/abcdef-0123456789/", None, status=410, settings=MAIL),
    },
    "password_forgotten": {
        "form": Scene("/accounts/password/forgotten/", None, settings=MAIL),
        "errors": Scene("/accounts/password/forgotten/", None, sent(), 422, MAIL),
    },
    "account_login": {
        "form": Scene("/accounts/login/", None, settings=MAIL),
        "errors": Scene("/accounts/login/", None, sent(login="nobody", password="x")),
        "single sign-on": Scene("/accounts/login/", None, settings=SSO),
        "single sign-on only": Scene("/accounts/login/", None, settings=SSO | {"OIDC_ONLY": True}),
        "too many": Scene("/accounts/login/", None, sent(login="x", password="x"), 429,
                          patch=("certdash.adapters.take", fails(TooManyAttempts("x", 600)))),
        "form expired": Scene("/accounts/login/", None, without_cookies, 403),
    },
    "single_sign_on": {
        "failed": Scene("/accounts/sso/", None, status=401, settings=SSO),
        "e-mail taken": Scene("/accounts/sso/", None, status=409, settings=SSO,
                              patch=("certdash.single_sign_on.failed", lambda request, *_: email_taken(request))),
    },
    "openid_connect_callback": {
        "cancelled": Scene("/accounts/sso/callback/?error=access_denied", None, status=401, settings=SSO),
    },
    "account_inactive": {"page": Scene("/accounts/inactive/", None)},
    "account_logout": {"question": Scene("/accounts/logout/")},
    "account_change_password": {
        "form": Scene("/accounts/password/change/"),
        "errors": Scene("/accounts/password/change/", act=sent(oldpassword="x")),
    },
    "connect_by_link": {
        "question": Scene("{connecting_link}", None, settings=SSO),
        "ended": Scene("/accounts/connect/MQ/abcdef-0123456789/", None, status=410, settings=SSO),
    },
    "profile_connect": {
        "form": Scene("/accounts/profile/connect/", settings=SSO),
        "errors": Scene("/accounts/profile/connect/", "owner", sent(), 422, SSO),
    },
    "profile": {
        "single sign-on": Scene("/accounts/profile/", settings=SSO),
        "form": Scene("/accounts/profile/"),
        "errors": Scene("/accounts/profile/", act=sent(time_zone="Nowhere"), status=422),
    },
}  # fmt: skip
# Addresses that lead on, take only what a form sends and lead back, or answer machines.
WITHOUT_A_PAGE = {
    "home", "view", "story_refresh", "person_refresh", "view_pin", "view_home", "app_test", "app_take_away",
    "sync_now", "accept_run", "account_deactivate", "account_reactivate", "team_delete", "profile_zone",
    "profile_disconnect", "table_options", "healthz", "readyz",
}  # fmt: skip
SCENES = {f"{name}: {state}": scene for name, scenes in PAGES.items() for state, scene in scenes.items()}
