"""The people of the dashboard, for superusers: inviting, changing and deactivating them, and links to new passwords."""

from copy import copy
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db import IntegrityError, transaction
from django.db.models import CharField, F, QuerySet, Value
from django.db.models.functions import Coalesce, Concat, Lower, NullIf, Trim
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext, gettext_lazy, ngettext, override
from django.views.decorators.http import require_http_methods, require_POST

from certdash.access import superuser_or_404
from certdash.audit import note, note_membership
from certdash.connecting import is_connected
from certdash.filters import AccountFilter
from certdash.forms import PersonForm
from certdash.invitations import DAYS, connecting_link, end_links, password_link, send_link
from certdash.links import isolated
from certdash.models import AuditKind, Grant, User
from certdash.tables import AccountTable
from certdash.views.page import List, viewer

_READ_AND_WRITE = ["GET", "HEAD", "POST"]


class SuperusersList(List):
    """A list that is for superusers and does not exist for anybody else."""

    of_vendor = False

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        superuser_or_404(viewer(request))
        return super().dispatch(request, *args, **kwargs)


class Accounts(SuperusersList):
    """Everybody with an account."""

    filter_class = AccountFilter
    table_class = AccountTable
    template_name = "accounts/people.html"
    title = gettext_lazy("Accounts")
    file_name = "accounts"

    def queryset(self) -> QuerySet[Any]:
        full_name = NullIf(Trim(Concat("first_name", Value(" "), "last_name")), Value(""), output_field=CharField())
        return User.objects.annotate(sort_name=Lower(Coalesce(full_name, "username")), sort_email=Lower("email"))

    def context(self) -> dict[str, Any]:
        return {"by_password": not settings.OIDC_ONLY}


@require_http_methods(_READ_AND_WRITE)
def account_add(request: HttpRequest) -> HttpResponse:
    """Makes an account without a password, and invites its person."""
    _superuser_with_passwords_or_404(request)
    form = PersonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        form.instance.set_unusable_password()
        try:
            with transaction.atomic():
                person = form.store()
                _note(request, "invited as a superuser" if person.is_superuser else "invited", person)
                _note_teams(request, form)
        except IntegrityError:  # the same form was sent twice, and the other one was quicker
            messages.info(
                request,
                gettext("An account with this user name or e-mail address was made just now: it is listed here."),
            )
            return redirect("accounts")
        return _hand_over(request, person)
    return render(request, "accounts/add.html", _form_context(form), status=422 if form.errors else 200)


@require_http_methods(_READ_AND_WRITE)
def account(request: HttpRequest, pk: int) -> HttpResponse:
    """One account: what it is, what it may do, and what can be done with it."""
    superuser_or_404(viewer(request))
    stored = get_object_or_404(User, pk=pk)
    form = PersonForm(request.POST if request.method == "POST" else None, copy(stored), own=stored == viewer(request))
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                _lock_superusers(request)
                person = form.store()
                _note_changes(request, form, stored.username)
        except IntegrityError:
            messages.error(
                request, gettext("Nothing was saved: somebody else was given this name or address just now.")
            )
            return redirect("account", pk)
        messages.success(request, gettext("The account of %(person)s is saved.") % {"person": isolated(str(person))})
        return redirect("accounts")
    context = _form_context(form) | {
        "person": stored,
        "own": stored == viewer(request),
        "grants": _grants(stored),
        "filled_teams": stored.teams.exclude(claim=""),
        "single_sign_on": bool(settings.OIDC_ISSUER),
        "connected": is_connected(stored),
        "by_password": not settings.OIDC_ONLY,
    }
    return render(request, "accounts/person.html", context, status=422 if form.errors else 200)


