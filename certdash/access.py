"""Who may see and do what. Every page and every file starts here; what is not granted does not exist."""

from collections.abc import Iterable

from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.http import Http404

from certdash.models import App, Grant, Role, SavedView, SyncRun, User, is_shared


def apps_for(user: User, role: Role = Role.VIEWER) -> QuerySet[App]:
    """The apps in which this person has at least the role, alone or in a team; a superuser has every role in all.

    Each knows their best role in it (`own_role`).
    """
    # `is_written`: counts that are remembered may be of a moment ago then.
    writing = SyncRun.objects.under_way().exclude(applying_since=None).filter(app=OuterRef("pk"))
    apps = App.objects.annotate(is_written=Exists(writing))
    if user.is_superuser:
        return apps.annotate(own_role=Value(Role.OWNER))
    given = Grant.objects.of(user)
    apps = apps.annotate(own_role=given.filter(app=OuterRef("pk")).best_first().values("role")[:1])
    return apps.filter(pk__in=given.filter(role__in=role.and_above).values("app"))


def role_in(user: User, app: App) -> Role | None:
    """This person's role in the app, the best of their own and their teams'; None without any."""
    if user.is_superuser:
        return Role.OWNER
    best = Grant.objects.of(user).filter(app=app).best_first().first()
    return Role(best.role) if best else None


def superuser_or_404(user: User) -> None:
    """Accounts and teams are for superusers. Raises `Http404` for everybody else."""
    if not user.is_superuser:
        raise Http404("No such page.")


def views_for(user: User, apps: Iterable[App]) -> QuerySet[SavedView]:
    """The saved views of this person and those shared with everybody who may see one of these apps of theirs."""
    return SavedView.objects.filter(Q(owner=user) | Q(is_shared(), app__in=apps))


def may_delete_view(user: User, view: SavedView) -> bool:
    """Its owner may, and the owners of the app it is shared with."""
    return view.owner_id == user.pk or (view.app is not None and role_in(user, view.app) == Role.OWNER)


def app_or_404(user: User, slug: str, role: Role = Role.VIEWER) -> App:
    """The app of this slug. Raises `Http404` when it is foreign, `PermissionDenied` when the role does not reach."""
    app = apps_for(user).filter(slug=slug).first()
    if app is None:
        raise Http404("No such app.")
    if role != Role.VIEWER and role_in(user, app) not in role.and_above:
        raise PermissionDenied
    return app
