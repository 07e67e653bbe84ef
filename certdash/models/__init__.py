"""What certdash stores. Only `sync` writes what came from the vendor; `access` decides who sees it."""

from .app import App, Breadth
from .badges import Badge
from .certificate import Certificate, CertificateQuerySet, State, is_live
from .change import Change
from .group import Group, Membership
from .learner import Learner
from .people import Grant, Role, User
from .run import Rejection, SyncRun
from .secret import CredentialUnreadable, Secret
from .story import Story, StoryType
from .worker import Worker

__all__ = [
    "App",
    "Badge",
    "Breadth",
    "Certificate",
    "CertificateQuerySet",
    "Change",
    "CredentialUnreadable",
    "Grant",
    "Group",
    "Learner",
    "Membership",
    "Rejection",
    "Role",
    "Secret",
    "State",
    "Story",
    "StoryType",
    "SyncRun",
    "User",
    "Worker",
    "is_live",
]
