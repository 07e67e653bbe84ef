"""What the environment gives, and that nonsense in it stops the start."""

import os
import runpy
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).parents[1]
Load = Callable[..., dict[str, Any]]

HTTPS = {"PUBLIC_URL": "https://certdash.example.com"}
POSTGRESQL = {"DATABASE_URL": "postgres://certdash:secret@db.example.com:5433/dashboard"}
KEYS = {
    "SECRET_KEY": "given",
    "CREDENTIAL_KEYS": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    "ERASURE_KEY": "given too",
}


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Load:
    """Runs the settings file under an environment of exactly these variables, named without `CERTDASH_`."""

    def load(**variables: str) -> dict[str, Any]:
        for name in [name for name in os.environ if name.startswith("CERTDASH_")]:
            monkeypatch.delenv(name)
        for name, value in ({"DATA_DIR": str(tmp_path / "data")} | variables).items():
            monkeypatch.setenv(f"CERTDASH_{name}", value)
        return runpy.run_path(str(ROOT / "certdash" / "settings.py"))

    return load


NONSENSE = [
    ("DATA_DIR", __file__),
    ("DATA_DIR", f"{__file__}/below"),
    ("DEBUG", "yes"),
    ("PUBLIC_URL", "certdash.example.com"),
    ("PUBLIC_URL", "ftp://certdash.example.com"),
    ("PUBLIC_URL", "https://"),
    ("PUBLIC_URL", "http://certdash.example.com:99999"),
    ("PUBLIC_URL", "http://[::1"),
    ("DATABASE_URL", "mysql://localhost/certdash"),
    ("DATABASE_URL", "certdash.sqlite3"),
    ("DATABASE_URL", "sqlite:///"),
    ("DATABASE_URL", "postgres://"),
    ("DATABASE_URL", "postgres://localhost:port/certdash"),
    ("CREDENTIAL_KEYS", "too short"),
    ("CREDENTIAL_KEYS", "schlüssel"),
    ("CREDENTIAL_KEYS", f"{KEYS['CREDENTIAL_KEYS']},"),
    ("UPSTREAM_DEADLINE", "0"),
    ("UPSTREAM_DEADLINE", "ten"),
    ("UPSTREAM_DEADLINE", "1.5"),
    ("UPSTREAM_MAX_MB", "-1"),
    ("UPSTREAM_MAX_MB", "²"),
    ("UPSTREAM_PROXY", "proxy.example.com:3128"),
    ("ALLOW_PRIVATE_UPSTREAMS", "true"),
    ("TRUSTED_PROXIES", "-1"),
    ("OIDC_ISSUER", "login.example.com"),
    ("OIDC_ISSUER", "http://login.example.com"),
    ("OIDC_ISSUER", "https://me:secret@login.example.com"),
    ("OIDC_ONLY", "yes"),
    ("TIME_ZONE", "Mars/Olympus"),
    ("TIME_ZONE", "../UTC"),
    ("EMAIL_URL", "mail.example.com"),
    ("EMAIL_URL", "https://mail.example.com"),
    ("EMAIL_URL", "consolemail://"),
    ("EMAIL_URL", "smtp://"),
    ("EMAIL_URL", "smtp://:secret@"),
    ("EMAIL_URL", "smtp://mail.example.com:port"),
    ("EMAIL_URL", "smtp://mail.example.com:99999"),
    ("EMAIL_URL", "smtp://mail.example.com:0"),
    ("EMAIL_URL", "smtp://mail.example.com/inbox"),
    ("EMAIL_URL", "smtp://me:sec/ret@mail.example.com"),
    ("EMAIL_URL", "smtp://mail.example.com?tls=1"),
    ("EMAIL_URL", "smtp://mail.example.com?from"),
    ("EMAIL_URL", "smtp://mail.example.com?from=nobody"),
    ("EMAIL_URL", "smtp://mail.example.com?from=a@example.com%0abcc:b@example.com"),
]


@pytest.mark.parametrize(("name", "value"), NONSENSE)
def test_nonsense_stops_the_start_with_a_sentence_that_names_the_variable(load, name, value):
    with pytest.raises(ImproperlyConfigured, match=rf"^CERTDASH_{name}\b.*\.$"):
        load(**KEYS | {name: value})


