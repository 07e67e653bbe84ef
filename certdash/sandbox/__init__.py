"""The fake vendor: a deterministic world served as the Falkor API serves one, for the demo and the tests.

It knows the vendor's documentation and shares no code with the client that it is there to test. What is
needed from outside is named here; only commands and tests import it.
"""

from certdash.sandbox.accounts import ACCOUNTS, ADDRESS_REFUSED, DEMO, NOT_ENABLED, RETAIL, Account
from certdash.sandbox.app import SandboxApp
from certdash.sandbox.awards import ZONE
from certdash.sandbox.clock import Clock
from certdash.sandbox.scenarios import SCENARIOS, Misbehaving, Scenario
from certdash.sandbox.server import SandboxServer, running_sandbox, running_server
from certdash.sandbox.world import CertificateItem, Selection, StoryItem, World

__all__ = [
    "ACCOUNTS",
    "ADDRESS_REFUSED",
    "DEMO",
    "NOT_ENABLED",
    "RETAIL",
    "SCENARIOS",
    "ZONE",
    "Account",
    "CertificateItem",
    "Clock",
    "Misbehaving",
    "SandboxApp",
    "SandboxServer",
    "Scenario",
    "Selection",
    "StoryItem",
    "World",
    "running_sandbox",
    "running_server",
]
