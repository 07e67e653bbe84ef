"""Who may do what: every address of the resolver, as everybody."""

import io
import re
import zipfile
from urllib.parse import quote

import pytest
from django.test import Client
from django.urls import get_resolver, reverse

from certdash.models import Certificate, Erasure, Grant, Learner, Role, SavedView, SyncRun, Team, User
from certdash.models.story import Story
from tests import world

WHO = ("anonymous", "stranger", "viewer", "manager", "owner", "superuser")
LOGIN = "login"  # redirected there, with the way back

_OPEN = (200, 200, 200, 200, 200, 200)
_EVERYBODY = (LOGIN, 200, 200, 200, 200, 200)
_MEMBERS = (LOGIN, 404, 200, 200, 200, 200)
_OWNERS = (LOGIN, 404, 403, 403, 200, 200)
_NOWHERE = (404, 404, 404, 404, 404, 404)  # as long as no provider is configured
_NO_PROVIDER = (LOGIN, 404, 404, 404, 404, 404)
_SUPERUSERS = (LOGIN, 404, 404, 404, 404, 200)
_ONLY_POST = (LOGIN, 405, 405, 405, 405, 405)
_NO_POST = (LOGIN, 405, 405, 405, 405, 405)
_NO_POST_OF_ANYBODY = (405, 405, 405, 405, 405, 405)  # of pages before the log-in

# Name of the address: what GET gives to each of WHO.
GET = {
    "overview": _EVERYBODY,
    "certificates": _EVERYBODY,
    "stories": _EVERYBODY,
    "story": _MEMBERS,
    "story_refresh": _ONLY_POST,
    "groups": _EVERYBODY,
    "group": _MEMBERS,
    "matrix": _EVERYBODY,
    "delivery": _EVERYBODY,
    "people": _EVERYBODY,
    "person": _MEMBERS,
    "person_timeline": _MEMBERS,
    "person_erase": _OWNERS,
    "person_refresh": _ONLY_POST,
    "home": (LOGIN, 302, 302, 302, 302, 302),
    "views": _EVERYBODY,
    "view_add": _EVERYBODY,
    "view": (LOGIN, 404, 302, 302, 302, 302),
    "view_edit": (LOGIN, 404, 403, 403, 200, 403),
    "view_delete": (LOGIN, 404, 403, 403, 200, 200),
    "view_pin": _ONLY_POST,
    "view_home": _ONLY_POST,
    "apps": _EVERYBODY,
    "app_add": (LOGIN, 403, 403, 403, 403, 200),
    "app": _MEMBERS,
    "app_connection": _OWNERS,
    "app_test": _ONLY_POST,
    "app_groups": _OWNERS,
    "app_scope": _OWNERS,
    "app_people": _OWNERS,
    "app_privacy": _OWNERS,
    "app_erasures": _OWNERS,
    "erasure_lift": _OWNERS,
    "app_take_away": _ONLY_POST,
    "app_audit": _OWNERS,
    "audit": (LOGIN, 404, 404, 404, 404, 200),
    "sync_now": _ONLY_POST,
    "runs": _MEMBERS,
    "run": _MEMBERS,
    "changes": _MEMBERS,
    "members": _OWNERS,
    "accept_run": _ONLY_POST,
    "accounts": _SUPERUSERS,
    "account_add": _SUPERUSERS,
    "account": _SUPERUSERS,
    "account_deactivate": _ONLY_POST,
    "account_reactivate": _ONLY_POST,
    "account_link": _ONLY_POST,
    "account_connect": _ONLY_POST,
    "connect_by_link": _NOWHERE,
    "profile_connect": _NO_PROVIDER,
    "profile_disconnect": _ONLY_POST,
    "teams": _SUPERUSERS,
    "team_add": _SUPERUSERS,
    "team": _SUPERUSERS,
    "team_delete": _ONLY_POST,
    "set_password": (410, 410, 410, 410, 410, 410),  # of a link that never was
    "password_forgotten": (404, 404, 404, 404, 404, 404),  # without a mail server
    "account_login": (200, 302, 302, 302, 302, 302),
    "single_sign_on": _NOWHERE,
    "openid_connect_callback": _NOWHERE,
    "account_inactive": _OPEN,
    "account_logout": (302, 200, 200, 200, 200, 200),
    "account_change_password": _EVERYBODY,
    "profile": _EVERYBODY,
    "profile_zone": _ONLY_POST,
    "table_options": _ONLY_POST,
    "healthz": _OPEN,
    "readyz": _OPEN,
}

