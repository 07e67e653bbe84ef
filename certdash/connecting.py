"""Single sign-on for an account that is here already: its person connects it, or a one-time link does.

A provider account is bound to one account, by issuer and subject; never because of an e-mail address.
"""

from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from certdash.audit import note
from certdash.models import AuditKind, User
from certdash.single_sign_on import leave_teams


def is_connected(person: User) -> bool:
    """Whether the person can come in by the configured provider."""
    return _of(person).exists()


def connect(person: User, account: SocialAccount) -> None:
    """Bind the provider account to this person, instead of any other that either had before."""
    with transaction.atomic():
        if account.pk and account.user != person:
            _note("single sign-on went to another account", account.user)
            leave_teams(account.user)
        _of(person).exclude(pk=account.pk).delete()
        account.user = person
        account.save()
        _note("connected with single sign-on", person)


def disconnect(person: User) -> None:
    """Their password is the only way in again; what the provider's claim had opened is closed."""
    with transaction.atomic():
        if _of(person).delete()[0]:
            _note("disconnected from single sign-on", person)
            leave_teams(person)


def _of(person: User) -> QuerySet[SocialAccount]:
    accounts: QuerySet[SocialAccount] = SocialAccount.objects.filter(user=person, provider=settings.OIDC_PROVIDER)
    return accounts


def _note(change: str, person: User) -> None:
    note(AuditKind.PERSON, None, person, change=change, account=person.username)
