"""Erasing a learner of an app: gone from everything stored, and kept from coming back until an owner lifts it."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from django.core.cache import cache
from django.db import transaction
from django.db.models import Q

from certdash.models import (
    App,
    Certificate,
    Change,
    Erasure,
    Group,
    Learner,
    Membership,
    Rejection,
    SavedView,
    Story,
    SyncRun,
    User,
)
from certdash.models.text import fold
from certdash.spool import sweep_spool

from . import bulk
from .apply import OPEN
from .asking import ERASED
from .keeping import Erased
from .learners import rows_of
from .naming import Names, views_naming

_QUOTED = "What stood here quoted a learner who was erased."


class Traces(NamedTuple):
    """How many rows tell of a learner."""

    certificates: int  # withdrawn ones and those out of scope too
    changes: int
    memberships: int  # ended ones too
    runs: int  # whose reports name them
    views: int  # saved ones that name them or lead to their page; see `naming.views_naming`


def traces_of(learner: Learner) -> Traces:
    """What an erasure would remove, or blank in the reports of runs."""
    return Traces(
        Certificate.objects.filter(learner=learner).count(),
        Change.objects.filter(certificate__learner=learner).count(),
        Membership.objects.filter(learner=learner).count(),
        sum(1 for _ in _reports_naming(learner)),
        len(views_naming(learner)),
    )


def erase(learner: Learner, by: User | None, now: datetime) -> Traces:
    """Remove all that is stored of a learner, in one transaction, and keep their rows from being stored again.

    A sync that runs beside it leaves their rows out from its next transaction on. `by`: None for a command. Raises
    `Learner.DoesNotExist` when they have just become one with another learner: nothing is removed then.
    """
    app = learner.app
    with bulk.overwriting(), transaction.atomic():
        _wait_for_run(app)
        learner.refresh_from_db(fields=["identity", "name", "email"])
        Erasure.objects.get_or_create(
            app=app, digest=Erasure.digest_of(app, learner.identity), defaults={"at": now, "by": by}
        )
        return _remove(learner)


def lift(erasure: Erasure) -> None:
    """Let the learner come back: the next full sync compares all bytes again, since less is left out of them."""
    with transaction.atomic():
        erasure.app.moved()
        erasure.delete()


def is_erased(app: App, email: str) -> Erasure | None:
    """The erasure of whoever has this e-mail address, if there is one."""
    digest = Erasure.digest_of(app, Learner.identity_by_email(email))
    return Erasure.objects.filter(app=app, digest=digest).first()


def replay(app: App, erasures: Iterable[tuple[str, datetime]]) -> int:
    """Note these erasures (digest and moment), and erase whoever of them is stored; returns how many learners were.

    For a database that was restored from before they were made.
    """
    with transaction.atomic():
        app.moved()
        known = set(Erasure.objects.filter(app=app).values_list("digest", flat=True))
        Erasure.objects.bulk_create(
            [Erasure(app=app, digest=digest, at=at) for digest, at in erasures if digest not in known], batch_size=200
        )
        transaction.on_commit(cache.clear)
    return erase_known(app)


def erase_known(app: App) -> int:
    """Erase whoever is stored though they were erased; returns how many learners that were."""
    erased = Erased(app)
    if not erased:
        return 0
    stored = Learner.objects.filter(app=app).values_list("pk", "identity", "email")
    found = [pk for pk, identity, email in stored.iterator() if erased.has(identity) or _has(erased, pk, email)]
    for pk in found:
        with bulk.overwriting(), transaction.atomic():
            _wait_for_run(app)
            for learner in Learner.objects.filter(pk=pk).select_related("app"):
                _remove(learner)
    return len(found)


def _has(erased: Erased, learner: int, email: str) -> bool:
    """Somebody without an e-mail address may have been erased when telephones meant something else."""
    return not email.strip() and any(erased.covers(row) for row in rows_of(learner))


def _wait_for_run(app: App) -> None:
    """Hold the run under way, and then the app's row: in the order of a sync, so that the two cannot meet crosswise."""
    list(SyncRun.objects.filter(app=app).under_way().select_for_update().values_list("pk"))
    app.moved()


def _remove(learner: Learner) -> Traces:
    """Within the caller's transaction, which holds the app's row."""
    certificates = Certificate.objects.filter(learner=learner)
    changes = Change.objects.filter(certificate__learner=learner)
    memberships = Membership.objects.filter(learner=learner)
    views = SavedView.objects.filter(pk__in=views_naming(learner))
    gone = Traces(certificates.count(), changes.count(), memberships.count(), _blank_reports(learner), views.count())
    views.delete()
    # Their bytes hold the learner, and a digest of them says that they were applied completely.
    Story.objects.filter(pk__in=certificates.values("story")).update(**OPEN._asdict())
    Group.objects.filter(pk__in=memberships.values("group")).update(digest="")
    for some in (changes, memberships, certificates):
        some.delete()
    # Every letter in them is masked, but whose rows they were is not known.
    Rejection.objects.filter(run__app=learner.app).exclude(excerpt="").update(excerpt="")
    learner.delete()
    transaction.on_commit(cache.clear)  # counts are remembered by city, say
    transaction.on_commit(sweep_spool)  # a process that was killed may have left a file with their rows
    return gone


# -- Reports of runs --------------------------------------------------------------------------------------------


class _Report(NamedTuple):
    pk: int
    users: list[str]
    story: str
    message: str
    vendor_message: str


def _reports_naming(learner: Learner) -> Iterable[_Report]:
    """The reports in which the learner is named, as they are to be."""
    names = Names(learner)
    # What went well for everybody says numbers only.
    speaking = ~Q(users=[]) | ~Q(story="") | ~Q(vendor_message="") | ~Q(status__in=_TELL_NUMBERS)
    for row in SyncRun.objects.filter(speaking, app=learner.app).values_list(*_Report._fields).iterator():
        report = _Report(*row)
        users = [ERASED if names.in_words(user) else user for user in report.users]
        story = ERASED if names.whole.search(fold(report.story)) else report.story
        told = [_QUOTED if names.in_words(text) else text for text in (report.message, report.vendor_message)]
        blanked = _Report(report.pk, users, story, *told)
        if blanked != report:
            yield blanked


def _blank_reports(learner: Learner) -> int:
    blanked = list(_reports_naming(learner))
    for report in blanked:
        told = report._asdict()
        SyncRun.objects.filter(pk=told.pop("pk")).update(**told)
    return len(blanked)


_TELL_NUMBERS = (SyncRun.Status.SUCCESS, SyncRun.Status.UNCHANGED)