# The same for an empty POST; 422 is a form with errors, which only who may send it gets to see.
POST = {
    "overview": _NO_POST,
    "certificates": _NO_POST,
    "stories": _NO_POST,
    "story": _NO_POST,
    "story_refresh": (LOGIN, 404, 403, 302, 302, 302),
    "groups": _NO_POST,
    "group": _NO_POST,
    "matrix": _NO_POST,
    "delivery": _NO_POST,
    "people": _NO_POST,
    "person": _NO_POST,
    "person_timeline": _NO_POST,
    "person_refresh": (LOGIN, 404, 403, 302, 302, 302),
    "home": _NO_POST,
    "views": _NO_POST,
    "view_add": (LOGIN, 422, 422, 422, 422, 422),
    "view": (LOGIN, 405, 405, 405, 405, 405),
    "view_edit": (LOGIN, 404, 403, 403, 422, 403),
    "view_pin": (LOGIN, 404, 302, 302, 302, 302),
    "view_home": (LOGIN, 404, 302, 302, 302, 302),
    "apps": _NO_POST,
    "app_add": (LOGIN, 403, 403, 403, 403, 422),
    "app": _NO_POST,
    "app_connection": (LOGIN, 404, 403, 403, 422, 422),
    "app_test": (LOGIN, 404, 403, 403, 302, 302),
    "app_groups": (LOGIN, 404, 403, 403, 302, 302),
    "app_scope": (LOGIN, 404, 403, 403, 422, 422),
    "app_people": (LOGIN, 404, 403, 403, 422, 422),
    "app_take_away": (LOGIN, 404, 403, 403, 302, 302),
    "app_audit": (LOGIN, 404, 403, 403, 405, 405),
    "audit": (LOGIN, 404, 404, 404, 404, 405),
    "sync_now": (LOGIN, 404, 403, 302, 302, 302),
    "runs": (LOGIN, 404, 405, 405, 405, 405),
    "run": _NO_POST,
    "changes": (LOGIN, 404, 405, 405, 405, 405),
    "members": (LOGIN, 404, 403, 403, 405, 405),
    "accept_run": (LOGIN, 404, 403, 403, 302, 302),
    "accounts": (LOGIN, 404, 404, 404, 404, 405),
    "account_add": (LOGIN, 404, 404, 404, 404, 422),
    "account": (LOGIN, 404, 404, 404, 404, 422),
    "account_deactivate": (LOGIN, 404, 404, 404, 404, 302),
    "account_reactivate": (LOGIN, 404, 404, 404, 404, 302),
    "account_link": (LOGIN, 404, 404, 404, 404, 200),
    "account_connect": _NO_PROVIDER,
    "connect_by_link": _NOWHERE,
    "profile_connect": _NO_PROVIDER,
    "profile_disconnect": _NO_PROVIDER,
    "teams": (LOGIN, 404, 404, 404, 404, 405),
    "team_add": (LOGIN, 404, 404, 404, 404, 422),
    "team": (LOGIN, 404, 404, 404, 404, 422),
    "team_delete": (LOGIN, 404, 404, 404, 404, 302),
    "set_password": (410, 410, 410, 410, 410, 410),
    "password_forgotten": (404, 404, 404, 404, 404, 404),
    "account_login": (200, 302, 302, 302, 302, 302),
    "account_change_password": (LOGIN, 200, 200, 200, 200, 200),
    "account_inactive": _NO_POST_OF_ANYBODY,
    "single_sign_on": _NO_POST_OF_ANYBODY,
    "openid_connect_callback": _NO_POST_OF_ANYBODY,
    "healthz": _NO_POST_OF_ANYBODY,
    "readyz": _NO_POST_OF_ANYBODY,
    "profile": (LOGIN, 302, 302, 302, 302, 302),
    "profile_zone": (LOGIN, 302, 302, 302, 302, 302),
    "table_options": (LOGIN, 302, 302, 302, 302, 302),
    "app_privacy": (LOGIN, 404, 403, 403, 422, 422),
    "app_erasures": (LOGIN, 404, 403, 403, 422, 422),
    # Last, since they take away what the others are about.
    "view_delete": (LOGIN, 404, 403, 403, 302, 302),
    "erasure_lift": (LOGIN, 404, 403, 403, 302, 302),
    "person_erase": (LOGIN, 404, 403, 403, 302, 302),
    "account_logout": (302, 302, 302, 302, 302, 302),
}
# Of lists and pages with files, what else of them may tell something.
SEARCHED = (
    "overview", "certificates", "stories", "story", "groups", "group", "matrix", "delivery", "people", "person",
    "person_timeline", "views", "apps", "app_people", "app_audit", "runs", "changes", "members",
)  # fmt: skip
QUERIES = [
    "?_export=jsonl", "?_export=xlsx", "?_part=filters&withdrawn=all", "?_part=page&withdrawn=all&{ids}",
    "?withdrawn=all&_selected=1&_export=csv&{ids}", "?_table=weeks&_export=xlsx", "?_table=breakdown&_export=xlsx",
    "?_table=ages&_export=csv",
]  # fmt: skip
LISTS = ("certificates", "stories", "groups", "matrix", "delivery", "people", "apps")


