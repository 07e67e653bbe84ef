"""A page with its filters, to be kept under a name."""

import unicodedata
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl

from django import forms
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.text import Truncator, format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from certdash.links import isolated
from certdash.models import App, SavedView, User
from certdash.saved_views import MOST_VIEWS, TOO_LONG, NotKept, foreign_to, kept, new_slug, page_of

_TWICE = _("You have a view of this name already: give this one another.")
_TOO_MANY = format_lazy(
    _("You have {many} views, and there is no room for more: delete one under Views, then save this one."),
    many=MOST_VIEWS,
)
_NAMED = 5  # filters in an error
_LONGEST_NAMED = 60  # characters


class _AppField(forms.ModelChoiceField):  # type: ignore[type-arg]  # generic only in the stubs
    def label_from_instance(self, app: Any) -> str:
        return gettext("Everybody who may see %(app)s") % {"app": app.name}


class SavedViewForm(forms.ModelForm):  # type: ignore[type-arg]  # generic only in the stubs
    """A saved view of the person who fills it in; with `path` and `query` only while it is new."""

    app = _AppField(App.objects.none(), required=False, label=_("For"), empty_label=_("Only me"))
    pin = forms.BooleanField(required=False, label=_("Pin it to my navigation"))
    home = forms.BooleanField(required=False, label=_("Open it when I log in"))

    class Meta:
        model = SavedView
        fields = ["name", "description", "app", "path", "query"]
        labels = {"name": _("Name"), "description": _("Description")}
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
        self.fields["app"].help_text = _("Whoever opens it sees only what they may see anyway.")
        if instance.app_id and instance.app_id not in {app.pk for app in apps}:
            self.fields["app"].help_text = _("It was for an app that you may not see any more; saving ends that.")
        if instance.pk:
            del self.fields["path"], self.fields["query"]

    def clean_name(self) -> str:
        name = " ".join(str(self.cleaned_data["name"]).split())
        if not any(unicodedata.category(sign)[0] in "LNPS" for sign in name):
            raise ValidationError(gettext("Give the view a name that can be read."))
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
        if cleaned.get("app"):
            self._check_that_all_is_of(cleaned["app"], cleaned.get("path"), cleaned.get("query"))
        return cleaned

    def _check_that_all_is_of(self, app: App, path: str | None, query: str | None) -> None:
        """Whoever may see the app alone is to be told of no other one, and to find what the view is of."""
        path, query = path or self.instance.path, self.instance.query if query is None else query
        if not page_of(path):
            gone = gettext("The page of this view is no more, so there is nothing to share. Delete the view.")
            self.add_error("app", gone)
            return
        if foreign := foreign_to(app, path, parse_qsl(query, keep_blank_values=True)):
            self.add_error("app", _is_not_of(app, foreign))

    def store(self) -> SavedView | None:
        """Store the view and what it is to its owner; None, with an error, when there is no room or no such name left.

        Both can have changed since the form was checked.
        """
        view: SavedView = self.instance
        try:
            with transaction.atomic():
                if view._state.adding:
                    view.owner, view.slug = self.owner, new_slug(view.name)
                    if not self._has_room():
                        self.add_error(None, _TOO_MANY)
                        return None
                view.save()
                pin(view, self.owner, self.cleaned_data["pin"])
                make_home(view, self.owner, self.cleaned_data["home"])
        except IntegrityError:
            self.add_error("name", _TWICE)
            return None
        return view

    def _has_room(self) -> bool:
        """Whether the owner may have one more. Holds their account, so that two at once are counted one by one."""
        User.objects.select_for_update().get(pk=self.owner.pk)
        return self.owner.saved_views.count() < MOST_VIEWS


def _is_not_of(app: App, foreign: Sequence[tuple[str, str]]) -> str:
    missing = gettext(
        "A view for everybody who may see %(app)s may only name what is of that app. It has %(missing)s. "
        "Keep the view for yourself, or save one without."
    )
    if foreign[_NAMED:]:
        missing = gettext(
            "A view for everybody who may see %(app)s may only name what is of that app. It has %(missing)s and more. "
            "Keep the view for yourself, or save one without."
        )
    named = [
        gettext("no %(filter)s: %(value)s")
        % {"filter": name, "value": isolated(Truncator(value).chars(_LONGEST_NAMED))}
        for name, value in foreign[:_NAMED]
    ]
    return missing % {"app": isolated(app.name), "missing": ", ".join(named)}


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
