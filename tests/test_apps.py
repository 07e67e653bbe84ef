"""Apps, from the form that connects one to who has access, against a real sandbox."""

import re
from datetime import date

import pytest
from cryptography.fernet import Fernet
from django.test import Client
from werkzeug.wrappers import Response

from certdash.links import isolated
from certdash.models import App, AuditEntry, AuditKind, Grant, Group, Role
from certdash.sandbox import ADDRESS_REFUSED, DEMO, NOT_ENABLED, World, running_sandbox, running_server
from certdash.sync.telephones import forget_telephones
from tests import world
from tests.reading import text_of
from tests.world import make_group

pytestmark = pytest.mark.django_db
SECRETS = ("not-a-real-secret", DEMO.token, world.TOKEN, "gAAAA")  # the last one begins every ciphertext


@pytest.fixture(scope="module")
def sandbox():
    with running_sandbox(World(date(2026, 11, 2), 200, seed=1)) as url:
        yield url


@pytest.fixture
def as_superuser(client, cast):
    client.force_login(cast.superuser)
    return client


@pytest.fixture
def as_owner(client, cast):
    client.force_login(cast.owner)
    return client


def form(url, **fields):
    return {
        "name": "New Academy", "base_url": url, "token": DEMO.token, "app_id": DEMO.app_id, "refresh_minutes": "15",
    } | fields  # fmt: skip


def errors_of(response):
    assert response.status_code == 422, response
    shown = response.context["form"].errors.values()
    return " ".join(str(error) for errors in shown for error in errors)


def no_secret_in(response):
    return not any(secret in response.content.decode() for secret in SECRETS)


# -- Connecting -------------------------------------------------------------------------------------------------


def test_an_app_is_tested_saved_and_owned(as_superuser, cast, sandbox):
    response = as_superuser.post("/apps/add/", form(sandbox), follow=True)
    assert response.redirect_chain == [("/apps/new-academy/", 302)]
    app = App.objects.get(slug="new-academy")
    assert (app.base_url, app.app_id, app.refresh_minutes) == (sandbox, DEMO.app_id, 15)
    assert app.token.reveal() == DEMO.token
    assert Grant.objects.get(app=app).user == cast.superuser
    assert "The vendor answers, knows the token and has the endpoint enabled." in text_of(response)
    assert no_secret_in(response)


@pytest.mark.parametrize("token", [f"Basic {DEMO.token}", f"  {DEMO.token}\n", f"{DEMO.key}:{DEMO.secret}"])
def test_a_token_can_be_pasted_in_any_of_its_forms(token, as_superuser, sandbox):
    assert as_superuser.post("/apps/add/", form(sandbox, token=token)).status_code == 302
    assert App.objects.get(slug="new-academy").token.reveal() == DEMO.token


REFUSALS = {
    "wrong token": ({"token": "a2V5Ondyb25n"}, "enter the token again", "Unauthorized"),
    "endpoint not enabled": ({"token": NOT_ENABLED.token}, "ask the vendor to enable", "not enabled for this account"),
    "address not allowed": ({"token": ADDRESS_REFUSED.token}, "ask the vendor to allow the address", "not allowed"),
    "another app": ({"app_id": "io.nobody"}, "check the app ID", "no app with that ID"),
}


