"""The matrix: certificates counted by story and tracked group, as the filters of a page leave them."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from django.db.models import Count, Q, QuerySet

from certdash.filters import NO_GROUP, CertificateFilter
from certdash.models import App, CertificateQuerySet, Group, State, Story
from certdash.remembered import remembered_rows

COUNTED = (State.DELIVERED, State.PENDING)
# The percentages delivered from which the second to the last of five tints begin. Closer together towards the top,
# where most cells are; the last is that nobody is left, and never a rounded 100 %.
_STEPS = (50, 75, 90, 100)


class Cell(NamedTuple):
    """Certificates of the two documented states."""

    delivered: int
    pending: int

    @property
    def total(self) -> int:
        return self.delivered + self.pending

    @property
    def step(self) -> int:
        """The share delivered in five steps: 1 is less than half, 5 is all; 0 of nothing."""
        return 1 + bisect_right(_STEPS, 100 * self.delivered // self.total) if self.total else 0


NOTHING = Cell(0, 0)


def added(cells: Iterable[Cell]) -> Cell:
    delivered = pending = 0
    for cell in cells:
        delivered, pending = delivered + cell.delivered, pending + cell.pending
    return Cell(delivered, pending)


class Matrix:
    """The cells, and the stories and groups in which there is anything, app by app in the order of the apps.

    Which of a page's groups are shown changes no cell; `of_story` counts each certificate once. In three queries.
    """

    def __init__(self, filters: CertificateFilter) -> None:
        self.apps = apps = filters.apps
        asked, rows = filters.data.getlist("group"), filters.without("group")
        self.has_no_group = not asked or NO_GROUP in asked
        self.cells = _by_story_and_group(apps, rows)
        self.in_none = _by_story(apps, rows.in_no_group_or([])) if self.has_no_group else {}
        self.of_story = _by_story(apps, filters.qs)
        chosen = {group.pk for groups in filters.groups.values() for group in groups}
        self.offered = [group for group in filters.visible_groups if not asked or group.pk in chosen]
        by_group: dict[int, list[Cell]] = {}
        for (_, group), cell in self.cells.items():
            by_group.setdefault(group, []).append(cell)
        self.of_group = {group.pk: added(by_group[group.pk]) for group in self.offered if group.pk in by_group}
        place = {app.pk: number for number, app in enumerate(apps)}
        self.groups: list[Group] = [group for group in self.offered if group.pk in self.of_group]
        self.groups.sort(key=lambda group: place[group.app_id])
        self.stories: list[Story] = [story for story in filters.visible_stories if story.pk in self.of_story]
        self.stories.sort(key=lambda story: place[story.app_id])

    def cell(self, story: Story, group: Group) -> Cell:
        return self.cells.get((story.pk, group.pk), NOTHING)

    def none(self, *stories: Story) -> Cell:
        """Of people in no tracked group."""
        return added(self.in_none.get(story.pk, NOTHING) for story in stories)

    def all(self, *stories: Story) -> Cell:
        """Each certificate once."""
        return added(self.of_story.get(story.pk, NOTHING) for story in stories)


def _by_story(apps: Sequence[App], certificates: CertificateQuerySet) -> dict[int, Cell]:
    counted = remembered_rows(apps, _counted(certificates, "story"))
    return {story: Cell(*counts) for story, *counts in counted if any(counts)}


def _by_story_and_group(apps: Sequence[App], certificates: CertificateQuerySet) -> dict[tuple[int, int], Cell]:
    """Of all groups, untracked ones, too; who is in two of them now counts in both."""
    # Whichever groups a page shows: one look at the rows serves every choice of them, and without a list of groups
    # the database need not look for each of them.
    members = certificates.filter(learner__memberships__until=None, learner__memberships__group__isnull=False)
    rows = remembered_rows(apps, _counted(members, "story", "learner__memberships__group"))
    return {(story, group): Cell(*counts) for story, group, *counts in rows if any(counts)}


def _counted(certificates: CertificateQuerySet, *dimensions: str) -> QuerySet[Any, Any]:
    """Rows of other states count nowhere, and are not sorted out before: SQLite would look each row up by its state."""
    return (
        certificates.order_by()
        .values_list(*dimensions)
        .annotate(
            delivered=Count("pk", filter=Q(state=State.DELIVERED)), pending=Count("pk", filter=Q(state=State.PENDING))
        )
    )
