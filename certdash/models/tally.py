"""Counts of live certificates beside what they belong to."""

from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Count, Max, Q, QuerySet

from .certificate import CertificateQuerySet, State


class Tally(NamedTuple):
    """The certificates of a story, a group or a person: how many, and when the newest is from."""

    delivered: int = 0
    pending: int = 0
    total: int = 0
    newest: datetime | None = None

    @property
    def share(self) -> float | None:
        """Of delivered and pending ones, the part that is delivered; None when there is neither."""
        counted = self.delivered + self.pending
        return self.delivered / counted if counted else None


def tallies(certificates: CertificateQuerySet, path: str) -> QuerySet[Any, Any]:
    """By what `path` leads to from the live ones: its pk, and the four parts of its tally."""
    return (
        certificates.live().order_by().values_list(path)
        .annotate(
            delivered=Count("pk", filter=Q(state=State.DELIVERED)),
            pending=Count("pk", filter=Q(state=State.PENDING)),
            total=Count("pk"),
            newest=Max("timestamp"),
        )
    )  # fmt: skip
