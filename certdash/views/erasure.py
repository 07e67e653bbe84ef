"""What an owner decides about personal data: erasing a learner and lifting that, and storing telephones."""

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods

from certdash.access import app_or_404
from certdash.audit import note
from certdash.forms import ErasedForm, TelephonesForm
from certdash.models import App, AuditKind, Erasure, Learner, Role
from certdash.rows import grouped
from certdash.sync.erasing import erase, is_erased, lift, traces_of
from certdash.sync.telephones import forget_telephones, store_telephones
from certdash.tasks import enqueue, remove_telephones
from certdash.views.page import page_is_about, viewer, visible_apps

_READ_AND_WRITE = ["GET", "HEAD", "POST"]
_SHOWN = 200  # erasures


def _app_of_owner(request: HttpRequest, slug: str) -> App:
    app = app_or_404(viewer(request), slug, Role.OWNER)
    page_is_about(request, [app])
    return app


@require_http_methods(_READ_AND_WRITE)
def person_erase(request: HttpRequest, pk: int) -> HttpResponse:
    """An owner sees what an erasure of this learner would remove, and does it."""
    learner = get_object_or_404(Learner.objects.select_related("app"), app__in=visible_apps(request), pk=pk)
    app = _app_of_owner(request, learner.app.slug)
    if request.method != "POST":
        return render(request, "erasure/erase.html", {"app": app, "learner": learner, "traces": traces_of(learner)})
    with transaction.atomic():
        try:
            gone = erase(learner, viewer(request), timezone.now())
        except Learner.DoesNotExist as error:
            raise Http404("One with another learner by now.") from error
        note(AuditKind.ERASED, app, viewer(request), certificates=gone.certificates)
    told = ngettext(
        "The learner is erased, with %(many)s certificate and all that was noted of them. "
        "The next syncs leave their rows out.",
        "The learner is erased, with %(many)s certificates and all that was noted of them. "
        "The next syncs leave their rows out.",
        gone.certificates,
    )
    messages.success(request, told % {"many": grouped(gone.certificates)})
    return redirect("app", app.slug)


@require_http_methods(_READ_AND_WRITE)
def app_privacy(request: HttpRequest, slug: str) -> HttpResponse:
    """An owner decides whether telephones are stored, and sees how long what is kept."""
    app = _app_of_owner(request, slug)
    form = TelephonesForm(request.POST if request.method == "POST" else None, app)
    if request.method == "POST" and form.is_valid():
        _switch_telephones(request, app, form.cleaned_data["telephones"] == "on")
        return redirect("app_privacy", slug)
    context = {"app": app, "form": form, "erasures": app.erasures.count(), "keep_days": settings.KEEP_DAYS}
    return render(request, "erasure/privacy.html", context, status=422 if form.errors else 200)


def _switch_telephones(request: HttpRequest, app: App, stored: bool) -> None:
    if stored != app.stores_telephones:
        note(AuditKind.TELEPHONES, app, viewer(request), stored=stored)
    if stored:
        store_telephones(app)
        messages.success(request, gettext("Telephones are stored. The next full sync fills them in."))
        return
    forget_telephones(app)
    enqueue(remove_telephones, app.pk)
    messages.success(request, gettext("From now on no telephones are stored. Those that were are being removed."))


@require_http_methods(_READ_AND_WRITE)
def app_erasures(request: HttpRequest, slug: str) -> HttpResponse:
    """The erasures of an app, without telling of whom; an e-mail address that is posted finds its own."""
    app = _app_of_owner(request, slug)
    form = ErasedForm(request.POST if request.method == "POST" else None)
    asked = request.method == "POST" and form.is_valid()
    context = {
        "app": app,
        "form": form,
        "asked": asked,
        "found": is_erased(app, form.cleaned_data["email"]) if asked else None,
        "erasures": app.erasures.select_related("by")[:_SHOWN],
        "more": max(0, app.erasures.count() - _SHOWN),
    }
    return render(request, "erasure/erasures.html", context, status=422 if form.errors else 200)


@require_http_methods(_READ_AND_WRITE)
def erasure_lift(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """An owner lets an erased learner come back with the next full sync."""
    app = _app_of_owner(request, slug)
    erasure = get_object_or_404(Erasure.objects.select_related("app", "by"), app=app, pk=pk)
    if request.method != "POST":
        return render(request, "erasure/lift.html", {"app": app, "erasure": erasure})
    with transaction.atomic():
        lift(erasure)
        note(AuditKind.ERASURE_LIFTED, app, viewer(request))
    messages.success(request, gettext("The erasure is lifted. The next full sync stores what the vendor still has."))
    return redirect("app_erasures", slug)
