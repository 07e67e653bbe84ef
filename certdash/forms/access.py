"""Who has a role in an app."""

from typing import Any

from allauth.socialaccount.models import SocialAccount
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from certdash.models import App, Grant, Role, Team, User

_TEAM = "team:"  # in front of a name: the team of this name, also where a person has it


class GrantForm(forms.Form):
    """Gives a person or a team a role in an app."""

    # One field, and no list to choose from: the teams of others are not this owner's to read.
    login = forms.CharField(
        label=_("Person or team"),
        max_length=254,
        help_text=_("User name or e-mail address of an account here, or the name of a team."),
    )
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices)

    def __init__(self, data: Any = None, *, knows_accounts: bool = False) -> None:
        """`knows_accounts`: whoever fills it in can look up whose a user name is."""
        super().__init__(data)
        self.knows_accounts = knows_accounts
        self.by_email = False

    def clean_login(self) -> User | Team:
        login = self.cleaned_data["login"].strip()
        named_team = login.lower().startswith(_TEAM)
        name = login[len(_TEAM) :].strip() if named_team else login
        person = None
        if not named_team:
            found = User.objects.filter(Q(username__iexact=login) | Q(email__iexact=login), is_active=True)[:2]
            if len(found) > 1:
                raise ValidationError(
                    gettext(
                        "This is the user name of one person and the e-mail address of another. "
                        "Write something that only the one you mean has."
                    )
                )
            person = next(iter(found), None)
            self.by_email = person is not None and person.email.lower() == login.lower()
            if person and not self.knows_accounts:
                self._not_by_a_name_that_they_chose(person)
        team = Team.objects.filter(name__iexact=name).first()
        if person and team:
            raise ValidationError(
                gettext(
                    "A person and a team have this name. Write the person’s e-mail address, "
                    "or %(prefix)s in front of the name for the team."
                )
                % {"prefix": _TEAM}
            )
        holder = person or team
        if holder is None:
            raise ValidationError(
                gettext(
                    "Nobody here has this user name or e-mail address, and no team this name. "
                    "An administrator can add the account or the team."
                )
            )
        return holder

    def _not_by_a_name_that_they_chose(self, person: User) -> None:
        """Who came by single sign-on may have the user name by which an owner knows somebody else."""
        if self.by_email or not person.email or person.has_usable_password():
            return
        if SocialAccount.objects.filter(user=person).exists():
            raise ValidationError(
                gettext(
                    "This user name came with single sign-on, and may be another person’s than you think. "
                    "Write the e-mail address of the person you mean."
                )
            )

    before: str | None = None  # the role until it was saved

    @property
    def was(self) -> dict[str, str]:
        """The role until it was saved, for what is written down; nothing for who had none."""
        return {"before": self.before} if self.before else {}

    def save(self, app: App) -> Grant:
        """The grant, new or with the other role. To be called in a transaction."""
        holder = self.cleaned_data["login"]
        whose: dict[str, Any] = {"team" if isinstance(holder, Team) else "user": holder}
        self.before = Grant.objects.filter(app=app, **whose).values_list("role", flat=True).first()
        told = {"role": self.cleaned_data["role"]} | ({"by_email": True} if self.by_email else {})
        grant, _new = Grant.objects.update_or_create(app=app, **whose, defaults=told)
        return grant
