"""Whether an app stores telephones: switched off, they are gone, and tell nobody apart any more."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from django.db import transaction
from django.db.models import Q, QuerySet

from certdash.falkor import Row
from certdash.models import App, Certificate, Change, Learner, Membership

from . import bulk
from .learners import ROW, rename_learners
from .plan import identity_without_telephone

_WITHOUT_EMAIL = Q(email__regex=r"^\s*$")


def store_telephones(app: App) -> None:
    """From now on: the next full sync fills the column in."""
    with transaction.atomic():
        app.moved()
        App.objects.filter(pk=app.pk).update(stores_telephones=True)
    app.refresh_from_db(fields=["stores_telephones"])


def forget_telephones(app: App) -> int:
    """Store none from now on, and remove those that are stored; returns of how many certificates.

    A sync that runs beside it stops at its next transaction and is run again. Safe to repeat: cut off, what is left
    goes the next time.
    """
    with transaction.atomic():
        app.moved()
        App.objects.filter(pk=app.pk).update(stores_telephones=False, tells_by_telephone=False)
        _tell_apart_without(app)
    app.refresh_from_db(fields=["stores_telephones", "tells_by_telephone"])
    return clear_telephones(app)


def clear_telephones(app: App) -> int:
    """Remove those that are stored; returns of how many certificates."""
    with bulk.overwriting():
        cleared = _clear_certificates(app)
        _clear_changes(app)
    return cleared


def _clear_certificates(app: App) -> int:
    cleared = 0
    told = Certificate.objects.filter(app=app).exclude(telephone="")
    for some in bulk.chunks(list(told.values_list("pk", flat=True)), bulk.PART):
        with transaction.atomic():
            app.moved()
            bulk.update(Certificate, ("telephone", "id"), (("", pk) for pk in some))
        cleared += len(some)
    return cleared


def _clear_changes(app: App) -> None:
    """A change of a telephone alone was none, as it is told from now on; of others the telephone is not told."""
    details = Change.objects.filter(app=app, kind=Change.Kind.DETAILS)
    told = details.filter(Q(before__has_key="telephone") | Q(after__has_key="telephone"))
    for some in bulk.chunks(list(told.values_list("pk", "before", "after"))):
        left = [(_without(before), _without(after), pk) for pk, before, after in some]
        with transaction.atomic():
            app.moved()
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
