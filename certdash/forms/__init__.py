"""What people type: checked here, in words that say what to do."""

from .access import GrantForm
from .accounts import ForgottenForm, PersonForm, TeamForm
from .connection import ConnectionForm, GroupsForm, ScopeForm
from .privacy import ErasedForm, TelephonesForm

__all__ = [
    "ConnectionForm",
    "ErasedForm",
    "ForgottenForm",
    "GrantForm",
    "GroupsForm",
    "PersonForm",
    "ScopeForm",
    "TeamForm",
    "TelephonesForm",
]
