"""Links with which somebody sets a password of their own: sent by mail, or handed over by an administrator.

And links that connect an account with single sign-on, which are only handed over.

A link serves once, for three days: it ends with a new password, with a log-in, with another e-mail address, and when
the account is closed.
"""

import logging
from threading import Thread
from typing import Any

from django.conf import settings
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core.mail import EmailMessage
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode
from django.utils.translation import gettext, ngettext

from certdash.models import User

log = logging.getLogger(__name__)


class _Tokens(PasswordResetTokenGenerator):
    """Django's, which end besides when the account is closed."""

    def _make_hash_value(self, user: Any, timestamp: int) -> str:
        return f"{super()._make_hash_value(user, timestamp)}{user.closings}"


class _Connecting(_Tokens):
    key_salt = "certdash.connecting"  # a link of one kind is none of the other


tokens, connecting = _Tokens(), _Connecting()
DAYS = settings.PASSWORD_RESET_TIMEOUT // (24 * 3600)


def password_link(person: User) -> str:
    """A new link for this person, who may be one that is not stored. It opens the account: it belongs in no log."""
    return _link("set_password", person, tokens)


def connecting_link(person: User) -> str:
    """The same, to connect the account with single sign-on."""
    return _link("connect_by_link", person, connecting)


def _link(page: str, person: User, its_tokens: _Tokens) -> str:
    uid = urlsafe_base64_encode(force_bytes(person.pk or 0))
    return f"{settings.PUBLIC_URL}{reverse(page, args=[uid, its_tokens.make_token(person)])}"


def person_of(uid: str) -> User | None:
    """Whose link it is, by its first part; None for nobody, or for a closed account."""
    try:
        return User.objects.filter(pk=int(urlsafe_base64_decode(uid)), is_active=True).first()
    except (ValueError, OverflowError):
        return None


def end_links(person: User) -> None:
    """End the links of somebody who has not been here yet. Other people's end with their next log-in."""
    if person.is_invited:
        person.set_unusable_password()
        person.save(update_fields=["password"])


def send_link(person: User) -> bool:
    """Send this person a new link; whether the mail server took it."""
    return _deliver(_mail(person))


def send_link_later(person: User | None) -> None:
    """The same without a wait for the mail server. For nobody it takes as long, and without an address goes nowhere."""
    Thread(target=_deliver, args=[_mail(person or User(username="nobody"))]).start()


def _deliver(mail: EmailMessage) -> bool:
    try:
        return bool(mail.send())
    except OSError as error:
        # Its own words may hold the address.
        log.warning("A mail with a link to a new password was not taken by the mail server: %s", type(error).__name__)
        return False


def _mail(person: User) -> EmailMessage:
    if person.is_invited:
        subject = gettext("Your account in certdash")
        why = gettext("There is an account for you in certdash, with the user name %(name)s.")
        otherwise = gettext("If you do not know what this is about, leave the mail alone.")
    else:
        subject = gettext("A new password in certdash")
        why = gettext("Somebody, probably you, asked for a new password in certdash, with the user name %(name)s.")
        otherwise = gettext("If it was not you, leave the mail alone: your password stays as it is.")
    serves = ngettext(
        "The link serves once, and for %(days)s day.", "The link serves once, and for %(days)s days.", DAYS
    )
    text = (
        f"{why % {'name': person.username}}\n\n"
        f"{gettext('Set a password here:')}\n{password_link(person)}\n\n"
        f"{serves % {'days': DAYS}} {otherwise}\n"
    )
    return EmailMessage(subject, text, to=[person.email])
