"""The filters of the smaller lists."""

from typing import Any

from django.db.models import QuerySet

from certdash.models import App, Change, Grant, Group, Learner, Membership, SavedView, Story, SyncRun, Team, User
from certdash.models.text import fold

from .base import ListFilter, Values


class StoryFilter(ListFilter):
    """Stories of the viewer's apps."""

    class Meta:
        model = Story
        fields: list[str] = []


class GroupFilter(ListFilter):
    """Tracked groups of the viewer's apps."""

    class Meta:
        model = Group
        fields: list[str] = []


class LearnerFilter(ListFilter):
    """Learners of the viewer's apps."""

    class Meta:
        model = Learner
        fields: list[str] = []

    def by_words(self, queryset: Any, _name: str, words: str) -> Any:
        """Every word must occur in the name or e-mail of one of the learner's rows, without case and accents."""
        for word in fold(words).split():
            queryset = queryset.filter(search__contains=word)
        return queryset


class AppFilter(ListFilter):
    """Apps by their name."""

    app = None  # an app is what the list is of

    class Meta:
        model = App
        fields: list[str] = []


class AccountFilter(ListFilter):
    """Accounts by user name, name and e-mail address."""

    app = None

    class Meta:
        model = User
        fields: list[str] = []

    def by_words(self, queryset: Any, _name: str, words: str) -> Any:
        wanted = fold(words).split()
        told = queryset.order_by().values_list("pk", "username", "first_name", "last_name", "email")
        return queryset.filter(pk__in=[pk for pk, *names in told if _all_in(wanted, fold(" ".join(names)))])


class TeamFilter(ListFilter):
    """Teams by their name."""

    app = None

    class Meta:
        model = Team
        fields: list[str] = []


class SavedViewFilter(ListFilter):
    """Saved views by their name, and by whose they are."""

    app = None
    whose = Values("by_whose", sensible=("mine", "shared").__contains__)

    class Meta:
        model = SavedView
        fields: list[str] = []

    def by_whose(self, queryset: QuerySet[Any], _name: str, whose: list[str]) -> QuerySet[Any]:
        return queryset.filter(whose__in=whose)


def _all_in(words: list[str], text: str) -> bool:
    return all(word in text for word in words)


class _WholeFilter(ListFilter):
    """A list that is always shown whole."""

    app = q = None


class RunFilter(_WholeFilter):
    """The runs of an app by what came of them, as `shown_at` tells it."""

    status = Values("by_status", sensible={*SyncRun.Status.values, SyncRun.NO_SIGN}.__contains__)

    class Meta:
        model = SyncRun
        fields: list[str] = []

    def by_status(self, queryset: QuerySet[Any], _name: str, statuses: list[str]) -> QuerySet[Any]:
        return queryset.filter(shown_status__in=statuses)


class ChangeFilter(_WholeFilter):
    """The changes of a run by their kind."""

    kind = Values("by_kind", sensible=Change.Kind.values.__contains__)

    class Meta:
        model = Change
        fields: list[str] = []

    def by_kind(self, queryset: QuerySet[Any], _name: str, kinds: list[str]) -> QuerySet[Any]:
        return queryset.filter(kind__in=kinds)


class GrantFilter(_WholeFilter):
    class Meta:
        model = Grant
        fields: list[str] = []


class MemberFilter(_WholeFilter):
    class Meta:
        model = Membership
        fields: list[str] = []