@pytest.fixture
def addresses(cast, monkeypatch):
    """Every address of the resolver, of the app `demo` where it is of an app."""
    monkeypatch.setattr("certdash.views.apps.test_connection", lambda _app: None)  # nobody waits for a vendor here
    story = world.make_story(cast.demo)
    certificate = world.make_certificate(story)
    group = world.make_group(cast.demo, "Managers", certificate.learner)
    run = world.make_run(cast.demo)
    world.make_foreign(cast.other)
    grant = Grant.objects.get(app=cast.demo, user=cast.viewer)
    erasure = Erasure.objects.create(app=cast.demo, digest="0" * 64, at=world.NOW)
    shared = world.make_view(cast.owner, "Pending", "/certificates/", "state=pending", app=cast.demo)
    somebody, team = world.make_user("somebody"), Team.objects.create(name="Trainers")
    arguments = {
        "story": ["demo", story.key],
        "story_refresh": ["demo", story.key],
        "group": ["demo", group.key],
        "person": [certificate.learner_id],
        "person_timeline": [certificate.learner_id],
        "person_erase": [certificate.learner_id],
        "person_refresh": [certificate.learner_id],
        "erasure_lift": ["demo", erasure.pk],
        "app_take_away": ["demo", grant.pk],
        "run": ["demo", run.pk],
        "changes": ["demo", run.pk],
        "members": ["demo", run.pk],
        "accept_run": ["demo", run.pk],
        "account": [somebody.pk],
        "account_deactivate": [somebody.pk],
        "account_reactivate": [somebody.pk],
        "account_link": [somebody.pk],
        "account_connect": [somebody.pk],
        "connect_by_link": ["MQ", "abcdef-0123456789"],
        "team": [team.pk],
        "team_delete": [team.pk],
        "set_password": ["MQ", "abcdef-0123456789"],
        **{name: [shared.slug] for name in ("view", "view_edit", "view_delete", "view_pin", "view_home")},
    }
    of_app = {
        "app",
        "app_audit",
        "app_connection",
        "app_test",
        "app_groups",
        "app_scope",
        "app_people",
        "app_privacy",
        "app_erasures",
        "sync_now",
        "runs",
    }
    return {name: reverse(name, args=arguments.get(name, ["demo"] if name in of_app else [])) for name in GET}


def logged_in(cast, who, **options):
    client = Client(**options)
    if who != "anonymous":
        client.force_login(cast[who])
    return client


def seen(response, address):
    """The status, or LOGIN for the way to the log-in with the way back."""
    to_login = f"{reverse('account_login')}?next={address}"
    return LOGIN if response.status_code == 302 and response["Location"] == to_login else response.status_code


@pytest.mark.parametrize("matrix", [GET, POST])
def test_the_matrix_holds_every_address(matrix):
    assert sorted(matrix) == sorted(pattern.name for pattern in get_resolver().url_patterns)


@pytest.mark.parametrize("who", WHO)
def test_get_as(who, cast, addresses):
    client, column = logged_in(cast, who), WHO.index(who)
    got = {name: seen(client.get(address), address) for name, address in addresses.items()}
    assert got == {name: statuses[column] for name, statuses in GET.items()}


def test_head_is_answered_as_get(cast, addresses):
    client, column = logged_in(cast, "superuser"), WHO.index("superuser")
    got = {name: seen(client.head(address), address) for name, address in addresses.items()}
    # Back from the provider, which only ever leads: by GET.
    assert got == {name: statuses[column] for name, statuses in GET.items()} | {"openid_connect_callback": 405}


