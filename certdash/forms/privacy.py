"""What an owner types about personal data."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from certdash.models import App


class TelephonesForm(forms.Form):
    """Whether an app stores telephones."""

    telephones = forms.ChoiceField(
        label=_("Telephones of learners"),
        choices=[("on", _("are stored")), ("off", _("are not stored"))],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose whether telephones are stored.")},
    )

    def __init__(self, data: Any, app: App) -> None:
        super().__init__(data, initial={"telephones": "on" if app.stores_telephones else "off"})


class ErasedForm(forms.Form):
    """An e-mail address that is compared with those of erased learners."""

    # Not validated, since the vendor's are not.
    email = forms.CharField(
        label=_("E-mail address"),
        max_length=500,
        widget=forms.TextInput(attrs={"autocomplete": "off", "type": "email"}),
    )

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        if "@" not in email:
            raise ValidationError(gettext("This is no e-mail address: it lacks the @."))
        return email
