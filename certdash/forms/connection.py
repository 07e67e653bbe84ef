"""An app's connection, its groups, and how much of it is synchronised."""

from collections.abc import Collection
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.text import format_lazy, slugify
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from certdash.falkor import AddressRefused, normalise_token
from certdash.models import App, Breadth, Group, Secret
from certdash.rows import grouped
from certdash.sync.connection import usable_base_url

_INTERVALS: list[tuple[int, str | Promise]] = [
    (5, _("every 5 minutes")),
    (15, _("every 15 minutes")),
    (60, _("every hour")),
    (360, _("every 6 hours")),
    (1440, _("every day")),
]
_MOST_GROUPS = 500
_MOST_STORIES, _LONGEST_STORY = 200, 500


def interval_words(minutes: int) -> str:
    """How often that is."""
    own = ngettext("every %(many)s minute", "every %(many)s minutes", minutes) % {"many": grouped(minutes)}
    return str(dict(_INTERVALS).get(minutes, own))  # another one was set from a script


class ConnectionForm(forms.ModelForm):  # type: ignore[type-arg]  # generic only in the stubs
    """An app's connection. The token can be written and never read; a new base URL asks for it again."""

    token = forms.CharField(
        label=_("Token"),
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        max_length=4000,
        error_messages={"required": _("The token is what the vendor knows the account by: paste it here.")},
        help_text=_("From the token file: the Base64 text, with or without “Basic”, or key:secret."),
    )
    refresh_minutes = forms.TypedChoiceField(label=_("Synchronise"), coerce=int, choices=_INTERVALS, initial=15)

    class Meta:
        model = App
        fields = ["name", "base_url", "app_id", "refresh_minutes"]
        labels = {"name": _("Name"), "base_url": _("Base URL"), "app_id": _("App ID")}

    field_order = ["name", "base_url", "token", "app_id", "refresh_minutes"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stored_url = self.instance.base_url
        self.fields["token"].required = self.instance.pk is None
        if self.instance.pk:
            self.fields["token"].help_text = _(
                "From the token file: the Base64 text, with or without “Basic”, or key:secret. "
                "Leave it empty to keep the stored one."
            )
            minutes = self.instance.refresh_minutes
            if minutes not in dict(_INTERVALS):
                own = (minutes, interval_words(minutes))
                self.fields["refresh_minutes"].choices = [own, *_INTERVALS]  # type: ignore[attr-defined]

    def clean_base_url(self) -> str:
        try:
            return usable_base_url(self.cleaned_data["base_url"])
        except AddressRefused as error:
            raise ValidationError(str(error)) from None

    def clean_token(self) -> str:
        text = self.cleaned_data["token"].strip()
        try:
            return normalise_token(text) if text else ""
        except ValueError as error:
            raise ValidationError(str(error)) from None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        moved = self.instance.pk and cleaned.get("base_url", self.stored_url) != self.stored_url
        if moved and not cleaned.get("token") and "token" not in self.errors:
            asked = gettext("The base URL is another one: enter the token again, so that the stored one stays here.")
            self.add_error("token", asked)
        if not self.instance.pk and not self.errors:
            self._choose_slug(cleaned["name"])
        return cleaned

    def _choose_slug(self, name: str) -> None:
        slug = slugify(name)[:50].strip("-")
        if not slug or slug == "add":
            letters = gettext("No address can be made of this name: choose one with letters or digits of a to z.")
            self.add_error("name", letters)
        elif App.objects.filter(slug=slug).exists():
            self.add_error("name", gettext("Another app has this name in its address: choose another name."))
        self.instance.slug = slug

    def fits(self, stored: App) -> bool:
        """Whether it can be stored over what is stored by now; else says why not.

        A token that is kept was entered for the address it is stored with, and goes to no other one.
        """
        if self.cleaned_data["token"] or stored.base_url == self.stored_url:
            return True
        self.add_error("base_url", gettext("Somebody else has changed the base URL just now: open this page again."))
        return False

    def store_over(self, stored: App) -> App:
        """Store what the form holds and nothing else: the rest is as others have it by now."""
        app = self.connected()
        given = ["token"] if self.cleaned_data["token"] else []
        if not given:
            app.token = stored.token
        app.save(update_fields=[*(self._meta.fields or ()), *given])
        return app

    def connected(self) -> App:
        """The app as the form says, not saved yet. Only of a valid form."""
        if token := self.cleaned_data["token"]:
            self.instance.token = Secret.seal(token)
        app: App = self.instance
        return app


def lines(text: str) -> list[str]:
    """The lines of a text that say something, each once."""
    return list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))