@pytest.mark.parametrize("who", WHO)
def test_post_as(who, cast, addresses):
    client, column = logged_in(cast, who), WHO.index(who)
    got = {name: seen(client.post(addresses[name]), addresses[name]) for name in POST}
    assert got == {name: statuses[column] for name, statuses in POST.items()}


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_every_address_wants_the_forms_token_for_whatever_is_no_mere_look(method, cast, addresses):
    client = logged_in(cast, "superuser", enforce_csrf_checks=True)
    for name, address in addresses.items():
        response = getattr(client, method)(address)
        assert (response.status_code, "form has expired" in response.content.decode()) == (403, True), name


def test_the_login_wants_the_forms_token(db):
    response = Client(enforce_csrf_checks=True).post(reverse("account_login"), {"login": "x", "password": "y"})
    assert response.status_code == 403
    assert "form has expired" in response.content.decode()


# -- What is not theirs does not exist --------------------------------------------------------------------------


def foreign_addresses(cast):
    """Pages of the other app, each beside one that nobody has."""
    story, learner = Story.objects.get(app=cast.other), cast.other.learners.get()
    run, group = SyncRun.objects.get(app=cast.other), cast.other.groups.get()
    return {
        f"/stories/retail/{story.key}/": "/stories/nothing/NONE~none/",
        f"/stories/demo/{story.key}/": "/stories/demo/NONE~none/",
        f"/groups/retail/{group.key}/": "/groups/nothing/none/",
        f"/groups/demo/{group.key}/": "/groups/demo/none/",
        f"/people/{learner.pk}/": "/people/999999999/",
        f"/people/{learner.pk}/erase/": "/people/999999999/erase/",
        f"/views/{SavedView.objects.get(app=cast.other).slug}/": "/views/nothing/",
        f"/views/{SavedView.objects.get(app=cast.other).slug}/delete/": "/views/nothing/delete/",
        f"/views/{SavedView.objects.get(app=cast.other).slug}/edit/": "/views/nothing/edit/",
        f"/people/{learner.pk}/timeline/": "/people/999999999/timeline/",
        f"/people/{learner.pk}/?_part=filters": "/people/999999999/?_part=filters",
        f"/stories/retail/{story.key}/?_part=page": "/stories/nothing/NONE~none/?_part=page",
        f"/groups/retail/{group.key}/?_table=weeks&_export=xlsx": "/groups/nothing/none/?_table=weeks&_export=xlsx",
        f"/stories/retail/{story.key}/?_table=breakdown&_export=csv": "/stories/nothing/none/?_table=x&_export=csv",
        "/apps/retail/privacy/": "/apps/nothing/privacy/",
        "/apps/retail/groups/": "/apps/nothing/groups/",
        "/apps/retail/audit/": "/apps/nothing/audit/",
        "/apps/retail/audit/?_export=xlsx": "/apps/nothing/audit/?_export=xlsx",
        f"/apps/retail/runs/{run.pk}/members/": "/apps/nothing/runs/1/members/",
        f"/apps/demo/runs/{run.pk}/members/": "/apps/demo/runs/999999999/members/",
        "/apps/retail/erasures/": "/apps/nothing/erasures/",
        f"/people/{learner.pk}/?_export=csv": "/people/999999999/?_export=csv",
        "/apps/retail/": "/apps/nothing/",
        "/apps/retail/connection/": "/apps/nothing/connection/",
        "/apps/retail/scope/": "/apps/nothing/scope/",
        "/apps/retail/people/": "/apps/nothing/people/",
        "/apps/retail/runs/": "/apps/nothing/runs/",
        "/apps/retail/runs/?_export=csv": "/apps/nothing/runs/?_export=csv",
        f"/apps/retail/runs/{run.pk}/": "/apps/nothing/runs/1/",
        f"/apps/demo/runs/{run.pk}/": "/apps/demo/runs/999999999/",
        f"/apps/retail/runs/{run.pk}/changes/": "/apps/nothing/runs/1/changes/",
        f"/apps/demo/runs/{run.pk}/changes/": "/apps/demo/runs/999999999/changes/",
        f"/apps/demo/runs/{run.pk}/changes/?_export=csv": "/apps/demo/runs/999999999/changes/?_export=csv",
    }


