"""All settings, in one place. The environment is read once, here; a value that makes no sense stops the start.

`docs/interface.md` lists the variables for the people who set them.
"""

import hashlib
import os
import secrets
import sys
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

from certdash import environment as env
from certdash import logs

BASE_DIR = Path(__file__).resolve().parent.parent
# Tokens, people's data and keys: whatever the program writes is for its own user alone.
os.umask(0o077)
DATA_DIR = env.writable_folder("CERTDASH_DATA_DIR", "var")
DEBUG = env.switch("CERTDASH_DEBUG")
PUBLIC_URL = env.web_address("CERTDASH_PUBLIC_URL", "http://127.0.0.1:8000")
_served_by_https = PUBLIC_URL.startswith("https://")

# -- Database ---------------------------------------------------------------------------------------------------

_database = env.database("CERTDASH_DATABASE_URL", DATA_DIR / "certdash.sqlite3")
_on_postgresql = _database["ENGINE"] == "django.db.backends.postgresql"
if _on_postgresql:
    # Checked before use, so that a server that was restarted costs one reconnect and not a page.
    _database |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
else:
    _database["CONN_MAX_AGE"] = 60  # a new one would read every page of the file anew
    # A transaction that reads and then writes must take the write lock at its start; otherwise the second of two
    # such transactions fails at once with "database is locked", whatever the timeout.
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16000; "
        "PRAGMA journal_size_limit=67108864;",
    }
DATABASES = {"default": _database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# -- Keys -------------------------------------------------------------------------------------------------------

_alone = not _on_postgresql and not _served_by_https  # one machine, on which a generated key can stay


def _key(name: str, file: str, new: str) -> str:
    return env.key(name, DATA_DIR / file, new, must_be_given=not _alone)


SECRET_KEY = _key("CERTDASH_SECRET_KEY", "secret_key", secrets.token_urlsafe(50))
_credential_keys = _key("CERTDASH_CREDENTIAL_KEYS", "credential_keys", Fernet.generate_key().decode())
CREDENTIAL_KEYS = [key.strip() for key in _credential_keys.split(",")]
try:
    for _each in CREDENTIAL_KEYS:
        Fernet(_each)
except ValueError:
    # The cause would quote the key's length and form; the sentence is enough.
    raise ImproperlyConfigured(
        "CERTDASH_CREDENTIAL_KEYS must be Fernet keys (32 bytes in URL-safe Base64), separated by commas."
    ) from None

# Never rotated: what it made cannot be made anew.
ERASURE_KEY = _key("CERTDASH_ERASURE_KEY", "erasure_key", secrets.token_urlsafe(50))

# -- The vendor -------------------------------------------------------------------------------------------------

UPSTREAM_DEADLINE = env.whole("CERTDASH_UPSTREAM_DEADLINE", 600, least=1)
UPSTREAM_MAX_BYTES = env.whole("CERTDASH_UPSTREAM_MAX_MB", 1024, least=1) * 2**20
UPSTREAM_PROXY = env.web_address("CERTDASH_UPSTREAM_PROXY") or None
ALLOW_PRIVATE_UPSTREAMS = env.switch("CERTDASH_ALLOW_PRIVATE_UPSTREAMS")
SPOOL_DIR = DATA_DIR / "spool"
# Days after which withdrawn certificates, ended memberships and reports of runs are removed.
KEEP_DAYS = env.whole("CERTDASH_KEEP_DAYS", 730, least=30)

# -- The application --------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "certdash",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "csp",
    "django_filters",
    "django_htmx",
    "django_tables2",
]
MIDDLEWARE = [
    "certdash.frames.roomy",
    "certdash.logs.RequestLog",
    "certdash.headers.Compression",
    "certdash.headers.Headers",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "certdash.sessions.IdleSessionMiddleware",
    "certdash.time_zones.TimeZoneMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "certdash.urls"
WSGI_APPLICATION = "certdash.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["certdash.templatetags.pieces", "django.templatetags.i18n"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "certdash.views.context.page_context",
            ],
        },
    }
]
DJANGO_TABLES2_TEMPLATE = "django_tables2/certdash.html"

# A cache that the processes of one machine share, outside the database: rate limits need the sharing, and a page
# must not wait for the database's write lock only to remember a count.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": DATA_DIR / "cache",
        "OPTIONS": {"MAX_ENTRIES": 5000},
    }
}

# The queue of the worker: a file of its own, so that waiting for work never touches the database.
HUEY = {"name": "certdash", "filename": str(DATA_DIR / "queue.sqlite3")}

