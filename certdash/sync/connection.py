"""The way from a stored app to the vendor."""

from django.conf import settings

from certdash.falkor import FalkorClient, check_base_url
from certdash.models import App

TEST_SECONDS = 20
# Nobody has this address, so the answer is small; the vendor still checks everything else.
_NOBODY = "connection-test@certdash.invalid"


def usable_base_url(url: str) -> str:
    """The base URL as it is stored. Raises `AddressRefused` with the reason why it may not be asked."""
    # Behind a proxy it is the proxy that looks names up, and this machine may not be able to.
    by_proxy = settings.UPSTREAM_PROXY is not None
    return check_base_url(url, allow_private=settings.ALLOW_PRIVATE_UPSTREAMS, resolve=not by_proxy)


def client_for(app: App, deadline: float | None = None, max_bytes: int | None = None) -> FalkorClient:
    """A client with the app's credentials and, unless told otherwise, the settings' limits.

    Raises `CredentialUnreadable` or `AddressRefused`.
    """
    return FalkorClient(
        app.base_url,
        app.token.reveal(),
        spool_dir=settings.SPOOL_DIR,
        deadline=deadline or settings.UPSTREAM_DEADLINE,
        max_bytes=max_bytes or settings.UPSTREAM_MAX_BYTES,
        proxy=settings.UPSTREAM_PROXY,
        allow_private=settings.ALLOW_PRIVATE_UPSTREAMS,
    )


def test_connection(app: App) -> None:
    """Ask for the certificates of nobody. Raises the `FalkorError` that explains what is in the way."""
    with client_for(app, deadline=TEST_SECONDS).certificates(app.app_id, users=[_NOBODY]):
        return
