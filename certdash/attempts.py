"""How many passwords may be tried: counted in the database, and so for all processes and machines together.

In any 15 minutes at most 10 wrong passwords are looked at for one account, however it was named and whatever the
request said of itself. An attempt is counted before the password is looked at, so that twenty at once are not
twenty looked at, and given back when the password was right.

Three counts stand between a stranger and an account:

* of the client's address: 100;
* of the name that was typed, whether or not it is anybody's: 10. Who reaches it is told when to try again;
* of the account: 10. Who reaches only this one, because the account has two names, is answered as for a wrong
  password: to be told would be to learn that both names are of one account.

Refused attempts do not count, so every limit ends by itself. Whoever keeps on trying could still keep the owner of
an account from logging in. Therefore a browser from which somebody has logged in holds a cookie (see `devices`), and
for that person it has 10 attempts of its own, which nobody else can use up, and is not asked about its address. Who
has no such browser gets in by single sign-on, or by a new password from an administrator.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from django.db import transaction
from django.utils.crypto import salted_hmac

from certdash.models import LoginAttempts

WINDOW = 15 * 60  # seconds
OF_ACCOUNT = 10
OF_ADDRESS = 100
_CLEARED_AT_ONCE = 1000


@dataclass(frozen=True)
class Count:
    """What is counted (a digest of it), and how many attempts it has in the window."""

    key: str
    most: int = OF_ACCOUNT

    @classmethod
    def of(cls, kind: str, what: object, most: int = OF_ACCOUNT) -> "Count":
        return cls(salted_hmac("certdash.attempts", f"{kind}:{what}", algorithm="sha256").hexdigest(), most)


class TooManyAttempts(Exception):
    """A count is used up. Trying again can help after `seconds`."""

    def __init__(self, key: str, seconds: int) -> None:
        super().__init__(f"Too many attempts; the next one is possible in {seconds} seconds.")
        self.key = key
        self.seconds = seconds


def take(*counts: Count) -> float:
    """Count an attempt in each of them, and return the moment by which it can be given back.

    Raises `TooManyAttempts` when one of them is used up; then none has counted it.
    """
    now = time.time()
    with transaction.atomic():
        rows = _locked(counts)
        fresh = any(not row.moments for row, _count in rows)
        for row, count in rows:
            row.moments = [moment for moment in row.moments if moment > now - WINDOW]
            if len(row.moments) >= count.most:
                raise TooManyAttempts(count.key, ceil(row.moments[-count.most] + WINDOW - now))
        for row, _count in rows:
            row.moments, row.latest = [*row.moments, now], now
            row.save()
    if fresh:
        _clear(now)
    return now


def give_back(moment: float, *counts: Count) -> None:
    """The attempt of this moment was none: the password was right."""
    with transaction.atomic():
        for row, _count in _locked(counts):
            if moment in row.moments:
                row.moments.remove(moment)
                row.save()


def first_in_window(kind: str, key: str) -> bool:
    """Whether this is the first time in 15 minutes that this is asked of the key."""
    try:
        take(Count.of(kind, key, most=1))
    except TooManyAttempts:
        return False
    return True


def _locked(counts: Sequence[Count]) -> list[tuple[LoginAttempts, Count]]:
    """Their rows, which nobody else reads or writes until the transaction ends."""
    # Always in one order: two requests that share rows must not wait for each other.
    in_order = sorted(counts, key=lambda count: count.key)
    rows = LoginAttempts.objects.select_for_update()
    return [(rows.get_or_create(key=count.key)[0], count) for count in in_order]


def _clear(now: float) -> None:
    """Take rows away that count nothing any more."""
    with transaction.atomic():
        # Rows in use are somebody's who may wait for one of these: they are left for the next time.
        old = LoginAttempts.objects.select_for_update(skip_locked=True).filter(latest__lt=now - WINDOW)
        LoginAttempts.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:_CLEARED_AT_ONCE])).delete()
