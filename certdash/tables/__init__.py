"""One table per kind of row: its columns, its order, and what a file of it holds.

Pages and files build their rows alike: from ids, a batch at a time, so a batch costs a fixed number of queries.
"""

from .accounts import AccountTable, TeamTable
from .apps import AppTable, GrantTable, WholeGrantTable
from .audit import AppAuditTable, AuditTable
from .base import Table
from .certificates import CertificateTable
from .changes import ChangeTable
from .delivery import DeliveryTable
from .members import MemberTable
from .runs import RunTable
from .saved_views import SavedViewTable
from .tallied import GroupTable, PersonTable, StoryTable

__all__ = [
    "AccountTable",
    "AppAuditTable",
    "AppTable",
    "AuditTable",
    "CertificateTable",
    "ChangeTable",
    "DeliveryTable",
    "GrantTable",
    "GroupTable",
    "MemberTable",
    "PersonTable",
    "RunTable",
    "SavedViewTable",
    "StoryTable",
    "Table",
    "TeamTable",
    "WholeGrantTable",
]