def test_a_command_does_not_start_on_nonsense(tmp_path):
    environment = os.environ | {"CERTDASH_DATA_DIR": str(tmp_path), "CERTDASH_UPSTREAM_DEADLINE": "soon"}
    command = [sys.executable, "manage.py", "check"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "CERTDASH_UPSTREAM_DEADLINE must be a whole number" in done.stderr


def test_an_empty_variable_is_an_absent_one(load):
    assert load(DEBUG="", TIME_ZONE="  ", UPSTREAM_PROXY="")["TIME_ZONE"] == "UTC"


def test_keys_are_made_once_and_only_their_owner_reads_them(load, tmp_path):
    first, second = load(), load()
    assert first["SECRET_KEY"] == second["SECRET_KEY"] != ""
    assert first["CREDENTIAL_KEYS"] == second["CREDENTIAL_KEYS"]
    files = [path for path in (tmp_path / "data").iterdir() if path.is_file()]
    assert [stat.S_IMODE(path.stat().st_mode) for path in files] == [0o600] * 3
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


def test_keys_that_are_given_are_taken_and_nothing_is_written(load, tmp_path):
    settings = load(**KEYS)
    assert settings["SECRET_KEY"] == KEYS["SECRET_KEY"]
    assert settings["CREDENTIAL_KEYS"] == [KEYS["CREDENTIAL_KEYS"]]
    assert list((tmp_path / "data").iterdir()) == []


def test_several_credential_keys_stay_in_their_order(load):
    keys = [Fernet.generate_key().decode() for _ in range(2)]
    assert load(CREDENTIAL_KEYS=" , ".join(keys))["CREDENTIAL_KEYS"] == keys


@pytest.mark.parametrize("deployment", [HTTPS, POSTGRESQL], ids=["https", "postgresql"])
@pytest.mark.parametrize("missing", KEYS)
def test_a_deployment_for_many_does_not_invent_its_keys(load, deployment, missing):
    given = {name: value for name, value in KEYS.items() if name != missing}
    with pytest.raises(ImproperlyConfigured, match=f"^CERTDASH_{missing} must be set"):
        load(**deployment, **given)


def test_https_makes_cookies_secure_and_bound_to_the_host(load):
    settings = load(**HTTPS, **KEYS)
    assert (settings["SESSION_COOKIE_SECURE"], settings["CSRF_COOKIE_SECURE"]) == (True, True)
    assert settings["SESSION_COOKIE_NAME"].startswith("__Host-")
    assert settings["CSRF_COOKIE_NAME"].startswith("__Host-")
    assert settings["SECURE_HSTS_SECONDS"] >= 365 * 24 * 3600


OIDC = {"OIDC_ISSUER": "https://login.example.com/company/", "OIDC_CLIENT_ID": "certdash", "OIDC_CLIENT_SECRET": "s"}


@pytest.mark.parametrize("missing", OIDC)
def test_single_sign_on_is_configured_whole_or_not_at_all(load, missing):
    with pytest.raises(ImproperlyConfigured, match=f"^CERTDASH_{missing} is missing"):
        load(**{name: value for name, value in OIDC.items() if name != missing})


@pytest.mark.parametrize("more", [{"OIDC_ONLY": "1"}, {"OIDC_TEAMS_CLAIM": "groups"}])
def test_what_belongs_to_single_sign_on_needs_it(load, more):
    with pytest.raises(ImproperlyConfigured, match=r"^CERTDASH_OIDC_ISSUER must be set"):
        load(**more)


@pytest.mark.parametrize("issuer", ["http://127.0.0.1:9400", "http://localhost:9400/"])
def test_a_provider_on_this_machine_may_be_without_https(load, issuer):
    assert load(**OIDC | {"OIDC_ISSUER": issuer})["OIDC_ISSUER"] == issuer.rstrip("/")


def test_forms_may_lead_on_to_the_provider_and_nowhere_else(load):
    def form_action(**variables):
        return load(**variables)["CONTENT_SECURITY_POLICY"]["DIRECTIVES"]["form-action"]

    assert form_action(**OIDC) == ["'self'", "https://login.example.com"]
    assert form_action() == ["'self'"]


def test_accounts_are_linked_to_one_issuer(load):
    issuers = ["https://login.example.com", "https://login.example.com/", "https://login.example.org"]
    names = [load(**OIDC | {"OIDC_ISSUER": issuer})["OIDC_PROVIDER"] for issuer in issuers]
    assert names[0] == names[1] != names[2]


def test_http_leaves_cookies_usable(load):
    settings = load()
    assert not settings.get("SESSION_COOKIE_SECURE")
    assert not settings.get("SECURE_HSTS_SECONDS")


def test_hosts_are_the_public_one_and_loopback(load):
    settings = load(PUBLIC_URL="https://certdash.example.com:8443/", **KEYS)
    assert set(settings["ALLOWED_HOSTS"]) == {"certdash.example.com", "localhost", "127.0.0.1", "[::1]"}
    assert settings["CSRF_TRUSTED_ORIGINS"] == ["https://certdash.example.com:8443"]


def test_the_database_is_a_file_in_the_data_directory_unless_told(load, tmp_path):
    assert str(load()["DATABASES"]["default"]["NAME"]) == str(tmp_path / "data" / "certdash.sqlite3")
    elsewhere = str(tmp_path / "elsewhere.sqlite3")
    assert load(DATABASE_URL=f"sqlite:///{elsewhere}")["DATABASES"]["default"]["NAME"] == elsewhere


def test_a_data_directory_may_have_any_name(load, tmp_path):
    folder = tmp_path / "Training #1 + 100%?"
    assert str(load(DATA_DIR=str(folder))["DATABASES"]["default"]["NAME"]) == str(folder / "certdash.sqlite3")


def test_sqlite_takes_its_write_lock_when_a_transaction_begins(load):
    options = load()["DATABASES"]["default"]["OPTIONS"]
    assert options["transaction_mode"] == "IMMEDIATE"
    assert "journal_mode=WAL" in options["init_command"]


def test_postgresql_is_found_by_its_address(load):
    database = load(**POSTGRESQL, **KEYS)["DATABASES"]["default"]
    assert database["ENGINE"] == "django.db.backends.postgresql"
    where = {name: database[name] for name in ("USER", "PASSWORD", "HOST", "PORT", "NAME")}
    assert list(where.values()) == ["certdash", "secret", "db.example.com", 5433, "dashboard"]


def test_forwarded_headers_are_believed_only_behind_a_proxy(load):
    assert "SECURE_PROXY_SSL_HEADER" not in load()
    behind = load(TRUSTED_PROXIES="1")
    assert behind["SECURE_PROXY_SSL_HEADER"] == ("HTTP_X_FORWARDED_PROTO", "https")
    assert behind["ALLAUTH_TRUSTED_PROXY_COUNT"] == 1


def test_the_vendor_is_asked_within_the_limits_that_are_set(load):
    settings = load(UPSTREAM_DEADLINE="30", UPSTREAM_MAX_MB="2", UPSTREAM_PROXY="http://proxy.example.com:3128")
    assert (settings["UPSTREAM_DEADLINE"], settings["UPSTREAM_MAX_BYTES"]) == (30, 2 * 2**20)
    assert settings["UPSTREAM_PROXY"] == "http://proxy.example.com:3128"
    assert settings["ALLOW_PRIVATE_UPSTREAMS"] is False


MAIL = [
    ("smtp://mail.example.com", 25, False, False),
    ("smtp+tls://mail.example.com", 587, True, False),
    ("smtp+ssl://mail.example.com", 465, False, True),
    ("smtp+tls://mail.example.com:2525", 2525, True, False),
]


@pytest.mark.parametrize(("url", "port", "tls", "ssl"), MAIL)
def test_mail_goes_by_the_server_that_is_named(load, url, port, tls, ssl):
    settings = load(EMAIL_URL=url)
    assert (settings["SENDS_MAIL"], settings["EMAIL_HOST"], settings["EMAIL_PORT"]) == (True, "mail.example.com", port)
    assert (settings.get("EMAIL_USE_TLS", False), settings.get("EMAIL_USE_SSL", False)) == (tls, ssl)


def test_mail_has_a_sender_and_whoever_logs_in_to_the_server(load):
    settings = load(EMAIL_URL="smtp+tls://me%40example.com:p%2Fw%40@mail.example.com", **HTTPS, **KEYS)
    assert (settings["EMAIL_HOST_USER"], settings["EMAIL_HOST_PASSWORD"]) == ("me@example.com", "p/w@")
    assert settings["DEFAULT_FROM_EMAIL"] == "certdash@certdash.example.com"
    settings = load(EMAIL_URL="smtp://mail.example.com?from=Training+%3Ctraining%40example.com%3E")
    assert settings["DEFAULT_FROM_EMAIL"] == "Training <training@example.com>"


def test_without_a_mail_server_no_mail_is_sent(load):
    assert load()["SENDS_MAIL"] is False


def test_what_is_wrong_with_the_mail_server_is_told_without_its_password(load):
    with pytest.raises(ImproperlyConfigured) as caught:
        load(EMAIL_URL="smtp://me:secret@mail.example.com:port")
    assert "secret" not in str(caught.value)
    assert caught.value.__context__ is None