def test_a_foreign_thing_looks_like_one_that_does_not_exist(cast, addresses):
    client = logged_in(cast, "owner")
    for foreign, nobodys in foreign_addresses(cast).items():
        one, other = client.get(foreign), client.get(nobodys)
        assert (one.status_code, without_token(one)) == (404, without_token(other)), foreign


@pytest.mark.parametrize("who", ["anonymous", "newcomer", "viewer", "manager", "owner"])
def test_a_foreign_thing_is_told_of_to_nobody(who, cast, addresses):
    cast.newcomer = world.make_user("newcomer")
    client = logged_in(cast, who)
    for foreign in foreign_addresses(cast):
        answer = client.get(foreign)
        if who == "anonymous":  # sent to the log-in with what they asked for, and nothing else
            asked = (foreign, quote(foreign))
            assert (answer.status_code, answer["Location"].partition("?next=")[2] in asked) == (302, True), foreign
            assert answer.content == b""
        elif not is_too_low_a_role(who, answer, foreign):
            assert (answer.status_code, world.FOREIGN in all_of(answer).lower()) == (404, False), foreign


def is_too_low_a_role(who, answer, foreign):
    """Of one's own app, some pages are for owners: who is none hears that, whatever the run is."""
    return foreign.startswith("/apps/demo/") and who in ("viewer", "manager") and answer.status_code == 403


ACTS = ["/stories/retail/{story}/refresh/", "/stories/demo/{story}/refresh/", "/people/{learner}/refresh/",
        "/people/{learner}/erase/", "/views/{view}/edit/", "/views/{view}/delete/", "/views/{view}/pin/",
        "/views/{view}/home/", "/apps/retail/erasures/{erasure}/lift/", "/apps/demo/erasures/{erasure}/lift/",
        "/apps/retail/connection/", "/apps/retail/groups/", "/apps/retail/scope/", "/apps/retail/people/",
        "/apps/retail/privacy/", "/apps/retail/erasures/", "/apps/retail/sync/", "/apps/retail/test/"]  # fmt: skip


@pytest.mark.parametrize("who", ["newcomer", "viewer", "manager", "owner"])
def test_nobody_acts_on_a_foreign_thing_and_hears_nothing_of_it(who, cast, addresses):
    cast.newcomer = world.make_user("newcomer")
    client, told = logged_in(cast, who), foreign_ids(cast)
    before = foreign_rows(cast)
    for act in ACTS:
        if "/demo/" in act and who in ("viewer", "manager"):
            continue  # in their own app they hear what their role may not, whatever it is of
        answer = client.post(act.format(**told), {"wanted": "1", "name": "x", "telephones": "off"})
        assert (answer.status_code, world.FOREIGN in all_of(answer).lower()) == (404, False), act
    assert foreign_rows(cast) == before


def foreign_ids(cast):
    other = cast.other
    return {
        "story": Story.objects.get(app=other).key,
        "learner": other.learners.get().pk,
        "view": SavedView.objects.get(app=other).slug,
        "erasure": Erasure.objects.get(app=other).pk,
    }


def foreign_rows(cast):
    """What an act would have changed, of the other app and of who may not."""
    of_app = [list(model.objects.filter(app=cast.other).values()) for model in (SyncRun, Erasure, Learner, SavedView)]
    pins = sorted(SavedView.pinned_by.through.objects.values_list("user", "savedview"))
    return [*of_app, pins, sorted(User.objects.values_list("pk", "home"), key=str)]


def without_token(response):
    """The page without the masked form token and the reference, which are others each time."""
    return re.sub(r'(CSRFToken": "|value=")\w{64}|<code>\w{16}</code>', "", response.content.decode())


@pytest.mark.parametrize("verb", ["test", "sync", "runs/{run}/accept", "people/{grant}/take-away"])
def test_nobody_acts_on_a_foreign_app(verb, cast, addresses):
    run, grant = SyncRun.objects.get(app=cast.other), Grant.objects.get(app=cast.other, user=cast.stranger)
    for slug in ("retail", "demo"):
        address = f"/apps/{slug}/{verb.format(run=run.pk, grant=grant.pk)}/"
        if slug == "demo" and verb in ("test", "sync"):
            continue
        assert logged_in(cast, "owner").post(address).status_code == 404
    assert SyncRun.objects.filter(app=cast.other).count() == 1
    assert Grant.objects.filter(app=cast.other).exists()


