"""What is written down of what people do, for the owners of an app and for administrators."""

from django.utils import timezone

from certdash.models import App, AuditEntry, AuditKind, Team, User


def note(kind: AuditKind, app: App | None = None, person: User | None = None, **details: object) -> None:
    """Write an event down. `person`: who did it; none for a command, or when it is not known who it was.

    `details` are words and numbers of certdash's own: names of filters, a role, a count, a user name of an account.
    Never what somebody typed, and nothing of learners.
    """
    AuditEntry.objects.create(
        at=timezone.now(),
        kind=kind,
        app=app,
        app_name=app.name if app else "",
        person=person,
        person_name=person.username if person else "",
        details=details,
    )


def note_membership(team: Team, account: User, change: str, by: User | None) -> None:
    """Write down that somebody `joined` or `left` a team: also in each app to which the team has access."""
    note(AuditKind.TEAM, None, by, team=team.name, change=change, account=account.username)
    kind = AuditKind.ACCESS_GIVEN if change == "joined" else AuditKind.ACCESS_TAKEN
    for grant in team.grants.select_related("app").defer("app__token"):
        note(kind, grant.app, by, role=grant.role, account=account.username, team=team.name, change=change)


# Field of an app: what it is called where a change of it is told.
_OF_CONNECTION = {
    "name": "name",
    "base_url": "address",
    "token": "token",
    "app_id": "app ID",
    "refresh_minutes": "interval",
}


def note_connection(app: App, before: App | None, person: User | None = None) -> None:
    """Write down which fields of a connection are others than before, or that the app is new; never their values."""
    fields = [
        told for name, told in _OF_CONNECTION.items() if before is None or getattr(app, name) != getattr(before, name)
    ]
    if fields:
        details: dict[str, object] = {"changed": fields}
        if before is None:
            details["added"] = True
        if person is None:
            details["by"] = "command"
        note(AuditKind.CREDENTIALS, app, person, **details)
