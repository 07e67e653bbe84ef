import io
import sys

import pytest
from django.core.management import CommandError, call_command

from certdash.models import App
from certdash.sync.telephones import forget_telephones

pytestmark = pytest.mark.django_db

PLAIN = "a2V5LWNhbmFyeTpzZWNyZXQtY2FuYXJ5"
URL = "http://127.0.0.1:9"
ARGUMENTS = ("add_app", "demo", "--name", "Demo", "--base-url", URL)


def test_an_app_is_added_with_its_token_and_groups(run):
    out = run(*ARGUMENTS, "--app-id", "io.falkor.demo", "--group", "Sales", "--group", " R&D ", stdin=f"{PLAIN}\n")
    assert out == "Demo (demo) was added.\n"
    app = App.objects.get()
    assert (app.slug, app.name, app.base_url, app.app_id) == ("demo", "Demo", URL, "io.falkor.demo")
    assert app.token.reveal() == PLAIN
    assert set(app.groups.values_list("name", flat=True)) == {"Sales", "R&D"}


@pytest.mark.parametrize("pasted", [f"Basic {PLAIN}", "key-canary:secret-canary", f"  {PLAIN}\r\n"])
def test_every_form_of_the_token_is_kept_as_one(pasted, run):
    run(*ARGUMENTS, stdin=pasted)
    assert App.objects.get().token.reveal() == PLAIN


def test_an_update_keeps_what_is_not_given(run):
    run(*ARGUMENTS, "--app-id", "io.falkor.demo", "--group", "Sales", stdin=PLAIN)
    out = run("add_app", "demo", "--name", "New name", "--base-url", f"{URL}/", "--group", "Board")
    assert out == "New name (demo) was updated.\n"
    app = App.objects.get()
    assert (app.name, app.app_id, app.token.reveal()) == ("New name", "io.falkor.demo", PLAIN)
    assert set(app.groups.values_list("name", flat=True)) == {"Sales", "Board"}


def test_an_update_undoes_nothing_that_happens_while_it_waits_for_the_token(run, monkeypatch):
    run(*ARGUMENTS, stdin=PLAIN)

    class Slow(io.StringIO):
        def read(self, *_):
            forget_telephones(App.objects.get())
            App.objects.update(breadth="stories", listed_stories=["A"])
            return ""

    monkeypatch.setattr(sys, "stdin", Slow())
    call_command("add_app", "demo", "--name", "New name", "--base-url", URL)
    app = App.objects.get()
    assert (app.name, app.stores_telephones, app.breadth, app.listed_stories) == ("New name", False, "stories", ["A"])


def test_an_update_can_take_the_app_id_away(run):
    run(*ARGUMENTS, "--app-id", "io.falkor.demo", stdin=PLAIN)
    run(*ARGUMENTS, "--app-id", "")
    assert App.objects.get().app_id == ""


def scope_of(slug="demo"):
    app = App.objects.get(slug=slug)
    return app.breadth, app.listed_stories


def test_an_app_can_synchronise_only_some_stories_or_its_groups(run):
    run(*ARGUMENTS, "--only-story", "EV72-RQZY-80AH", "--only-story", "Fire safety", stdin=PLAIN)
    assert scope_of() == ("stories", ["EV72-RQZY-80AH", "Fire safety"])
    run(*ARGUMENTS)
    assert scope_of() == ("stories", ["EV72-RQZY-80AH", "Fire safety"])
    run(*ARGUMENTS, "--only-groups", "--group", "Sales")
    assert scope_of() == ("groups", ["EV72-RQZY-80AH", "Fire safety"])
    run(*ARGUMENTS, "--everything")
    assert scope_of()[0] == "everything"


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--only-groups"], "No group is tracked yet"),
        (["--only-story", " "], "Nothing is listed"),
        (["--only-story", "x" * 501], "at most 500 characters"),
    ],
)
def test_a_scope_that_makes_no_sense_is_refused_and_nothing_saved(options, word, refused):
    message = refused(*ARGUMENTS, *options, stdin=PLAIN)
    assert message.startswith("Nothing was saved: ")
    assert word in message
    assert not App.objects.exists()


def test_a_new_token_replaces_the_old_one(run):
    run(*ARGUMENTS, stdin=PLAIN)
    run(*ARGUMENTS, stdin="key:another-secret")
    assert App.objects.get().token.reveal() != PLAIN


def test_another_url_needs_the_token_again(run, refused):
    run(*ARGUMENTS, stdin=PLAIN)
    moved = ("add_app", "demo", "--name", "Demo", "--base-url", "http://127.0.0.1:10")
    assert "token" in refused(*moved)
    assert App.objects.get().base_url == URL
    run(*moved, stdin=PLAIN)
    assert App.objects.get().base_url == "http://127.0.0.1:10"


def test_a_new_app_needs_a_token(refused):
    assert "needs the token" in refused(*ARGUMENTS)
    assert not App.objects.exists()


@pytest.mark.parametrize("token", ["not base64!", ":", "key:secret\nkey2:secret2", "\x00"])
def test_a_token_that_is_none_is_refused_without_quoting_it(token, refused):
    sentence = refused(*ARGUMENTS, stdin=token)
    assert "token" in sentence
    assert "secret" not in sentence.replace("key:secret", "")
    assert not App.objects.exists()


def test_a_token_file_of_another_encoding_is_refused(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(PLAIN.encode("utf-16")), "utf-8"))
    with pytest.raises(CommandError, match="not UTF-8"):
        call_command(*ARGUMENTS)


@pytest.mark.parametrize(
    "url", ["", "ftp://vendor.example", "vendor.example", "https://user:pass@vendor.example", "http://", "https://a b"]
)
def test_a_bad_base_url_is_refused(url, refused):
    assert refused("add_app", "demo", "--name", "Demo", "--base-url", url, stdin=PLAIN)
    assert not App.objects.exists()


def test_a_private_address_is_refused_where_none_is_allowed(refused, settings):
    settings.ALLOW_PRIVATE_UPSTREAMS = False
    refused("add_app", "demo", "--name", "Demo", "--base-url", "https://127.0.0.1", stdin=PLAIN)
    refused("add_app", "demo", "--name", "Demo", "--base-url", URL, stdin=PLAIN)
    assert not App.objects.exists()


@pytest.mark.parametrize("slug", ["De mo", "démo", "a/b", "x" * 51, "", "add"])
def test_a_bad_slug_is_refused_and_named(slug, refused):
    assert "slug: " in refused("add_app", slug, "--name", "Demo", "--base-url", URL, stdin=PLAIN)
    assert not App.objects.exists()


def test_a_bad_name_is_refused_and_named(refused):
    assert "name: " in refused("add_app", "demo", "--name", "", "--base-url", URL, stdin=PLAIN)
    assert "name: " in refused("add_app", "demo", "--name", "x" * 201, "--base-url", URL, stdin=PLAIN)


@pytest.mark.parametrize("name", ["", "  ", "x" * 201])
def test_a_bad_group_is_refused_before_anything_is_saved(name, refused):
    assert "group" in refused(*ARGUMENTS, "--group", "Sales", "--group", name, stdin=PLAIN)
    assert not App.objects.exists()
