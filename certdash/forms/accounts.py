"""People with an account, and teams."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models.functions import Lower
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from certdash.models import Team, User
from certdash.rows import grouped

from .connection import lines

_MOST_MEMBERS, _LONGEST_NAME = 2000, 254
_MOST_NAMED = 3  # in an error


class PersonForm(forms.ModelForm):  # type: ignore[type-arg]  # generic only in the stubs
    """An account, without its password: that is only for its person to set."""

    teams = forms.ModelMultipleChoiceField(
        Team.objects.none(),
        label=_("Teams"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Teams that the identity provider fills are not among them."),
    )

    class Meta:
        model = User
        fields = ["username", "email", "first_name", "last_name", "is_superuser"]
        labels = {"username": _("User name"), "email": _("E-mail address"), "is_superuser": _("Superuser")}
        help_texts = {
            "username": _("Letters, digits and @ . + - _; it is for logging in."),
            "is_superuser": _("Sees and owns every app, and looks after accounts and teams."),
        }

    def __init__(self, data: Any, instance: User | None = None, *, own: bool = False) -> None:
        """`own`: the account of who fills it in, which stays a superuser's."""
        instance = instance or User()
        chosen = list(instance.teams.filter(claim="")) if instance.pk else []
        super().__init__(data, instance=instance, initial={"teams": chosen})
        self.before = {team.pk for team in chosen}
        self.fields["email"].required = True
        self.fields["is_superuser"].disabled = own
        self.fields["teams"].queryset = Team.objects.filter(claim="").order_by(Lower("name"))  # type: ignore[attr-defined]
        if not self.fields["teams"].queryset.exists():  # type: ignore[attr-defined]
            del self.fields["teams"]

    @property
    def joined(self) -> list[Team]:
        """The teams that are new for them. Only of a valid form."""
        return [team for team in self.cleaned_data.get("teams", []) if team.pk not in self.before]

    @property
    def left(self) -> list[Team]:
        """The teams that are not theirs any more. Only of a valid form."""
        if "teams" not in self.fields:
            return []
        return list(Team.objects.filter(pk__in=self.before - {team.pk for team in self.cleaned_data["teams"]}))

    def store(self) -> User:
        """Store the account and its teams. To be called in a transaction."""
        person: User = self.instance
        # Only what the form holds: the person may log in or set a password at this moment.
        person.save(update_fields=self._meta.fields if person.pk else None)
        person.teams.add(*self.joined)
        person.teams.remove(*self.left)
        return person


class TeamForm(forms.ModelForm):  # type: ignore[type-arg]  # generic only in the stubs
    """A team; who is in it is chosen here, or by the identity provider where it has a value of the claim."""

    members = forms.CharField(
        label=_("Members"),
        required=False,
        strip=False,
        max_length=_MOST_MEMBERS * (_LONGEST_NAME + 2),
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text=_("User names or e-mail addresses of accounts here, one a line."),
    )

    class Meta:
        model = Team
        fields = ["name", "claim"]
        labels = {"name": _("Name"), "claim": _("Value in the identity provider’s claim")}
        help_texts = {
            "claim": _(
                "With a value, single sign-on chooses who is in the team: whoever was chosen here is taken out, "
                "and everybody whose claim holds the value comes in with their next sign-in."
            )
        }

    def __init__(self, data: Any, instance: Team | None = None) -> None:
        instance = instance or Team()
        members = instance.members.order_by("username") if instance.pk else User.objects.none()
        self.before = {person.pk: person for person in members}
        named = "\n".join(person.username for person in self.before.values())
        super().__init__(data, instance=instance, initial={"members": named})
        self.stored_claim = instance.claim
        if self.stored_claim:
            del self.fields["members"]

    def clean_members(self) -> list[User]:
        named = lines(self.cleaned_data["members"])
        if len(named) > _MOST_MEMBERS:
            most = gettext("At most %(most)s people can be in a team.")
            raise ValidationError(most % {"most": grouped(_MOST_MEMBERS)})
        every = {person.pk: person for person in User.objects.only("username", "email")}
        by_name = {person.email.lower(): person for person in every.values() if person.email}
        by_name |= {person.username.lower(): person for person in every.values()}
        # Exactly so first: a database that knows the case of ASCII alone tells Ärger from ärger.
        exactly = {person.username: person for person in every.values()}
        found = [exactly.get(name) or by_name.get(name.lower()) for name in named]
        if unknown := [name for name, person in zip(named, found, strict=True) if person is None]:
            raise ValidationError(_nobody_is_called(unknown))
        return [person for person in found if person]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        claim = cleaned.get("claim", "")
        if claim != self.stored_claim and claim:
            cleaned["members"] = []
        return cleaned

    @property
    def came(self) -> list[User]:
        """Who is in the team now and was not. Only of a valid form."""
        return [person for person in self.cleaned_data.get("members", []) if person.pk not in self.before]

    @property
    def went(self) -> list[User]:
        """Who was in the team and is not any more. Only of a valid form."""
        if "members" not in self.cleaned_data:
            return []
        stay = {person.pk for person in self.cleaned_data["members"]}
        return [person for pk, person in self.before.items() if pk not in stay]

    def save(self, commit: bool = True) -> Team:
        """Store the team and its members. To be called in a transaction."""
        team: Team = super().save(commit)
        team.members.add(*self.came)
        team.members.remove(*self.went)
        return team


def _nobody_is_called(names: list[str]) -> str:
    more = len(names) - _MOST_NAMED
    told = gettext("No account here is called %(names)s. Invite the person first.")
    if more > 0:
        told = ngettext(
            "No account here is called %(names)s and %(more)s more. Invite the person first.",
            "No account here is called %(names)s and %(more)s more. Invite the person first.",
            more,
        )
    return told % {"names": ", ".join(names[:_MOST_NAMED]), "more": more}


class ForgottenForm(forms.Form):
    """Asks for a link to a new password."""

    email = forms.EmailField(
        label=_("E-mail address"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )
