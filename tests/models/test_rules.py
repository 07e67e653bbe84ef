"""Rules that the database itself holds, whoever writes."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from certdash.models import App, Certificate, Change, Grant, Group, Learner, Membership, Story, SyncRun, User
from certdash.models.text import fold, sort_bytes
from tests.sync.vendor import new_app

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture
def app() -> App:
    return new_app("http://127.0.0.1")


@pytest.fixture
def certificate(app: App) -> Certificate:
    story = Story(app=app, first_seen_at=NOW)
    story.rename("Story A")
    story.save()
    learner = Learner.objects.create(app=app, identity="1", search="", sort_name=b"")
    return Certificate.objects.create(
        app=app, story=story, learner=learner, state="pending", timestamp=NOW, sort_name=b"",
        first_seen_at=NOW, changed_at=NOW, initial=True,
    )  # fmt: skip


@pytest.fixture
def group(app: App) -> Group:
    return Group.objects.create(app=app, name="Sales", slug="sales")


def refused(write, *args, **fields):
    with pytest.raises(IntegrityError), transaction.atomic():
        write(*args, **fields)


def test_a_running_run_has_no_end_and_an_ended_one_has(app):
    run = {"app": app, "requested_at": NOW, "lease_until": NOW}
    refused(SyncRun.objects.create, **run, finished_at=NOW)
    refused(SyncRun.objects.create, **run, status="success")


def test_a_state_is_a_documented_one_or_other_with_the_vendors_word(certificate):
    change = Certificate.objects.filter(pk=certificate.pk).update
    refused(change, state="revoked")
    refused(change, state="other")
    refused(change, state_sent="revoked")
    assert change(state="other", state_sent="revoked") == 1


def test_a_change_is_about_a_certificate_unless_a_story_was_renamed(certificate):
    change = {"app": certificate.app, "story": certificate.story, "seen_at": NOW}
    refused(Change.objects.create, **change, kind="delivered")
    refused(Change.objects.create, **change, kind="renamed", certificate=certificate)
    Change.objects.create(**change, kind="renamed")


def test_a_learner_is_in_a_group_once_at_a_time_and_not_before_they_joined(certificate, group):
    who = {"group": group, "learner": certificate.learner}
    Membership.objects.create(**who, since=NOW, until=NOW)
    Membership.objects.create(**who, since=NOW)
    refused(Membership.objects.create, **who, since=NOW)
    refused(Membership.objects.create, **who, since=NOW, until=NOW - timedelta(seconds=1))


def test_stories_learners_groups_and_grants_are_unique_within_an_app(certificate, group):
    app = certificate.app
    refused(Learner.objects.create, app=app, identity="1", search="", sort_name=b"")
    refused(Group.objects.create, app=app, name="Sales", slug="other")
    twin = Story(app=app, first_seen_at=NOW)
    twin.rename("Story A")
    refused(twin.save)
    other = new_app("http://127.0.0.1", "other")
    Group.objects.create(app=other, name="Sales", slug="sales")
    user = User.objects.create_user("olivia")
    Grant.objects.create(app=app, user=user, role="viewer")
    refused(Grant.objects.create, app=app, user=user, role="owner")
    refused(Grant.objects.create, app=other, user=user, role="boss")


def test_an_interval_is_a_minute_to_a_week(app):
    for minutes in (0, 7 * 24 * 60 + 1):
        refused(App.objects.update, refresh_minutes=minutes)


def test_an_email_of_an_account_is_one_persons_in_any_case():
    User.objects.create_user("olivia", "olivia@mail.example")
    refused(User.objects.create_user, "other", "OLIVIA@mail.example")
    User.objects.create_user("one")
    User.objects.create_user("two")  # nobody's address may be shared


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("  Zoë\tÅngström\n", "zoe angstrom"),
        ("ŁÓDŹ Straße", "lodz strasse"),
        ("Nguyễn Thị Ánh", "nguyen thi anh"),
        ("Æsop Øst", "aesop ost"),
        ("山田 太郎", "山田 太郎"),
        ("\u200b", "\u200b"),
        ("", ""),
    ],
)
def test_text_is_searched_without_case_accents_and_extra_space(text, folded):
    assert fold(text) == folded
    assert fold(folded) == folded


def test_a_sort_key_is_bounded_and_the_same_for_every_database():
    assert sort_bytes("Ada", "Lee") == b"ada lee" == sort_bytes(" ADA", "lee ")
    assert len(sort_bytes("你" * 1000)) <= 160
