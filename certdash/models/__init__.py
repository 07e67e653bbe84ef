"""What certdash stores. Only `sync` writes what came from the vendor; `access` decides who sees it."""

from .app import App, Breadth
from .attempts import LoginAttempts
from .audit import AuditEntry, AuditKind
from .badges import Badge
from .certificate import Certificate, CertificateQuerySet, State, is_live
from .change import Change
from .erasure import Erasure
from .group import Group, Membership
from .learner import Learner
from .people import Grant, Role, Team, User
from .run import Rejection, SyncRun
from .saved_view import SavedView, is_shared, owner_sees
from .secret import CredentialUnreadable, Secret
from .story import Story, StoryType
from .worker import Worker

__all__ = [
    "App",
    "AuditEntry",
    "AuditKind",
    "Badge",
    "Breadth",
    "Certificate",
    "CertificateQuerySet",
    "Change",
    "CredentialUnreadable",
    "Erasure",
    "Grant",
    "Group",
    "Learner",
    "LoginAttempts",
    "Membership",
    "Rejection",
    "Role",
    "SavedView",
    "Secret",
    "State",
    "Story",
    "StoryType",
    "SyncRun",
    "Team",
    "User",
    "Worker",
    "is_live",
    "is_shared",
    "owner_sees",
]