# -- People -----------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "certdash.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "overview"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
# Hours without a page that somebody asked for, after which a session ends; see `certdash.sessions`.
SESSION_COOKIE_AGE = 8 * 3600
ACCOUNT_SESSION_REMEMBER = True  # for as long as that, also when the browser is closed in between
# An invitation, or a link to a new password.
PASSWORD_RESET_TIMEOUT = 3 * 24 * 3600
ACCOUNT_ADAPTER = "certdash.adapters.AccountAdapter"
# Log-ins are counted by `certdash.attempts` alone: in the database, which all machines share.
ACCOUNT_RATE_LIMITS = {"login": None, "login_failed": None}

OIDC_ISSUER, _oidc_client, _oidc_secret = env.single_sign_on(
    "CERTDASH_OIDC_ISSUER", "CERTDASH_OIDC_CLIENT_ID", "CERTDASH_OIDC_CLIENT_SECRET"
)
OIDC_TEAMS_CLAIM = env.text("CERTDASH_OIDC_TEAMS_CLAIM")
OIDC_ONLY = env.switch("CERTDASH_OIDC_ONLY")
if not OIDC_ISSUER and (OIDC_ONLY or OIDC_TEAMS_CLAIM):
    raise ImproperlyConfigured(
        "CERTDASH_OIDC_ISSUER must be set when CERTDASH_OIDC_ONLY or CERTDASH_OIDC_TEAMS_CLAIM is."
    )
# Accounts are linked to this name and a subject; another issuer may give the same subject to somebody else.
OIDC_PROVIDER = f"oidc-{hashlib.sha256(OIDC_ISSUER.encode()).hexdigest()[:16]}"
SOCIALACCOUNT_ADAPTER = "certdash.adapters.SingleSignOnAdapter"
SOCIALACCOUNT_EMAIL_REQUIRED = False
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "APPS": [
            {
                "provider_id": OIDC_PROVIDER,
                "name": "Single sign-on",
                "client_id": _oidc_client,
                "secret": _oidc_secret,
                "settings": {"server_url": OIDC_ISSUER, "oauth_pkce_enabled": True},
            }
        ]
    }
}

TRUSTED_PROXIES = env.whole("CERTDASH_TRUSTED_PROXIES", 0, least=0)
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES

# -- Mail -------------------------------------------------------------------------------------------------------

_mail = env.mail_server("CERTDASH_EMAIL_URL", f"certdash@{urlsplit(PUBLIC_URL).hostname}")
SENDS_MAIL = bool(_mail)
globals().update(_mail)

# -- HTTP -------------------------------------------------------------------------------------------------------

_public, _issuer = urlsplit(PUBLIC_URL), urlsplit(OIDC_ISSUER)
ALLOWED_HOSTS = sorted({_public.hostname or "", "localhost", "127.0.0.1", "[::1]"})
CSRF_TRUSTED_ORIGINS = [f"{_public.scheme}://{_public.netloc}"]
SESSION_COOKIE_HTTPONLY = True
# Messages name people: they stay in the session, which is stored here, and out of cookies.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
if _served_by_https:
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]  # asked by name-less probes behind the proxy
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = False
    # Other hosts of the company's domain are not ours to decide for.
    SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "connect-src": ["'self'"],
        # A form that finds nobody logged in is led on to the provider.
        "form-action": ["'self'", *([f"{_issuer.scheme}://{_issuer.netloc}"] if OIDC_ISSUER else [])],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
_collected = "collectstatic" in sys.argv or (DATA_DIR / "static" / "staticfiles.json").exists()
STATIC_ROOT = DATA_DIR / "static" if _collected else None
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        # Without collected files (a developer, a test) WhiteNoise serves them from where they are written.
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if _collected and not DEBUG
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not _collected or DEBUG

# -- Words and times --------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
USE_I18N = True
LOCALE_PATHS = [BASE_DIR / "certdash" / "locale"]  # for makemessages too: the templates lie beside the package
USE_TZ = True
TIME_ZONE = env.text("CERTDASH_TIME_ZONE", "UTC")
try:
    ZoneInfo(TIME_ZONE)
except (ZoneInfoNotFoundError, ValueError, OSError):
    raise ImproperlyConfigured(f"CERTDASH_TIME_ZONE must be a name like Europe/Berlin, not {TIME_ZONE!r}.") from None

LOGGING_CONFIG = "certdash.logs.configure"
LOGGING = logs.configuration(
    env.one_of("CERTDASH_LOG_FORMAT", logs.FORMATS), env.one_of("CERTDASH_LOG_LEVEL", logs.LEVELS)
)
