import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.test import Client

from certdash.models import App, Role, Secret, SyncRun
from tests import world
from tests.sync.vendor import Vendor, new_app, people, story

pytestmark = pytest.mark.django_db
OLD, NEW, UNKNOWN = (Fernet.generate_key().decode() for _ in range(3))


@pytest.fixture
def sealed(settings):
    """Seals a text under one of the keys."""

    def seal(key, plain="key:secret"):
        settings.CREDENTIAL_KEYS = [key]
        return Secret.seal(plain)

    return seal


def tokens():
    return {app.slug: (app.token.key_number, app.token.reveal()) for app in App.objects.all()}


def test_every_token_is_encrypted_with_the_first_key_and_the_others_can_go(run, settings, sealed):
    world.make_app("one", token=sealed(OLD, "a"))
    world.make_app("two", token=sealed(NEW, "b"))
    settings.CREDENTIAL_KEYS = [NEW, OLD]
    out = run("rotate_credentials")
    assert out.splitlines() == [
        "One (one): encrypted anew.",
        "Every token is encrypted with the first key. The second key can be removed from CERTDASH_CREDENTIAL_KEYS.",
    ]
    settings.CREDENTIAL_KEYS = [NEW]
    assert tokens() == {"one": (0, "a"), "two": (0, "b")}


def test_a_second_time_writes_nothing(run, settings, sealed):
    world.make_app("one", token=sealed(OLD))
    settings.CREDENTIAL_KEYS = [NEW, OLD, UNKNOWN]
    call_command("rotate_credentials")
    before = App.objects.get().token.sealed
    assert "The keys after the first (2) can be removed" in run("rotate_credentials")
    assert App.objects.get().token.sealed == before


def test_an_app_that_no_key_opens_is_named_and_the_others_are_rotated(refused, settings, sealed):
    lost = sealed(UNKNOWN)
    world.make_app("lost", token=lost)
    world.make_app("one", token=sealed(OLD))
    settings.CREDENTIAL_KEYS = [NEW, OLD]
    sentence = refused("rotate_credentials")
    assert "the token of lost, which stays as it is" in sentence
    assert "Remove no key yet" in sentence
    assert App.objects.get(slug="one").token.key_number == 0
    assert App.objects.get(slug="lost").token.sealed == lost.sealed


@pytest.mark.parametrize("where", [0, 12, 40, -3])
def test_a_token_that_was_tampered_with_is_refused_on_that_app_alone(where, httpserver, settings):
    vendor = Vendor(httpserver, new_app(httpserver.url_for("")))
    other = new_app(httpserver.url_for(""), "other")
    sealed = list(other.token.sealed)
    sealed[where] = "A" if sealed[where] != "A" else "B"
    App.objects.filter(pk=other.pk).update(token=Secret("".join(sealed)))
    assert vendor.sync(story(*people(1))).created == 1
    vendor.app = App.objects.get(slug="other")
    run = vendor.again()
    assert (run.status, len(vendor.asked)) == (SyncRun.Status.FAILED, 1)
    assert "enter the token again" in run.message


def test_pages_and_the_connection_test_say_what_to_do_about_a_wrong_key(httpserver, settings):
    app = new_app(httpserver.url_for(""))
    settings.CREDENTIAL_KEYS = [NEW]
    client = Client()
    client.force_login(world.make_user("olivia", app, Role.OWNER))
    for path in ("/", "/apps/", "/apps/demo/", "/apps/demo/connection/"):
        assert client.get(path).status_code == 200
    told = client.post("/apps/demo/test/", follow=True).content.decode()
    assert "Restore the former key, or enter the token again." in told
