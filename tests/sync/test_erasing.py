"""What is blanked in reports of an erased learner, and whom an erasure no longer finds."""

import json
from typing import Any

import pytest
from django.utils import timezone
from werkzeug import Response

from certdash.falkor.client import MESSAGE_LENGTH
from certdash.models import Learner, SyncRun
from certdash.sync.asking import Scope
from certdash.sync.erasing import erase, traces_of
from certdash.sync.telephones import forget_telephones
from tests.falkor.vendors import row
from tests.sync.vendor import Vendor, live, people, story

EMAIL = "erika@mustermann.example"


def erika(**changes: Any) -> dict[str, Any]:
    return row(**{"firstname": "Erika", "lastname": "Müstermann", "email": EMAIL} | changes)


def refused(vendor: Vendor, message: str, *users: str) -> SyncRun:
    vendor.body = Response(json.dumps({"status": "error", "message": message}), status=400)
    return vendor.again(scope=Scope(users=users))


@pytest.mark.parametrize(
    "spelled", ["Müstermann, Erika", "MUSTERMANN ERIKA", "e. müstermann", "Erika", f"<{EMAIL}>", "Mu\u0308stermann"]
)
def test_a_report_is_blanked_however_it_spells_the_name(spelled: str, vendor: Vendor) -> None:
    vendor.sync(story(erika(), *people(2)))
    run = refused(vendor, f"There is no {spelled} here.", spelled)
    assert spelled in f"{run.message} {run.vendor_message} {run.users}"
    learner = Learner.objects.get(email=EMAIL)
    assert traces_of(learner).runs == 1
    erase(learner, None, timezone.now())
    run.refresh_from_db()
    assert spelled not in f"{run.message} {run.vendor_message} {run.users}"


@pytest.mark.parametrize(
    "said",
    [
        "Nobody is called Bo here.",
        "Nobody is called Ng here.",
        "Ask for bo.ng later.",
        "No such user: BO.NG@corp.exam",
    ],
)
def test_a_report_is_blanked_however_short_the_name(said: str, vendor: Vendor) -> None:
    vendor.sync(story(erika(firstname="Bo", lastname="Ng", email="bo.ng@corp.example"), *people(2)))
    run = refused(vendor, said)
    erase(Learner.objects.get(email="bo.ng@corp.example"), None, timezone.now())
    run.refresh_from_db()
    assert run.vendor_message == "What stood here quoted a learner who was erased."


@pytest.mark.parametrize("address", ["bo.ng@corp.example", "<bo.ng@corp.example>"])
@pytest.mark.parametrize("left", [2, 4, 6, 12])
def test_a_report_is_blanked_wherever_in_the_name_it_was_cut(left: int, address: str, vendor: Vendor) -> None:
    vendor.sync(story(erika(firstname="Bo", lastname="Ng", email="bo.ng@corp.example"), *people(2)))
    begins = "No such user: ".rjust(MESSAGE_LENGTH - left, "x")
    run = refused(vendor, f"{begins}{address}, and more")
    assert run.vendor_message == f"{begins}{address[:left]}"
    erase(Learner.objects.get(email="bo.ng@corp.example"), None, timezone.now())
    run.refresh_from_db()
    assert run.vendor_message == "What stood here quoted a learner who was erased."


@pytest.mark.parametrize("said", ["x" * 994 + " about", "Bored of bong.", "Write to others@corp.example."])
def test_a_report_of_other_words_stays_as_it_is(said: str, vendor: Vendor) -> None:
    vendor.sync(story(erika(firstname="Bo", lastname="Ng", email="bo.ng@corp.example"), *people(2)))
    run = refused(vendor, said)
    erase(Learner.objects.get(email="bo.ng@corp.example"), None, timezone.now())
    run.refresh_from_db()
    assert run.vendor_message == said


def test_a_report_about_somebody_else_stays(vendor: Vendor) -> None:
    vendor.sync(story(erika(lastname="Ito"), *people(2)))
    run = refused(vendor, "There is no Mitomoto here.", "Mitomoto")
    erase(Learner.objects.get(email=EMAIL), None, timezone.now())
    run.refresh_from_db()
    assert ("Mitomoto" in run.vendor_message, run.users) == (True, ["Mitomoto"])


def test_who_became_one_with_another_learner_meanwhile_is_not_erased_by_halves(vendor: Vendor) -> None:
    certificates = {"url": "https://c.example/1"}, {"url": "https://c.example/2"}
    rows = (erika(email="", telephone=str(number), certificate=one) for number, one in enumerate(certificates))
    vendor.sync(story(*rows))
    second = Learner.objects.order_by("pk").select_related("app").last()
    assert second
    forget_telephones(vendor.app)
    with pytest.raises(Learner.DoesNotExist):
        erase(second, None, timezone.now())
    assert (Learner.objects.count(), vendor.app.erasures.count()) == (1, 0)
    assert live(vendor.app) == {"Müstermann"}
