"""Setting a password by a link, and asking for one."""

from typing import Any

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.views import PasswordResetConfirmView
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods

from certdash.adapters import too_many
from certdash.attempts import OF_ADDRESS, Count, TooManyAttempts, take
from certdash.audit import note
from certdash.devices import remember_device
from certdash.forms import ForgottenForm
from certdash.invitations import DAYS, send_link_later, tokens
from certdash.models import AuditKind, User

_MAILS = 3  # to one address, in the window of `attempts`


@method_decorator(login_not_required, name="dispatch")
class SetPassword(PasswordResetConfirmView):
    """Somebody with a link sets a password; the link's token moves into the session at once, out of the address."""

    template_name = "accounts/set_password.html"
    token_generator = tokens
    success_url = reverse_lazy("account_login")

    def dispatch(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if settings.OIDC_ONLY:
            raise Http404("Nobody has a password here.")
        return super().dispatch(*args, **kwargs)

    def get_user(self, uidb64: str) -> User | None:
        person: User | None = super().get_user(uidb64)
        return person if person and person.is_active else None

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"person": self.user, "sends_mail": settings.SENDS_MAIL}

    def render_to_response(self, context: dict[str, Any], **options: Any) -> HttpResponse:
        if not context["validlink"]:
            options["status"] = 410
        elif context["form"].errors:
            options["status"] = 422
        return super().render_to_response(context, **options)

    def form_valid(self, form: "SetPasswordForm[User]") -> HttpResponse:
        with transaction.atomic():
            response = super().form_valid(form)
            note(AuditKind.PERSON, None, form.user, change="password set by a link", account=form.user.username)
        remember_device(self.request, response, form.user)  # whoever guesses at it cannot keep this browser out
        messages.success(self.request, gettext("Your password is set. Log in with it."))
        return response


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def password_forgotten(request: HttpRequest) -> HttpResponse:
    """Sends a link to a new password, where mail goes out; the answer tells nobody who has an account."""
    if not settings.SENDS_MAIL or settings.OIDC_ONLY:
        raise Http404("No such page.")
    form = ForgottenForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return render(request, "accounts/forgotten.html", {"form": form}, status=422 if form.errors else 200)
    email = form.cleaned_data["email"]
    try:
        take(Count.of("forgotten from", get_adapter(request).get_client_ip(request), OF_ADDRESS))
    except TooManyAttempts as error:
        return too_many(request, error)
    person = _reachable(email)
    try:
        take(Count.of("forgotten", email.lower(), _MAILS))
    except TooManyAttempts:
        person = None  # told to nobody: their mails are there already
    send_link_later(person)
    told = ngettext(
        "If an account has this e-mail address, a link to a new password is on its way to it. "
        "It serves once, for %(days)s day.",
        "If an account has this e-mail address, a link to a new password is on its way to it. "
        "It serves once, for %(days)s days.",
        DAYS,
    )
    messages.info(request, told % {"days": DAYS})
    return redirect("account_login")


def _reachable(email: str) -> User | None:
    """Who has this address and a password, or an invitation: who comes by single sign-on alone needs none."""
    person = User.objects.filter(email__iexact=email, is_active=True).first()
    return person if person and (person.has_usable_password() or person.is_invited) else None
