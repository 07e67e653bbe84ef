"""A page with its filters, to be kept under a name."""

import unicodedata
from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from certdash.models import App, SavedView, User
from certdash.saved_views import TOO_LONG, NotKept, kept, new_slug

_TWICE = "You have a view of this name already: give this one another."


class _AppField(forms.ModelChoiceField):  # type: ignore[type-arg]  # generic only in the stubs
    def label_from_instance(self, app: Any) -> str:
        return f"Everybody who may see {app.name}"


class SavedViewForm(forms.ModelForm):  # type: ignore[type-arg]  # generic only in the stubs
    """A saved view of the person who fills it in; with `path` and `query` only while it is new."""

    app = _AppField(App.objects.none(), required=False, label="For", empty_label="Only me")
    pin = forms.BooleanField(required=False, label="Pin it to my navigation")
    home = forms.BooleanField(required=False, label="Open it when I log in")

    class Meta:
        model = SavedView
        fields = ["name", "description", "app", "path", "query"]
        widgets = {
            "description": forms.Textarea(attrs={"rows": 3}),
            "path": forms.HiddenInput,
            "query": forms.HiddenInput,
        }

    def __init__(self, data: Any, owner: User, apps: Sequence[App], instance: SavedView, **initial: str) -> None:
        """`apps`: those that the owner may see."""
        self.owner = owner
        if instance.pk:
            pinned = instance.pinned_by.filter(pk=owner.pk).exists()
            initial |= {"pin": pinned, "home": owner.home_id == instance.pk}  # type: ignore[dict-item]
        super().__init__(data, instance=instance, initial=initial)
        self.fields["app"].queryset = App.objects.filter(pk__in=[app.pk for app in apps])  # type: ignore[attr-defined]
        self.fields["app"].help_text = "Whoever opens it sees only what they may see anyway."
        if instance.app_id and instance.app_id not in {app.pk for app in apps}:
            self.fields["app"].help_text = "It is shared with an app that you may not see any more; saving ends that."
        if instance.pk:
            del self.fields["path"], self.fields["query"]

    def clean_name(self) -> str:
        name = " ".join(str(self.cleaned_data["name"]).split())
        if not any(unicodedata.category(sign)[0] in "LNPS" for sign in name):
            raise ValidationError("Give the view a name that can be read.")
        mine = SavedView.objects.filter(owner=self.owner, name__iexact=name)
        if mine.exclude(pk=self.instance.pk).exists():
            raise ValidationError(_TWICE)
        return name

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if {"path", "query"} & self.errors.keys():  # hidden fields: said above the form
            raise ValidationError(TOO_LONG)
        if "path" in self.fields:
            try:
                cleaned["query"] = kept(cleaned.get("path", ""), cleaned.get("query", "")).query
            except NotKept as error:
                raise ValidationError(str(error)) from None
        return cleaned

    def store(self) -> SavedView | None:
        """Store the view and what it is to its owner; None when another one took the name at the same moment."""
        view: SavedView = self.instance
        if view._state.adding:
            view.owner, view.slug = self.owner, new_slug(view.name)
        try:
            with transaction.atomic():
                view.save()
                pin(view, self.owner, self.cleaned_data["pin"])
                make_home(view, self.owner, self.cleaned_data["home"])
        except IntegrityError:
            self.add_error("name", _TWICE)
            return None
        return view


def pin(view: SavedView, person: User, wanted: bool) -> None:
    """Put the view into a person's navigation, or take it out."""
    if wanted:
        view.pinned_by.add(person)
    else:
        view.pinned_by.remove(person)


def make_home(view: SavedView, person: User, wanted: bool) -> None:
    """Have the view open when a person logs in, or not any more; in the place of any other."""
    if wanted:
        User.objects.filter(pk=person.pk).update(home=view)
    else:
        User.objects.filter(pk=person.pk, home=view).update(home=None)
