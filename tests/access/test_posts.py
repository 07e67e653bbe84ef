"""Who may not do a thing does not do it: forms that are right in all but who sends them, and nothing moves."""

import pytest
from django.test import Client

from certdash.models import Certificate, SyncRun, User
from tests import world
from tests.access.asking import logged_in
from tests.access.expected import POST, WHO
from tests.access.test_get_changes_nothing import signature

CONNECTION = {"name": "Renamed", "base_url": "http://127.0.0.1:9", "refresh_minutes": "60", "untested": "1"}
# Whoever stands lowest of those who may, and what they send. Whoever stands below may not.
FORMS = {
    "view_add": ("stranger", {"name": "Mine", "path": "/certificates/", "query": "state=pending"}),
    "profile": ("stranger", {"time_zone": "Europe/Berlin"}),
    "profile_zone": ("stranger", {"time_zone": "Europe/Berlin"}),
    "table_options": ("stranger", {"per_page": "25"}),
    "account_change_password": (
        "stranger", {"oldpassword": world.PASSWORD, "password1": "another-horse-8", "password2": "another-horse-8"},
    ),
    "view_pin": ("viewer", {"wanted": "1"}),
    "view_home": ("viewer", {"wanted": "1"}),
    "sync_now": ("manager", {}),
    "story_refresh": ("manager", {}),
    "person_refresh": ("manager", {}),
    "view_edit": ("owner", {"name": "Renamed"}),
    "view_delete": ("owner", {}),
    "app_connection": ("owner", CONNECTION),
    "app_groups": ("owner", {"names": "Managers\nTrainers"}),
    "app_scope": ("owner", {"breadth": "groups"}),
    "app_people": ("owner", {"login": "somebody", "role": "owner"}),
    "app_take_away": ("owner", {}),
    "app_privacy": ("owner", {"telephones": "off"}),
    "accept_run": ("owner", {}),
    "erasure_lift": ("owner", {}),
    "person_erase": ("owner", {}),
    "app_add": ("superuser", CONNECTION | {"slug": "new", "token": world.TOKEN}),
    "account_add": ("superuser", {"username": "new", "email": "new@example.com"}),
    "account": ("superuser", {"username": "somebody", "email": "other@example.com"}),
    "account_deactivate": ("superuser", {}),
    "account_reactivate": ("superuser", {}),
    "account_link": ("superuser", {}),
    "team_add": ("superuser", {"name": "New"}),
    "team": ("superuser", {"name": "Renamed", "members": "viewer"}),
    "team_delete": ("superuser", {}),
}  # fmt: skip
# What else answers a POST: nobody's role is asked, or nothing is stored.
ELSEWHERE = {
    "account_login": "the password says who may: test_login, attempts",
    "account_logout": "everybody may, and ends their own session: test_sessions",
    "set_password": "the link says who may: accounts/test_invitations",
    "password_forgotten": "everybody may, where mail goes out: accounts/test_mailed_links",
    "app_test": "stores nothing; who may have the vendor asked is tried below",
    "app_erasures": "looks up and stores nothing; that others hear nothing of it is tried below",
}
MAY_NOT = [(name, who) for name, (lowest, _) in FORMS.items() for who in WHO[: WHO.index(lowest)]]


@pytest.fixture
def ready(cast, addresses):
    """Everything that the forms are about is there: a held run, a closed account."""
    run = SyncRun.objects.get(app=cast.demo)
    SyncRun.objects.filter(pk=run.pk).update(status="held")
    Certificate.objects.filter(app=cast.demo).update(missing_in=run, telephone="55 11")
    cast.closed = world.make_user("closed")
    User.objects.filter(pk=cast.closed.pk).update(is_active=False)
    return addresses | {"account_reactivate": f"/accounts/people/{cast.closed.pk}/reactivate/"}


def everything():
    """Every row of every table, what is written down too, but the sessions."""
    return signature({"django_session"})


def test_every_form_is_tried():
    posts = {name for name, statuses in POST.items() if set(statuses[1:]) - {404, 403, 405}}
    assert posts | {"set_password", "password_forgotten"} == {*FORMS, *ELSEWHERE}


@pytest.mark.parametrize("name", FORMS)
def test_the_lowest_role_that_may_changes_something(name, cast, ready):
    who, form = FORMS[name]
    client, before = logged_in(cast, who), everything()
    response = client.post(ready[name], form)
    assert response.status_code in (200, 302)
    assert everything() != before


@pytest.mark.parametrize("who", WHO[:-1])
def test_whoever_stands_below_changes_nothing_by_the_same(who, cast, ready):
    client, before = logged_in(cast, who), everything()
    for name in [name for name, one in MAY_NOT if one == who]:
        response = client.post(ready[name], FORMS[name][1])
        assert response.status_code in (302, 403, 404), name
        assert not response.get("Location", "").startswith("/apps/"), name
        assert everything() == before, name


@pytest.mark.parametrize("name", ["view_edit", "account_deactivate"])
def test_not_even_a_superuser_does_what_is_one_persons_own(name, cast, ready):
    """A view belongs to who saved it, and nobody shuts themselves out."""
    address = ready[name] if name == "view_edit" else f"/accounts/people/{cast.superuser.pk}/deactivate/"
    client, before = logged_in(cast, "superuser"), everything()
    client.post(address, FORMS[name][1])
    assert everything() == before


@pytest.mark.parametrize("who", WHO)
def test_only_owners_have_the_vendor_asked(who, cast, ready, monkeypatch):
    asked = []
    monkeypatch.setattr("certdash.views.apps.test_connection", asked.append)
    tried = CONNECTION | {"token": world.TOKEN}
    del tried["untested"]
    client = logged_in(cast, who)
    client.post(ready["app_test"])
    client.post(ready["app_connection"], tried)
    assert len(asked) == (2 if who in ("owner", "superuser") else 0)


@pytest.mark.parametrize("who", WHO)
def test_only_owners_hear_whether_somebody_was_erased(who, cast, ready):
    response = logged_in(cast, who).post(ready["app_erasures"], {"email": "ana@example.com"})
    assert (response.status_code == 200) == (who in ("owner", "superuser"))


@pytest.mark.parametrize("name", ["app_take_away", "accept_run", "erasure_lift", "team", "account"])
def test_a_form_without_any_log_in_leads_to_it_and_does_nothing_after(name, cast, ready):
    """Who logs in on the way is led to the page, and does not send the form unasked."""
    before = everything()
    client = Client()
    response = client.post(ready[name], FORMS[name][1])
    client.force_login(cast.superuser)
    client.get(response["Location"], follow=True)
    stamps_aside = signature({"django_session", "certdash_auditentry"})
    assert {table: rows for table, rows in before.items() if table in stamps_aside} == stamps_aside
