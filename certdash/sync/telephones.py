"""Whether an app stores telephones: switched off, they are gone, and tell nobody apart any more."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from django.db import transaction
from django.db.models import F, Q, QuerySet

from certdash.falkor import Row
from certdash.models import App, Certificate, Change, Learner, Membership

from . import bulk
from .learners import ROW, rename_learners
from .lease import STOPPING
from .plan import identity_without_telephone

_FIELDS = ("stores_telephones", "tells_by_telephone", "telephones_left")
_WITHOUT_EMAIL = Q(email__regex=r"^\s*$")


def store_telephones(app: App) -> None:
    """From now on: the next full sync fills the column in."""
    with transaction.atomic():
        app.moved()
        App.objects.filter(pk=app.pk).update(stores_telephones=True, telephones_left=False)
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
            App.objects.filter(pk=app.pk).update(telephones_left=False)


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


def _clear_certificates(app: App) -> None:
    stored, last = Certificate.objects.filter(app=app).exclude(telephone="").order_by("pk"), 0
    while some := list(stored.filter(pk__gt=last).values_list("pk", flat=True)[: bulk.PART]):
        with _still_leaving(app):
            bulk.update(Certificate, ("telephone", "id"), (("", pk) for pk in some))
        last = some[-1]
        bulk.let_others_write()


def _clear_changes(app: App) -> None:
    """A change of a telephone alone was none, as it is told from now on; of others the telephone is not told."""
    details = Change.objects.filter(app=app, kind=Change.Kind.DETAILS)
    told = details.filter(Q(before__has_key="telephone") | Q(after__has_key="telephone")).order_by("pk")
    while some := list(told.values_list("pk", "before", "after")[: bulk.CHUNK]):
        left = [(_without(before), _without(after), pk) for pk, before, after in some]
        with _still_leaving(app):
            bulk.update(Change, ("before", "after", "id"), (one for one in left if one[0] or one[1]))
            Change.objects.filter(pk__in=[pk for before, after, pk in left if not before and not after]).delete()


def _without(fields: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in fields.items() if name != "telephone"}


# -- Learners ---------------------------------------------------------------------------------------------------


def _tell_apart_without(app: App) -> None:
    """Make one learner of those without an e-mail address whom only a telephone told apart."""
    same: dict[str, list[int]] = defaultdict(list)
    for pk, row in _rows_without_email(app):
        same[identity_without_telephone(row)].append(pk)
    for learners in same.values():
        _merge(learners)
    bulk.update(Learner, ("identity", "id"), ((identity, learners[0]) for identity, learners in same.items()))
    rename_learners(learners[0] for learners in same.values() if len(learners) > 1)


def _rows_without_email(app: App) -> Iterator[tuple[int, Row]]:
    """Each learner without an e-mail address (pk, in their order) with one of their rows: they agree in the rest."""
    learners = Learner.objects.filter(_WITHOUT_EMAIL, app=app).order_by("pk").values_list("pk", flat=True)
    for some in bulk.chunks(learners):
        rows = Certificate.objects.filter(learner__in=some).order_by("learner", "pk").values_list("learner", *ROW)
        yield from {learner: Row(*row) for learner, *row in rows}.items()


def _merge(learners: Iterable[int]) -> None:
    first, *others = learners
    for some in bulk.chunks(others):
        Certificate.objects.filter(learner__in=some).update(learner=first)
        for group in set(Membership.objects.filter(learner__in=some, until=None).values_list("group", flat=True)):
            _keep_oldest(Membership.objects.filter(learner__in=[first, *some], group=group, until=None))
        Membership.objects.filter(learner__in=some).update(learner=first)
        Learner.objects.filter(pk__in=some).delete()


def _keep_oldest(memberships: QuerySet[Membership]) -> None:
    _, *others = memberships.order_by("since", "pk").values_list("pk", flat=True)
    Membership.objects.filter(pk__in=others).delete()