@pytest.mark.parametrize("what", REFUSALS)
def test_a_refusal_of_the_vendor_is_explained_and_nothing_is_saved(what, as_superuser, sandbox):
    fields, advice, said = REFUSALS[what]
    response = as_superuser.post("/apps/add/", form(sandbox, **fields))
    explained = errors_of(response)
    assert "Nothing was saved" in explained
    assert advice in explained
    assert said in explained
    assert not App.objects.filter(slug="new-academy").exists()
    assert no_secret_in(response)


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (Response("<h1>Welcome</h1>", mimetype="text/html"), "check the base URL"),
        (Response("<b>gone</b>", 404, mimetype="text/html"), "check the base URL"),
        (Response("", 301, {"Location": "https://elsewhere.example/"}), "the base URL that the vendor gave"),
        (Response('{"status": "error", "message": "<b>Closed</b>"}', 200, mimetype="application/json"), "Closed"),
        (Response("{}", mimetype="application/json"), "try again later"),
    ],
)
def test_a_server_that_is_not_this_api_is_explained(answer, advice, as_superuser):
    with running_server(answer) as url:
        response = as_superuser.post("/apps/add/", form(url))
    assert advice in errors_of(response)
    assert "<b>" not in response.content.decode()
    assert not App.objects.filter(slug="new-academy").exists()


def test_a_server_that_nobody_reaches_is_explained(as_superuser):
    response = as_superuser.post("/apps/add/", form("http://127.0.0.1:9"))
    assert "check the base URL and this machine's network" in errors_of(response)


def test_an_app_can_be_saved_without_a_test(as_superuser):
    response = as_superuser.post("/apps/add/", form("http://127.0.0.1:9", untested="1"))
    assert response.status_code == 302
    assert App.objects.filter(slug="new-academy").exists()


@pytest.mark.parametrize(
    "url",
    ["http://vendor.example", "https://127.0.0.1", "https://10.0.0.1/x", "https://[::1]", "https://localhost",
     "https://169.254.169.254", "https://2130706433", "https://user:pw@vendor.example", "javascript:x", "vendor", ""],
)  # fmt: skip
def test_an_address_that_may_not_be_asked_is_refused_when_it_is_entered(url, as_superuser, settings):
    settings.ALLOW_PRIVATE_UPSTREAMS = False
    response = as_superuser.post("/apps/add/", form(url, untested="1"))
    assert response.status_code == 422
    assert response.context["form"].errors["base_url"]
    assert not App.objects.filter(slug="new-academy").exists()


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "!!!"}, "name"),
        ({"name": "add"}, "name"),
        ({"name": "Demo"}, "name"),
        ({"token": ""}, "token"),
        ({"token": "not base64"}, "token"),
        ({"refresh_minutes": "0"}, "refresh_minutes"),
        ({"refresh_minutes": "7"}, "refresh_minutes"),
        ({"app_id": "x" * 201}, "app_id"),
        ({"base_url": "https://" + "x" * 600 + ".example"}, "base_url"),
        ({"name": "a\0b"}, "name"),
    ],
)
def test_a_field_that_makes_no_sense_is_told_beside_it(fields, field, as_superuser, sandbox):
    response = as_superuser.post("/apps/add/", form(sandbox, **fields))
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert 'class="error"' in response.content.decode()
    assert App.objects.count() == 2


def test_a_form_that_comes_back_does_not_repeat_the_token(as_superuser, sandbox):
    assert no_secret_in(as_superuser.post("/apps/add/", form(sandbox, name="")))


# -- Changing ---------------------------------------------------------------------------------------------------


def test_an_empty_token_keeps_the_stored_one(as_owner, cast, sandbox):
    App.objects.filter(pk=cast.demo.pk).update(base_url=sandbox)
    fields = form(sandbox, name="Renamed", token="", untested="1")
    assert as_owner.post("/apps/demo/connection/", fields).status_code == 302
    cast.demo.refresh_from_db()
    assert (cast.demo.name, cast.demo.slug, cast.demo.token.reveal()) == ("Renamed", "demo", world.TOKEN)


def test_another_base_url_asks_for_the_token_again(as_owner, cast, sandbox):
    response = as_owner.post("/apps/demo/connection/", form(sandbox, token="", untested="1"))
    assert "enter the token again" in errors_of(response)
    cast.demo.refresh_from_db()
    assert cast.demo.base_url == "http://127.0.0.1:9"
    assert as_owner.post("/apps/demo/connection/", form(sandbox)).status_code == 302
    cast.demo.refresh_from_db()
    assert (cast.demo.base_url, cast.demo.token.reveal()) == (sandbox, DEMO.token)


