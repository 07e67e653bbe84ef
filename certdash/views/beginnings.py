"""Why there is nothing yet, and the first step of who can take it."""

from collections.abc import Sequence
from typing import NamedTuple

from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils.translation import gettext

from certdash.access import apps_for
from certdash.models import App, Group, Role, User


class Beginning(NamedTuple):
    """One sentence and one action; without `url` there is none for this person."""

    why: str
    url: str = ""
    label: str = ""


def no_app(person: User) -> Beginning:
    """Of who sees no app: a superuser can add one."""
    if person.is_superuser:
        return Beginning(gettext("No app is connected yet."), reverse("app_add"), gettext("Add app"))
    return Beginning(gettext("No app is shared with you yet. Ask the owner of an app to give you access."))


def no_group(person: User, apps: Sequence[App]) -> Beginning:
    """Where no group of these apps is tracked: an owner of one can list those to compare."""
    tracked = Group.objects.filter(app=OuterRef("pk"), tracked=True)
    owned = apps_for(person, Role.OWNER).filter(~Exists(tracked), pk__in=[app.pk for app in apps])
    if app := owned.order_by("name", "pk").first():
        why = gettext("No group is tracked yet. The vendor names no groups, so you list those to compare.")
        return Beginning(why, reverse("app_groups", args=[app.slug]), gettext("List groups"))
    return Beginning(gettext("No group is tracked yet: an owner of an app lists them."))
