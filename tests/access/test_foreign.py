"""What is not theirs does not exist: no page, file, form or filter tells of another app."""

import re
from urllib.parse import quote

import pytest
from django.test import Client

from certdash.models import Certificate, Erasure, Grant, Learner, SavedView, SyncRun, User
from certdash.models.story import Story
from tests import world
from tests.access.asking import all_of, logged_in, text_of
from tests.access.expected import POST

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


@pytest.mark.parametrize("name", LISTS)
def test_somebody_without_any_app_sees_none(name, cast, addresses):
    client = Client()
    client.force_login(world.make_user("newcomer"))
    for query in ("", "?_export=csv"):
        text = text_of(client.get(addresses[name] + query)).lower()
        assert not any(word in text for word in (world.FOREIGN, "demo academy", "ana@example.com", "fire safety"))


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