@pytest.fixture
def while_it_is_tested(monkeypatch):
    """What somebody else does during the test of a connection."""

    def do(something):
        monkeypatch.setattr("certdash.views.apps.test_connection", lambda _app: something())

    return do


def test_what_others_change_during_the_test_of_a_connection_stays(as_owner, cast, while_it_is_tested):
    newer = world.Secret.seal(world.TOKEN)

    def meanwhile():
        forget_telephones(App.objects.get(slug="demo"))
        App.objects.filter(slug="demo").update(token=newer, breadth="stories", listed_stories=["A"])

    while_it_is_tested(meanwhile)
    fields = form(cast.demo.base_url, name="Renamed", token="")
    assert as_owner.post("/apps/demo/connection/", fields).status_code == 302
    app = App.objects.get(slug="demo")
    assert (app.name, app.stores_telephones, app.tells_by_telephone) == ("Renamed", False, False)
    assert (app.token.sealed, app.breadth, app.listed_stories) == (newer.sealed, "stories", ["A"])
    assert AuditEntry.objects.get(kind=AuditKind.CREDENTIALS).details["changed"] == ["name", "app ID"]


def test_a_token_that_is_kept_goes_to_no_other_address_than_its_own(as_owner, cast, while_it_is_tested, sandbox):
    theirs = world.Secret.seal(DEMO.token)
    while_it_is_tested(lambda: App.objects.filter(slug="demo").update(token=theirs, base_url=sandbox))
    response = as_owner.post("/apps/demo/connection/", form(cast.demo.base_url, token=""))
    assert "Somebody else has changed the base URL just now" in errors_of(response)
    app = App.objects.get(slug="demo")
    assert (app.base_url, app.token.sealed) == (sandbox, theirs.sealed)


@pytest.mark.parametrize("address", ["/apps/demo/", "/apps/demo/connection/", "/apps/", "/apps/?_export=jsonl"])
def test_the_stored_token_is_on_no_page(address, as_owner):
    response = as_owner.get(address)
    text = b"".join(response) if response.streaming else response.content
    assert not any(secret.encode() in text for secret in SECRETS)


def test_an_interval_that_a_script_set_stays_a_choice(as_owner, cast):
    App.objects.filter(pk=cast.demo.pk).update(refresh_minutes=42)
    html = as_owner.get("/apps/demo/connection/").content.decode()
    assert re.search(r'<option value="42" selected>every 42 minutes', html)
    assert "; every 42 minutes" in text_of(as_owner.get("/apps/demo/"))
    App.objects.filter(pk=cast.demo.pk).update(refresh_minutes=1440)
    assert "; every day" in text_of(as_owner.get("/apps/demo/"))


def test_the_stored_connection_can_be_tested(as_owner, cast, sandbox):
    App.objects.filter(pk=cast.demo.pk).update(base_url=sandbox)
    response = as_owner.post("/apps/demo/test/", follow=True)
    assert "enter the token again" in text_of(response)
    assert "Unauthorized" in text_of(response)
    cast.demo.token = world.Secret.seal(DEMO.token)
    cast.demo.base_url = sandbox
    cast.demo.save()
    assert "knows the token" in text_of(as_owner.post("/apps/demo/test/", follow=True))


def test_a_token_that_no_key_opens_is_explained(as_owner, settings):
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]
    assert "cannot be decrypted" in text_of(as_owner.post("/apps/demo/test/", follow=True))


# -- Groups and people ------------------------------------------------------------------------------------------