@require_POST
def account_switch(request: HttpRequest, pk: int, active: bool) -> HttpResponse:
    """Deactivates an account, whose person is out with their next request, or lets them in again."""
    superuser_or_404(viewer(request))
    person = get_object_or_404(User, pk=pk)
    if person == viewer(request):
        messages.error(request, gettext("Your own account stays open: another superuser can deactivate it."))
        return redirect("account", pk)
    with transaction.atomic():
        _lock_superusers(request)
        closings = F("closings") + int(not active)
        if User.objects.filter(pk=pk, is_active=not active).update(is_active=active, closings=closings):
            _note(request, "reactivated" if active else "deactivated", person)
    if active:
        told = gettext("%(person)s can log in again, with the rights from before.")
    else:
        told = gettext("%(person)s is logged out everywhere and cannot log in any more.")
    messages.success(request, told % {"person": isolated(str(person))})
    return redirect("account", pk)


@require_POST
def account_link(request: HttpRequest, pk: int) -> HttpResponse:
    """Makes a link to a new password."""
    _superuser_with_passwords_or_404(request)
    person = get_object_or_404(User, pk=pk)
    if not person.is_active:
        told = gettext("%(person)s is deactivated, so no link was made: reactivate the account first.")
        messages.error(request, told % {"person": isolated(str(person))})
        return redirect("account", pk)
    _note(request, "link to a new password made", person)
    return _hand_over(request, person)


@require_POST
def account_connect(request: HttpRequest, pk: int) -> HttpResponse:
    """Makes a link that connects the account with single sign-on; the page that answers is all that ever shows it."""
    superuser_or_404(viewer(request))
    if not settings.OIDC_ISSUER:
        raise Http404("There is no single sign-on here.")
    person = get_object_or_404(User, pk=pk, is_active=True)
    _note(request, "link to connect single sign-on made", person)
    context = {"person": person, "link": connecting_link(person), "days": DAYS, "connects": True}
    return render(request, "accounts/link.html", context)


def _superuser_with_passwords_or_404(request: HttpRequest) -> None:
    superuser_or_404(viewer(request))
    if settings.OIDC_ONLY:
        raise Http404("Nobody has a password here.")


def _hand_over(request: HttpRequest, person: User) -> HttpResponse:
    """Send the link, or show it on the page that answers, which is the only place where it ever is."""
    end_links(person)
    by_mail = settings.SENDS_MAIL and bool(person.email)
    if by_mail and send_link(person):
        told = ngettext(
            "A link is on its way to %(email)s. It serves once, for %(days)s day.",
            "A link is on its way to %(email)s. It serves once, for %(days)s days.",
            DAYS,
        )
        messages.success(request, told % {"email": person.email, "days": DAYS})
        return redirect("account", person.pk)
    context = {"person": person, "link": password_link(person), "days": DAYS, "mail_failed": by_mail}
    return render(request, "accounts/link.html", context)


def _lock_superusers(request: HttpRequest) -> None:
    """Of two superusers who take the right from each other, the second finds that it is gone: one always stays."""
    left = User.objects.select_for_update().filter(is_superuser=True, is_active=True).order_by("pk")
    if viewer(request) not in list(left):
        raise Http404("No such page.")


def _grants(person: User) -> QuerySet[Grant]:
    """Every role of theirs, also those that they have by a team."""
    return Grant.objects.of(person).select_related("app", "team").defer("app__token").order_by("app__name", "pk")


def _form_context(form: PersonForm) -> dict[str, Any]:
    return {"form": form, "sends_mail": settings.SENDS_MAIL, "days": DAYS}


def _note(request: HttpRequest, change: str, person: User, **details: object) -> None:
    note(AuditKind.PERSON, None, viewer(request), change=change, account=person.username, **details)


def _note_changes(request: HttpRequest, form: PersonForm, username: str) -> None:
    person = form.instance
    if "is_superuser" in form.changed_data:
        _note(request, "made a superuser" if person.is_superuser else "no superuser any more", person)
    with override("en"):  # what is written down is in one language, whoever did it
        fields = [str(form[name].label) for name in form.changed_data if name not in ("is_superuser", "teams")]
    if fields:
        renamed = {"before": username} if "username" in form.changed_data else {}
        _note(request, "changed", person, fields=fields, **renamed)
    _note_teams(request, form)


def _note_teams(request: HttpRequest, form: PersonForm) -> None:
    for change, teams in (("joined", form.joined), ("left", form.left)):
        for team in teams:
            note_membership(team, form.instance, change, viewer(request))
