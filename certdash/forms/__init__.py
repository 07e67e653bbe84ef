"""What people type: checked here, in words that say what to do."""

from .access import GrantForm
from .accounts import ForgottenForm, PersonForm, TeamForm
from .connection import ConnectionForm, GroupsForm, ScopeForm
from .privacy import ErasedForm, TelephonesForm
from .profile import PasswordForm, ProfileForm
from .saved_views import SavedViewForm

__all__ = [
    "ConnectionForm",
    "ErasedForm",
    "ForgottenForm",
    "GrantForm",
    "GroupsForm",
    "PasswordForm",
    "PersonForm",
    "ProfileForm",
    "SavedViewForm",
    "ScopeForm",
    "TeamForm",
    "TelephonesForm",
]
