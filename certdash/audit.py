"""What is written down of what people do, for the owners of an app and for administrators."""

from django.utils import timezone

from certdash.models import App, AuditEntry, AuditKind, User


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