class GroupsForm(forms.Form):
    """The tracked groups, one a line."""

    names = forms.CharField(
        label=_("Groups"),
        required=False,
        strip=False,
        max_length=_MOST_GROUPS * (Group.LONGEST_NAME + 1),
        widget=forms.Textarea(attrs={"rows": 10}),
        help_text=_("One a line, as the vendor writes them. The vendor lists no groups: it only says who is in one."),
    )

    def __init__(self, data: Any, app: App) -> None:
        tracked = app.groups.filter(tracked=True).values_list("name", flat=True)
        super().__init__(data, initial={"names": "\n".join(tracked)})
        self.app = app

    def clean_names(self) -> list[str]:
        names = lines(self.cleaned_data["names"])
        if too_long := [name for name in names if len(name) > Group.LONGEST_NAME]:
            longest = gettext("A group's name has at most %(most)s characters; this one has more: %(beginning)s…")
            raise ValidationError(longest % {"most": Group.LONGEST_NAME, "beginning": too_long[0][:60]})
        if len(names) > _MOST_GROUPS:
            most = gettext("At most %(most)s groups can be tracked, since each is asked for on its own.")
            raise ValidationError(most % {"most": _MOST_GROUPS})
        if not names and self.app.breadth == Breadth.GROUPS:
            raise ValidationError(
                gettext(
                    "Only the tracked groups of this app are synchronised: name at least one, "
                    "or choose first to synchronise something else."
                )
            )
        return names


class ScopeForm(forms.Form):
    """How much of an app is synchronised."""

    breadth = forms.ChoiceField(
        label=_("What is synchronised"),
        choices=Breadth.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what is synchronised.")},
    )
    stories = forms.CharField(
        label=_("Listed stories"),
        required=False,
        strip=False,
        max_length=_MOST_STORIES * (_LONGEST_STORY + 2),
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text=format_lazy(
            _("IDs or names as the vendor writes them, one a line, at most {most}."), most=_MOST_STORIES
        ),
    )

    def __init__(self, data: Any, app: App, groups: Collection[object]) -> None:
        """`groups`: those that the app tracks."""
        super().__init__(data, initial={"breadth": app.breadth, "stories": "\n".join(app.listed_stories)})
        self.app, self.groups = app, groups

    def clean_breadth(self) -> str:
        breadth: str = self.cleaned_data["breadth"]
        if breadth == Breadth.GROUPS and not self.groups:
            raise ValidationError(
                gettext("No group is tracked yet, so there would be nothing to ask for: name groups first.")
            )
        return breadth

    def clean_stories(self) -> list[str]:
        stories = lines(self.cleaned_data["stories"])
        if too_long := [story for story in stories if len(story) > _LONGEST_STORY]:
            longest = gettext("An ID or name has at most %(most)s characters; this one has more: %(beginning)s…")
            raise ValidationError(longest % {"most": _LONGEST_STORY, "beginning": too_long[0][:60]})
        if len(stories) > _MOST_STORIES:
            most = gettext(
                "At most %(most)s stories can be listed, since each is asked for on its own; these are %(many)s."
            )
            raise ValidationError(most % {"most": _MOST_STORIES, "many": grouped(len(stories))})
        if self.cleaned_data.get("breadth") == Breadth.STORIES and not stories:
            raise ValidationError(
                gettext("Nothing is listed, so there would be nothing to ask for: list a story, one a line.")
            )
        return stories

    def set(self) -> None:
        """Note the choice in the app, which is not saved yet. Only of a valid form."""
        self.app.breadth, self.app.listed_stories = self.cleaned_data["breadth"], self.cleaned_data["stories"]

    def save(self) -> None:
        self.set()
        self.app.save(update_fields=["breadth", "listed_stories"])