@pytest.mark.parametrize("who", ["anonymous", "viewer", "manager", "owner"])
def test_no_page_and_no_file_tells_of_a_foreign_app(who, cast, addresses):
    client = logged_in(cast, who)
    ids = "&".join(f"id={pk}" for pk in Certificate.objects.values_list("pk", flat=True))
    more = [query.format(ids=ids) for query in QUERIES]
    for name, address in addresses.items():
        for query in ("", "?_export=csv", *(more if name in SEARCHED else [])):
            assert world.FOREIGN not in all_of(client.get(address + query)).lower(), name + query
    for name in POST:
        assert world.FOREIGN not in all_of(client.post(addresses[name])).lower(), name


def all_of(response):
    """What an answer tells anywhere."""
    return f"{text_of(response)}\n{response.headers}\n{response.cookies}"


@pytest.mark.parametrize("name", LISTS)
def test_somebody_without_any_app_sees_none(name, cast, addresses):
    client = Client()
    client.force_login(world.make_user("newcomer"))
    for query in ("", "?_export=csv"):
        text = text_of(client.get(addresses[name] + query)).lower()
        assert not any(word in text for word in (world.FOREIGN, "demo academy", "ana@example.com", "fire safety"))


def text_of(response):
    whole = b"".join(response) if response.streaming else response.content
    if whole.startswith(b"PK"):  # a workbook: its parts are packed
        with zipfile.ZipFile(io.BytesIO(whole)) as parts:
            whole = b"\n".join([*map(str.encode, parts.namelist()), *map(parts.read, parts.namelist())])
    return whole.decode()


def test_what_a_workbook_tells_is_searched(cast, addresses):
    """Else the searches above would pass whatever workbooks hold."""
    text = text_of(logged_in(cast, "stranger").get("/certificates/?_export=xlsx"))
    assert all(word in text for word in ("rosa@retail.example", "Retail till training", "Retail Academy"))


FOREIGN_QUERIES = [
    "app=retail", "story=RETA-IL00-0001", "group=retail-night-shift", "type=retail-course", "state=retail-state",
    "country=Retailand", "city=Retailville", "q=rosa", "id={pk}",
]  # fmt: skip


@pytest.mark.parametrize("query", FOREIGN_QUERIES)
def test_no_filter_reaches_into_a_foreign_app(query, cast, addresses):
    pk = Certificate.objects.get(app=cast.other).pk
    client = logged_in(cast, "owner")
    page = client.get(f"/certificates/?{query.format(pk=pk)}")
    rows = [row.record.certificate.app_id for row in page.context["table"].page.object_list]
    assert cast.other.pk not in rows
    assert "rosa@retail.example" not in page.content.decode()


@pytest.mark.parametrize("query", ["app=retail", "story=RETA-IL00-0001", "group=retail-night-shift"])
def test_a_foreign_key_is_as_unknown_as_an_invented_one(query, cast, addresses):
    client = logged_in(cast, "viewer")
    name = query.partition("=")[0]
    foreign = client.get(f"/certificates/?{query}&_export=csv")
    invented = client.get(f"/certificates/?{name}=invented&_export=csv")
    assert (foreign.status_code, invented.status_code) == (400, 400)
    value = query.partition("=")[2]
    assert foreign.content.decode().replace(value, "") == invented.content.decode().replace("invented", "")


def test_a_role_that_was_taken_away_ends_at_once(cast, addresses):
    client = logged_in(cast, "viewer")
    assert client.get(addresses["app"]).status_code == 200
    Grant.objects.filter(user=cast.viewer).delete()
    assert client.get(addresses["app"]).status_code == 404


def test_an_account_that_was_closed_is_logged_out(cast, addresses):
    client = logged_in(cast, "owner")
    cast.owner.is_active = False
    cast.owner.save()
    assert seen(client.get(addresses["app"]), addresses["app"]) == LOGIN


def test_somebodys_best_role_is_the_one_of_that_app(cast, addresses):
    Grant.objects.create(app=cast.other, user=cast.viewer, role=Role.OWNER)
    client = logged_in(cast, "viewer")
    assert client.get("/apps/retail/connection/").status_code == 200
    assert client.get(addresses["app_connection"]).status_code == 403


@pytest.mark.parametrize("address", ["/nothing/", "/certificates/x/", "/static/certdash/nothing.css", "/apps/a b/"])
def test_an_address_that_leads_nowhere_is_404_for_whoever_is_logged_in(address, cast):
    assert logged_in(cast, "viewer").get(address).status_code == 404
