"""A token at rest: only its ciphertext is written, and nothing prints it."""

import pickle
import traceback
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.core import serializers
from django.db import connection

from certdash.models import App, CredentialUnreadable, Secret

PLAIN = "a2V5LWNhbmFyeTpzZWNyZXQtY2FuYXJ5"


@pytest.fixture
def app(db: None) -> App:
    App.objects.create(slug="demo", name="Demo", base_url="https://v.example", token=Secret.seal(PLAIN))
    return App.objects.get()


def test_what_is_sealed_is_revealed(app):
    assert app.token.reveal() == PLAIN


def test_the_column_holds_the_ciphertext_only(app):
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM certdash_app")
        (row,) = cursor.fetchall()
    assert PLAIN not in str(row)
    assert app.token.sealed in row


@pytest.mark.django_db(transaction=True)
def test_the_database_file_does_not_hold_the_token(settings):
    App.objects.create(slug="demo", name="Demo", base_url="https://v.example", token=Secret.seal(PLAIN))
    files = [*Path(settings.DATA_DIR).glob("tests.sqlite3*")]
    assert any(b"https://v.example" in file.read_bytes() for file in files) == (connection.vendor == "sqlite")
    assert not any(PLAIN.encode() in file.read_bytes() for file in files)


def test_nothing_prints_it(app):
    dumped = serializers.serialize("json", [app])
    for text in (repr(app.token), str(app.token), f"{app.token}", repr(app), repr(vars(app)), dumped):
        assert PLAIN not in text


def test_two_seals_of_one_token_differ():
    assert Secret.seal(PLAIN).sealed != Secret.seal(PLAIN).sealed


def test_another_key_opens_nothing_and_says_so_without_a_word_of_it(app, settings):
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(CredentialUnreadable) as caught:
        app.token.reveal()
    told = "".join(traceback.format_exception(caught.value))
    assert "CERTDASH_CREDENTIAL_KEYS" in told
    assert app.token.sealed not in told


def test_every_configured_key_opens_and_the_first_one_seals(app, settings):
    (old,) = settings.CREDENTIAL_KEYS
    new = Fernet.generate_key().decode()
    settings.CREDENTIAL_KEYS = [new, old]
    assert app.token.reveal() == PLAIN
    assert Fernet(new).decrypt(Secret.seal(PLAIN).sealed) == PLAIN.encode()


@pytest.mark.parametrize("sealed", ["", "rubbish", "gAAAAA", "ключ"])
def test_a_damaged_column_is_unreadable_and_no_crash(sealed):
    with pytest.raises(CredentialUnreadable):
        Secret(sealed).reveal()


def test_a_copy_of_the_data_carries_the_ciphertext(app):
    (copy,) = serializers.deserialize("json", serializers.serialize("json", [app]))
    assert copy.object.token.reveal() == PLAIN
    assert PLAIN.encode() not in pickle.dumps(app.token)
