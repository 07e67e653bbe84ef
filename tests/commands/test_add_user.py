import pytest
from django.core.management import CommandError, call_command

from certdash.models import App, AuditEntry, Grant, Secret, User

pytestmark = pytest.mark.django_db

PASSWORD = "a long enough one"
ARGUMENTS = ("add_user", "olivia", "--email", "olivia@mail.example")


@pytest.fixture(autouse=True)
def _app() -> None:
    App.objects.create(slug="demo", name="Demo", base_url="http://127.0.0.1", token=Secret.seal("a:b"))


def test_a_person_is_added_with_a_password_and_roles(run):
    assert run(*ARGUMENTS, "--grant", "demo:owner", stdin=f"{PASSWORD}\n") == "olivia was added.\n"
    user = User.objects.get()
    assert user.check_password(PASSWORD)
    assert (user.email, user.is_superuser) == ("olivia@mail.example", False)
    assert Grant.objects.get(user=user).role == "owner"


def test_what_the_command_gives_is_written_down(run):
    run(*ARGUMENTS, "--grant", "demo:owner", stdin=PASSWORD)
    given, added = AuditEntry.objects.all()
    assert (added.kind, added.details) == ("person", {"change": "added", "account": "olivia", "by": "command"})
    assert (given.kind, given.app) == ("access_given", App.objects.get())
    assert given.details == {"role": "owner", "account": "olivia", "by": "command"}
    assert given.person is None


def test_an_update_keeps_the_password_and_changes_what_is_given(run):
    run(*ARGUMENTS, "--grant", "demo:viewer", stdin=PASSWORD)
    assert run("add_user", "Olivia", "--email", "o@mail.example", "--grant", "demo:manager") == "olivia was updated.\n"
    user = User.objects.get()
    assert (user.email, user.check_password(PASSWORD)) == ("o@mail.example", True)
    assert Grant.objects.get().role == "manager"


def test_a_password_may_be_changed_and_keeps_its_spaces(run):
    run(*ARGUMENTS, stdin=PASSWORD)
    run(*ARGUMENTS, stdin=" another long one \r\n")
    assert User.objects.get().check_password(" another long one ")


def test_a_new_person_needs_a_password(refused):
    assert "password" in refused(*ARGUMENTS)
    assert not User.objects.exists()


@pytest.mark.parametrize("password", ["short", "12345678901", "password", "olivia12"])
def test_a_weak_password_is_refused(password, refused):
    refused(*ARGUMENTS, stdin=password)
    assert not User.objects.exists()


@pytest.mark.parametrize("grant", ["demo", "demo:", "demo:boss", "nothing:owner", ":owner", "demo:OWNER"])
def test_a_grant_that_means_nothing_is_refused_before_anything_is_saved(grant, refused):
    assert grant in refused(*ARGUMENTS, "--grant", "demo:viewer", "--grant", grant, stdin=PASSWORD)
    assert not User.objects.exists()


def test_an_address_or_name_that_cannot_be_is_refused_and_named(run, refused):
    assert "email: " in refused("add_user", "olivia", "--email", "nowhere", stdin=PASSWORD)
    assert "username: " in refused("add_user", "o l", "--email", "o@mail.example", stdin=PASSWORD)
    run(*ARGUMENTS, stdin=PASSWORD)
    assert "Somebody else has this e-mail" in refused(
        "add_user", "other", "--email", "OLIVIA@mail.example", stdin=PASSWORD
    )
    assert User.objects.count() == 1


def test_a_superuser_of_anothers_name_in_another_case_is_refused_in_a_sentence(run, monkeypatch):
    run(*ARGUMENTS, stdin=PASSWORD)
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    with pytest.raises(CommandError, match="That username is already taken"):
        call_command("createsuperuser", "--noinput", "--username", "OLIVIA", "--email", "another@mail.example")
    assert User.objects.count() == 1
