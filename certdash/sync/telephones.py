"""Whether an app stores telephones: switched off, they are gone, and tell nobody apart any more."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.db import transaction
from django.db.models import F, Q, QuerySet

from certdash.falkor import Row
from certdash.models import App, Certificate, Change, Learner, Membership, Story

from . import bulk
from .apply import OPEN
from .learners import ROW, rename_learners
from .lease import STOPPING
from .plan import identity_without_telephone

_FIELDS = ("stores_telephones", "tells_by_telephone", "telephones_left")
_NO_EMAIL = r"^\s*$"


def store_telephones(app: App) -> None:
    """From now on: the next full sync compares all bytes again, and fills the column in."""
    with transaction.atomic():
        app.moved()
        App.objects.filter(pk=app.pk).update(stores_telephones=True, telephones_left=False)
        # A digest may be of the time before they were removed: by the same rules, but with all of them in place.
        Story.objects.filter(app=app).update(**OPEN._asdict())
    app.refresh_from_db(fields=_FIELDS)


def forget_telephones(app: App) -> None:
    """Store none from now on; those that are stored are left for the worker to remove.

    A sync that runs beside it stops at its next transaction and is run again.
    """
    with transaction.atomic():
        app.moved()
        App.objects.filter(pk=app.pk).update(stores_telephones=False, tells_by_telephone=False, telephones_left=True)
        _tell_apart_without(app)
    app.refresh_from_db(fields=_FIELDS)


def clear_telephones(app: App) -> None:
    """Remove those that are left, in short transactions. Ends early when they are to be stored again, or the process is
    to end: then the next call goes on."""
    with bulk.overwriting(), suppress(_Ended):
        _clear_certificates(app)
        _clear_changes(app)
        with _still_leaving(app):
            # Switched on and off again meanwhile, there may be some behind us.
            App.objects.filter(pk=app.pk).update(telephones_left=_with_telephone(app).exists())


class _Ended(Exception):
    """Nothing is to be removed at this moment."""


@contextmanager
def _still_leaving(app: App) -> Iterator[None]:
    """A transaction that removes some. Raises `_Ended`."""
    with transaction.atomic():
        leaving = App.objects.filter(pk=app.pk, telephones_left=True)
        if STOPPING.is_set() or not leaving.update(version=F("version") + 1):
            raise _Ended
        yield


def _with_telephone(app: App) -> QuerySet[Certificate]:
    return Certificate.objects.filter(app=app).exclude(telephone="")


def _clear_certificates(app: App) -> None:
    """What is left is looked up within each transaction: two that do this at once share the work."""
    stored, last = _with_telephone(app).order_by("pk").values_list("pk", flat=True), 0
    while True:
        with _still_leaving(app):
            some = list(stored.filter(pk__gt=last)[: bulk.PART])
            bulk.update(Certificate, ("telephone", "id"), (("", pk) for pk in some))
        if not some:
            return
        last = some[-1]
        bulk.let_others_write()


def _clear_changes(app: App) -> None:
    """A change of a telephone alone was none, as it is told from now on; of others the telephone is not told."""
    details = Change.objects.filter(app=app, kind=Change.Kind.DETAILS)
    told = details.filter(Q(before__has_key="telephone") | Q(after__has_key="telephone")).order_by("pk")
    while True:
        with _still_leaving(app):
            some = list(told.values_list("pk", "before", "after")[: bulk.CHUNK])
            left = [(_without(before), _without(after), pk) for pk, before, after in some]
            bulk.update(Change, ("before", "after", "id"), (one for one in left if one[0] or one[1]))
            Change.objects.filter(pk__in=[pk for before, after, pk in left if not before and not after]).delete()
        if not some:
            return
        bulk.let_others_write()


def _without(fields: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in fields.items() if name != "telephone"}


# -- Learners ---------------------------------------------------------------------------------------------------


def _tell_apart_without(app: App) -> None:
    """Make one learner of those without an e-mail address whom only a telephone told apart."""
    same: dict[str, list[int]] = defaultdict(list)
    for pk, row in _rows_without_email(app):
        same[identity_without_telephone(row)].append(pk)
    _merge(app, {other: learners[0] for learners in same.values() for other in learners[1:]})
    bulk.update(Learner, ("identity", "id"), ((identity, learners[0]) for identity, learners in same.items()))
    rename_learners(learners[0] for learners in same.values() if len(learners) > 1)


def _rows_without_email(app: App) -> Iterator[tuple[int, Row]]:
    """Each learner without an e-mail address (pk, in their order) with one of their rows: they agree in the rest."""
    learners = Learner.objects.filter(app=app, email__regex=_NO_EMAIL).order_by("pk").values_list("pk", flat=True)
    for some in bulk.chunks(learners):
        rows = Certificate.objects.filter(learner__in=some).order_by("learner", "pk").values_list("learner", *ROW)
        yield from {learner: Row(*row) for learner, *row in rows}.items()


def _merge(app: App, becomes: dict[int, int]) -> None:
    """Let each of these learners (pk) become one with the other it is given with."""
    moves = [(first, other) for other, first in becomes.items()]
    bulk.update(Certificate, ("learner", "learner"), moves)
    oldest: dict[tuple[int, int], int] = {}
    doubled = []
    of_them = Membership.objects.filter(until=None, learner__app=app, learner__email__regex=_NO_EMAIL)
    for pk, group, learner in of_them.order_by("since", "pk").values_list("pk", "group", "learner"):
        if oldest.setdefault((group, becomes.get(learner, learner)), pk) != pk:
            doubled.append(pk)
    for some in bulk.chunks(doubled):
        Membership.objects.filter(pk__in=some).delete()
    bulk.update(Membership, ("learner", "learner"), moves)
    for some in bulk.chunks(becomes):
        Learner.objects.filter(pk__in=some).delete()
