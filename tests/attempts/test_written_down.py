"""What is written down of attempts."""

from collections import Counter

import pytest

from certdash.models import AuditEntry, AuditKind
from tests import world
from tests.attempts.trying import attempt, is_open, statuses


def written():
    return [
        (entry.kind, entry.person_name, entry.details.get("how"), entry.details.get("reason"))
        for entry in AuditEntry.objects.order_by("id")
    ]


def test_what_is_written_down(people):
    for login, password in [("viewer", "guess"), ("who?", "guess"), ("closed", world.PASSWORD)]:
        attempt(login, password)
    is_open("viewer@example.com")
    assert written() == [
        (AuditKind.LOGIN_FAILED, "viewer", "password", "wrong password"),
        (AuditKind.LOGIN_FAILED, "", "password", "unknown name"),
        (AuditKind.LOGIN_FAILED, "closed", "password", "deactivated"),
        (AuditKind.LOGIN, "viewer", "password", None),
    ]


def test_nothing_that_was_typed_is_written_down(cast):
    attempt("my-secret-typed-as-name", "my-secret")
    assert "secret" not in str(list(AuditEntry.objects.values()))


@pytest.mark.parametrize("login", ["viewer", "nobody"])
def test_a_flood_is_written_down_once(login, cast):
    statuses(login, 60)
    reasons = Counter(reason for *_, reason in written())
    assert (reasons["too many attempts"], sum(reasons.values())) == (1, 11)


def test_the_old_password_is_counted_like_any_other(cast, client, settings):
    settings.ACCOUNT_RATE_LIMITS = False  # allauth's own, which lets five through a minute
    client.force_login(cast.viewer)
    form = {"oldpassword": "guess", "password1": "another-horse-8", "password2": "another-horse-8"}
    answers = [client.post("/accounts/password/change/", form).status_code for _ in range(11)]
    assert answers == [200] * 10 + [429]