def test_groups_are_listed_one_a_line(as_owner, cast):
    make_group(cast.demo, "Old")
    names = "Sales & Partners\r\n\r\n  Außendienst DACH  \nSales & Partners\n東京"
    assert as_owner.post("/apps/demo/groups/", {"names": names}).status_code == 302
    tracked = Group.objects.filter(app=cast.demo, tracked=True).values_list("name", flat=True)
    assert set(tracked) == {"Sales & Partners", "Außendienst DACH", "東京"}
    assert Group.objects.get(name="Old").tracked is False
    shown = as_owner.get("/apps/demo/groups/").context["form"].initial["names"]
    assert set(shown.split("\n")) == set(tracked)


@pytest.mark.parametrize("names", ["x" * 201, "\n".join(f"g{n}" for n in range(501)), "a\0b"])
def test_too_many_or_too_long_groups_are_refused(names, as_owner, cast):
    assert as_owner.post("/apps/demo/groups/", {"names": names}).status_code == 422
    assert not cast.demo.groups.exists()


@pytest.mark.parametrize("login", ["newcomer", "Newcomer@Example.com", " newcomer "])
def test_access_is_given_by_name_or_e_mail(login, as_owner, cast):
    newcomer = world.make_user("newcomer")
    response = as_owner.post("/apps/demo/people/", {"login": login, "role": "manager"}, follow=True)
    assert Grant.objects.get(user=newcomer).role == Role.MANAGER
    assert "newcomer is manager of Demo Academy now." in text_of(response)


def test_giving_access_again_changes_the_role(as_owner, cast):
    as_owner.post("/apps/demo/people/", {"login": "viewer", "role": "owner"})
    assert Grant.objects.get(app=cast.demo, user=cast.viewer).role == Role.OWNER


@pytest.mark.parametrize(
    ("login", "role"), [("nobody", "viewer"), ("viewer", "king"), ("", "viewer"), ("a\0", "viewer")]
)
def test_nobody_gets_a_role_that_is_not_there(login, role, as_owner, cast):
    before = Grant.objects.count()
    response = as_owner.post("/apps/demo/people/", {"login": login, "role": role})
    assert response.status_code == 422
    assert "People with access" in text_of(response)
    assert Grant.objects.count() == before


def test_access_is_taken_away(as_owner, cast):
    grant = Grant.objects.get(app=cast.demo, user=cast.viewer)
    response = as_owner.post(f"/apps/demo/people/{grant.pk}/take-away/", follow=True)
    assert "viewer has no access to Demo Academy any more." in text_of(response)
    assert not Grant.objects.filter(pk=grant.pk).exists()


def test_an_owner_keeps_her_own_access(as_owner, cast):
    grant = Grant.objects.get(app=cast.demo, user=cast.owner)
    as_owner.post(f"/apps/demo/people/{grant.pk}/take-away/")
    response = as_owner.post("/apps/demo/people/", {"login": "owner", "role": "viewer"})
    assert "Your own role stays" in errors_of(response)
    assert Grant.objects.get(pk=grant.pk).role == Role.OWNER


# -- What a browser sends ---------------------------------------------------------------------------------------


def test_access_can_be_taken_away_by_the_button_of_the_page(cast):
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.owner)
    page = client.get("/apps/demo/people/").content.decode()
    grant = Grant.objects.get(user=cast.viewer)
    row = page[page.index(f"/people/{grant.pk}/take-away/") :]
    token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', row[: row.index("</form>")])[1]
    assert client.post(f"/apps/demo/people/{grant.pk}/take-away/", {"csrfmiddlewaretoken": token}).status_code == 302
    assert not Grant.objects.filter(pk=grant.pk).exists()


def test_groups_whose_slugs_meet_are_both_tracked(client, cast):
    client.force_login(cast.owner)
    client.post("/apps/demo/groups/", {"names": "x-2d711642\nx\nX"})
    assert client.get("/groups/").content.decode().count("x-2d711642") >= 1
    assert set(cast.demo.groups.filter(tracked=True).values_list("name", flat=True)) == {"x-2d711642", "x", "X"}


def test_the_vendors_words_reorder_only_themselves():
    assert isolated("\u2069\u202eabc") == "\u2068\u202eabc\u2069"
