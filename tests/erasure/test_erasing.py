"""An erased learner is gone from all that is stored, and stays out of whatever comes."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from werkzeug import Response

from certdash.models import AuditEntry, AuditKind, Certificate, Change, Erasure, Learner, Membership, SyncRun
from certdash.sync.asking import ERASED, Scope
from certdash.sync.erasing import erase
from certdash.sync.run import open_run
from certdash.tasks import huey
from tests.erasure.canary import EMAIL, SECRETS, canary, hits_in_tables, the_canary
from tests.falkor.vendors import success
from tests.prove.hunt import Hunt
from tests.reading import text_of
from tests.sync.vendor import live, new_app, people, story

Status = SyncRun.Status


def hits_in_files(*files):
    hunt = Hunt(**SECRETS)
    for path in files:
        hunt.search(path.name, path.read_bytes())
    return hunt.found


def written_beside():
    """What certdash writes beside its database: cache, spooled answers, the queue."""
    folders = (Path(settings.CACHES["default"]["LOCATION"]), settings.SPOOL_DIR)
    return [
        *(path for folder in folders for path in folder.rglob("*") if path.is_file()),
        *Path(huey.storage.filename).parent.glob(f"{Path(huey.storage.filename).name}*"),
    ]


def database_files():
    name = Path(connection.settings_dict["NAME"])
    return list(name.parent.glob(f"{name.name}*"))


def live_a_whole_life(vendor):
    """Every kind of run tells of the canary, each in its own way."""
    others = people(30)
    vendor.groups["Sales"] = success(story(canary(), *others[:3]))
    elements = story(canary("pending"), *others), story(canary(number=2), name="Story B", vendor_id="ID-B")
    vendor.sync(*elements)
    vendor.sync(story(canary(lastname="Zwitscherfrau"), *others), elements[1])
    vendor.sync(story(canary(number=3), others[0]), scope=Scope(users=(f" {EMAIL.upper()}",)))
    vendor.body = Response(f'{{"status": "error", "message": "No such user: Canarella, {EMAIL}"}}', status=400)
    vendor.again(scope=Scope(users=("Canarella Zwitscherfrau",)))
    vendor.sync(story(canary(certificate={"timestamp": "Zwitscher"}), *others), elements[1])
    assert vendor.sync(story(*others[:1])).status == Status.HELD
    assert SyncRun.objects.exclude(vendor_message="").exists()
    assert Certificate.objects.exclude(missing_in=None).filter(email=EMAIL).exists()


def visit(client, learner):
    for path in (
        "/",
        "/certificates/?q=zwitscher",
        "/people/?q=canarella",
        f"/people/{learner.pk}/",
        "/apps/demo/runs/",
    ):
        assert client.get(path).status_code == 200
    for run in SyncRun.objects.all():
        assert client.get(f"/apps/demo/runs/{run.pk}/").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_nothing_of_an_erased_learner_is_left_or_comes_back_and_a_lift_brings_them_back(vendor, owner):
    live_a_whole_life(vendor)
    learner = the_canary()
    visit(owner, learner)
    told = {"certdash_certificate", "certdash_learner", "certdash_change", "certdash_syncrun"}
    assert told <= hits_in_tables()
    response = owner.post(f"/people/{learner.pk}/erase/", follow=True)
    assert "The learner is erased" in response.content.decode()
    assert hits_in_tables() == set()

    elements = story(canary(), canary(number=9), *people(30)), story(canary(number=2), name="Story B", vendor_id="ID-B")
    vendor.sync(*elements)
    vendor.groups["Sales"] = success(story(canary(number=7), *people(4)))
    assert vendor.again().joined == 1
    narrow = vendor.sync(story(canary(number=3)), scope=Scope(users=(f" {EMAIL.upper()}", "ann001@mail.example")))
    assert (narrow.created, narrow.left_out, narrow.users) == (0, 1, [ERASED, "ann001@mail.example"])
    assert vendor.asked[-1]["users"] == ["ann001@mail.example"]
    vendor.sync(*elements)
    visit_again = owner.get("/certificates/?q=zwitscher").content.decode()
    assert "Zwitschersson" not in visit_again
    assert hits_in_tables() == set()
    call_command("vacuum")
    assert hits_in_files(*written_beside(), *(database_files() if connection.vendor == "sqlite" else [])) == []

    erasure = Erasure.objects.get()
    found = owner.post("/apps/demo/erasures/", {"email": f" {EMAIL.title()} "})
    assert f"/apps/demo/erasures/{erasure.pk}/lift/" in found.content.decode()
    owner.post(f"/apps/demo/erasures/{erasure.pk}/lift/")
    back = vendor.again()
    assert (back.status, back.left_out) == (Status.SUCCESS, 0)
    assert Certificate.objects.filter(learner=the_canary()).live().count() == 3
    assert Membership.objects.filter(learner=the_canary(), until=None).count() == 1
    assert hits_in_tables() >= {"certdash_certificate", "certdash_learner"}


def test_an_erasure_is_written_down_without_whom(vendor, owner):
    vendor.sync(story(canary(), *people(2)))
    owner.post(f"/people/{the_canary().pk}/erase/")
    owner.post(f"/apps/demo/erasures/{Erasure.objects.get().pk}/lift/")
    kinds = (AuditKind.ERASED, AuditKind.ERASURE_LIFTED)
    noted = AuditEntry.objects.filter(kind__in=kinds).order_by("pk").values_list("kind", "person_name", "details")
    assert list(noted) == [("erased", "olivia", {"certificates": 1}), ("lifted", "olivia", {})]


def test_the_page_says_what_goes_and_get_removes_nothing(vendor, owner):
    live_a_whole_life(vendor)
    learner = the_canary()
    text = owner.get(f"/people/{learner.pk}/erase/").content.decode()
    changes = Change.objects.filter(certificate__learner=learner).count()
    assert changes > 2
    for told in (f"{learner.certificates.count()} certificates", f"{changes} changes", "1 membership", "2 reports"):
        assert re.search(rf"\b{told}\b", text), told
    assert Learner.objects.filter(pk=learner.pk).exists()


def test_a_run_from_before_says_that_its_lists_are_shorter_than_its_numbers(vendor, owner):
    vendor.sync(story(*people(30)))
    before = vendor.sync(story(canary(), *people(31)))
    page = f"/apps/{vendor.app.slug}/runs/{before.pk}/"
    assert "who was erased since" not in text_of(owner.get(page))
    erase(the_canary(), None, timezone.now())
    assert "Counted at the time of the run: who was erased since is on no list" in text_of(owner.get(page))
    after = vendor.again()
    assert "who was erased since" not in text_of(owner.get(f"/apps/{vendor.app.slug}/runs/{after.pk}/"))


def test_rows_of_erased_learners_are_neither_news_nor_missing_nor_set_aside(vendor):
    vendor.sync(story(canary(), *people(30)))
    erase(the_canary(), None, timezone.now())
    run = vendor.again()
    assert (run.status, run.received, run.left_out, run.rejected, run.missing) == (Status.UNCHANGED, 30, 1, 0, 0)
    assert run.message == "Nothing changed. Left out: 1 row of erased learners."
    assert vendor.again().left_out == 1  # also when nothing had to be decoded
    assert vendor.app.stories.get().digest
    assert vendor.sync(story(*people(30))).status == Status.UNCHANGED


def test_a_digest_with_an_erased_learner_in_it_is_cleared_and_caches_are_outdated(vendor):
    vendor.groups["Sales"] = success(story(canary(), *people(1)))
    vendor.sync(story(canary(), *people(2)), story(*people(2), name="Story B", vendor_id="ID-B"))
    vendor.app.refresh_from_db()
    version = vendor.app.version
    erase(the_canary(), None, timezone.now())
    vendor.app.refresh_from_db()
    assert vendor.app.version > version
    assert [bool(one.digest) for one in vendor.app.stories.order_by("pk")] == [False, True]
    assert vendor.app.groups.get().digest == ""
    vendor.again()
    assert vendor.app.groups.get().digest


@pytest.mark.parametrize(
    "other", [{"email": "canarella@zwitscher.example2"}, {"email": ""}, {"email": "", "city": "B"}]
)
def test_somebody_else_of_that_name_stays(other, vendor):
    vendor.sync(story(canary(), canary(number=2, **other), *people(2)))
    erase(Learner.objects.get(email=EMAIL), None, timezone.now())
    assert vendor.again().left_out == 1
    assert Certificate.objects.filter(lastname="Zwitschersson").count() == 1


def test_without_an_e_mail_address_a_telephone_tells_who_was_erased(vendor):
    one, other = ({"email": "", "telephone": number} for number in ("1", "2"))
    vendor.sync(story(canary(**one), canary(number=2, **other)))
    erase(Certificate.objects.get(telephone="1").learner, None, timezone.now())
    vendor.again()
    assert list(Certificate.objects.values_list("telephone", flat=True)) == ["2"]


def test_another_apps_learner_of_the_same_address_stays(vendor, httpserver):
    other = new_app(httpserver.url_for(""), "other")
    vendor.sync(story(canary()))
    vendor.app, first = other, vendor.app
    vendor.again()
    erase(Learner.objects.get(app=first), None, timezone.now())
    assert vendor.again().left_out == 0
    assert live(other) == {"Zwitschersson"}


def test_a_run_for_an_erased_learner_asks_nobody_and_says_why(vendor):
    vendor.sync(story(canary()))
    erase(the_canary(), None, timezone.now())
    asked = len(vendor.asked)
    run = vendor.again(scope=Scope(users=(EMAIL,)))
    assert (run.status, len(vendor.asked)) == (Status.FAILED, asked)
    assert "was erased from this app" in run.message
    assert hits_in_tables() == set()


def test_a_run_that_was_asked_for_before_the_erasure_keeps_nothing_of_it(vendor):
    vendor.sync(story(canary(), *people(3)))
    vendor.body = Response(f'{{"status": "error", "message": "Ask for {EMAIL} later"}}', status=400)
    vendor.meanwhile = lambda: None
    run, _ = open_run(vendor.app, Scope(users=(EMAIL,)))
    erase(the_canary(), None, timezone.now())
    run.refresh_from_db()
    assert (run.users, run.is_narrow) == ([ERASED], True)


def test_an_empty_erasure_list_says_so_and_a_text_without_an_at_is_refused(owner):
    assert "Nobody was erased from this app." in owner.get("/apps/demo/erasures/").content.decode()
    assert owner.post("/apps/demo/erasures/", {"email": "Canarella"}).status_code == 422
    assert "Nobody with this address" in owner.post("/apps/demo/erasures/", {"email": EMAIL}).content.decode()
