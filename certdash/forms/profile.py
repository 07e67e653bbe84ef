"""What people choose for themselves."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from certdash import time_zones
from certdash.models import User


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]  # generic only in the stubs
    """How a person likes their pages."""

    class Meta:
        model = User
        fields = ["time_zone"]
        labels = {"time_zone": _("Time zone")}
        help_texts = {
            "time_zone": _(
                "For the days and hours on pages, and the days that filters begin and end with. "
                "Files keep their times in UTC."
            )
        }

    def __init__(self, data: Any, instance: User) -> None:
        super().__init__(data, instance=instance)
        usual = gettext("As the installation: %(zone)s") % {"zone": settings.TIME_ZONE}
        offered: list[tuple[str, Any]] = [("", usual)]
        offered += [(region, [(name, _words(name)) for name in names]) for region, names in time_zones.offered()]
        listed = {name for _, names in time_zones.offered() for name in names}
        if instance.time_zone and instance.time_zone not in listed:
            offered.insert(1, (instance.time_zone, instance.time_zone))
        self.fields["time_zone"].widget = forms.Select(choices=offered)
        self.fields["time_zone"].required = False

    def clean_time_zone(self) -> str:
        name: str = self.cleaned_data["time_zone"]
        if name and name not in time_zones.names():
            raise ValidationError(gettext("This is no time zone that is known here. Choose one of the list."))
        return name

    def store(self) -> User:
        """Store what the form holds, and nothing else of the account."""
        person: User = self.instance
        person.save(update_fields=self._meta.fields)
        return person


class PasswordForm(forms.Form):
    """Asks whoever is logged in for their password again."""

    password = forms.CharField(
        label=_("Your password"),
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, data: Any, person: User) -> None:
        super().__init__(data)
        self.person = person

    def clean_password(self) -> None:
        if not self.person.check_password(self.cleaned_data["password"]):
            raise ValidationError(gettext("This is not your password."))


def _words(name: str) -> str:
    """Europe/Berlin: Berlin."""
    return name.partition("/")[2].replace("_", " ").replace("/", ", ")
