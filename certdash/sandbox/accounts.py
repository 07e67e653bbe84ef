"""The fake vendor's accounts. The secrets are public constants that open nothing but the sandbox."""

from base64 import b64encode
from dataclasses import dataclass, field

from certdash.sandbox.catalogue import DEMO_APP, RETAIL_APP, App


@dataclass(frozen=True)
class Account:
    """An account of one app. `refusal` is the message of the 403 that its every call gets, if any."""

    app: App
    key: str = field(repr=False)
    secret: str = field(repr=False)
    refusal: str = ""

    @property
    def app_id(self) -> str:
        """The app's reverse-domain ID, e.g. `io.certdash.demo`."""
        return self.app.app_id

    @property
    def name(self) -> str:
        """The app's name."""
        return self.app.name

    @property
    def groups(self) -> tuple[str, ...]:
        """The names of the app's groups."""
        return tuple(group.name for group in self.app.groups)

    @property
    def token(self) -> str:
        """Base64 of `key:secret`, as it stands in a customer's token file."""
        return b64encode(f"{self.key}:{self.secret}".encode()).decode()


DEMO = Account(DEMO_APP, "demo-key", "not-a-real-secret-demo")
RETAIL = Account(RETAIL_APP, "retail-key", "not-a-real-secret-retail")
NOT_ENABLED = Account(
    DEMO_APP,
    "restricted-key",
    "not-a-real-secret-restricted",
    refusal="The endpoint logs/story-certificates is not enabled for this account.",
)
ADDRESS_REFUSED = Account(
    DEMO_APP,
    "elsewhere-key",
    "not-a-real-secret-elsewhere",
    refusal="This client address is not allowed for this account.",
)

#: The accounts that answer with certificates, one for each app.
ACCOUNTS = (DEMO, RETAIL)
#: Every account that the sandbox knows, by its key and secret.
BY_CREDENTIALS = {(each.key, each.secret): each for each in (*ACCOUNTS, NOT_ENABLED, ADDRESS_REFUSED)}
