import json

import pytest
from django.core.management import call_command
from django.utils import timezone

from certdash.models import AuditEntry, Certificate, Erasure, Learner
from certdash.sync.erasing import erase
from tests.sync.vendor import live, people, story

pytestmark = pytest.mark.django_db


@pytest.fixture
def exported(vendor, run, tmp_path):
    """The file of an erasure of Ann 002, whose app was then restored from before it."""
    vendor.sync(story(*people(3)))
    erase(Learner.objects.get(email="ann002@mail.example"), None, timezone.now())
    file = tmp_path / "erasures"
    assert run("erasures", "--export", str(file)) == "1 erasures were written.\n"
    Erasure.objects.all().delete()
    vendor.again()
    assert len(live(vendor.app)) == 3
    return file


def test_the_file_tells_nobodys_name_and_is_for_its_owner_alone(exported):
    text = exported.read_text()
    assert "ann" not in text.lower()
    assert [set(json.loads(line)) for line in text.splitlines()] == [{"key"}, {"app", "digest", "at"}]
    assert exported.stat().st_mode & 0o077 == 0


def test_erasures_are_repeated_after_a_restore_and_keep(exported, run, vendor):
    assert run("erasures", "--replay", str(exported)) == "Demo (demo): 1 erasures, 1 learners erased again.\n"
    assert live(vendor.app) == {"001", "003"}
    assert AuditEntry.objects.get(kind="erased").details == {"learners": 1, "by": "command"}
    assert vendor.again().left_out == 1
    assert run("erasures", "--replay", str(exported)) == "Demo (demo): 1 erasures, 0 learners erased again.\n"
    assert Erasure.objects.count() == 1


def test_another_key_is_refused_before_anything_is_changed(exported, refused, settings):
    settings.ERASURE_KEY = "another"
    assert "another CERTDASH_ERASURE_KEY" in refused("erasures", "--replay", str(exported))
    assert (Erasure.objects.count(), Certificate.objects.count()) == (0, 3)


def test_an_app_that_is_not_there_is_named(exported, refused, vendor):
    call_command("erasures", "--export", str(exported))
    assert len(exported.read_text().splitlines()) == 1
    erase(Learner.objects.get(email="ann001@mail.example"), None, timezone.now())
    call_command("erasures", "--export", str(exported))
    vendor.app.delete()
    assert "There is no app demo" in refused("erasures", "--replay", str(exported))


@pytest.mark.parametrize("text", ["", "{}", "[1]", "x", '{"key": "k"}\n{"app": "demo"}'])
def test_a_file_that_is_none_of_ours_is_refused(text, refused, tmp_path):
    file = tmp_path / "file"
    file.write_text(text)
    assert "was not written by" in refused("erasures", "--replay", str(file))


def test_a_file_that_is_not_there_is_named(refused, tmp_path):
    assert "No such file" in refused("erasures", "--replay", str(tmp_path / "none"))
