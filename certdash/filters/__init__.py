"""What an address may ask for. Pages, downloads and the command filter through the same sets, so they agree.

A set is lenient and keeps a list: what it does not understand it leaves out and names in `ignored`. A page shows the
list; a download and a command refuse when it is not empty, since a typo must not hand out everybody's data.
"""

from .audit import AuditFilter
from .base import ListFilter
from .certificates import CHANGES, FIND, NO_GROUP, PERIODS, CertificateFilter, is_state
from .lists import (
    AccountFilter,
    AppFilter,
    ChangeFilter,
    GrantFilter,
    GroupFilter,
    LearnerFilter,
    MemberFilter,
    RunFilter,
    SavedViewFilter,
    StoryFilter,
    TeamFilter,
)

__all__ = [
    "CHANGES",
    "FIND",
    "NO_GROUP",
    "PERIODS",
    "AccountFilter",
    "AppFilter",
    "AuditFilter",
    "CertificateFilter",
    "ChangeFilter",
    "GrantFilter",
    "GroupFilter",
    "LearnerFilter",
    "ListFilter",
    "MemberFilter",
    "RunFilter",
    "SavedViewFilter",
    "StoryFilter",
    "TeamFilter",
    "is_state",
]
