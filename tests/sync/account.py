"""A vendor that answers just what it is asked, and what is stored of its answers."""

import json
from typing import Any

from django.utils import timezone
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from certdash.models import App, Certificate, Change, Membership, SyncRun
from certdash.sync.withdrawals import accept, withdraw_accepted
from tests.falkor.vendors import row, success
from tests.sync.vendor import Vendor, story

REFUSED = Response('{"status": "error", "message": "Too large."}', 400)


class Account(Vendor):
    """A vendor that knows who holds what and who is in which group, and answers just what it is asked."""

    def __init__(self, server: HTTPServer, app: App) -> None:
        super().__init__(server, app)
        self.holders: dict[str, set[str]] = {}  # last names by the name of the story
        self.members: dict[str, set[str]] = {}  # last names by the name of the group
        self.refused: set[str] = set()  # stories and groups for which a call fails
        self.broken: set[str] = set()  # last names whose rows cannot be understood

    def _answer(self, request: Request) -> Response:
        asked = json.loads(request.data)
        self.asked.append(asked)
        named = {asked.get("story"), *asked.get("groups", [])}
        if named & self.refused:
            return REFUSED
        return Response(success(*self._stories(asked)), mimetype="application/json")

    def _stories(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        found = []
        for name, holders in self.holders.items():
            if asked.get("story", name) not in (name, id_of(name)):
                continue
            rows = [self._row(name, last) for last in sorted(holders) if self._is_asked_for(last, asked)]
            if rows or not asked.keys() & {"users", "groups"}:
                found.append(story(*rows, name=name, vendor_id=id_of(name)))
        return found

    def _is_asked_for(self, last: str, asked: dict[str, Any]) -> bool:
        in_groups = set().union(*(self.members.get(name, set()) for name in asked.get("groups", [])))
        by_group = "groups" not in asked or last in in_groups
        return by_group and ("users" not in asked or bool({email_of(last), last} & set(asked["users"])))

    def _row(self, name: str, last: str) -> dict[str, Any]:
        certificate = {"url": f"https://c.example/{id_of(name)}/{last}"}
        if last in self.broken:
            certificate["timestamp"] = "yesterday"
        return row(firstname="", lastname=last, email=email_of(last), certificate=certificate)

    def only(self, breadth: str, *stories: str) -> None:
        """What an owner sets on the scope page."""
        self.app.breadth, self.app.listed_stories = breadth, list(stories)
        self.app.save()


def id_of(name: str) -> str:
    return f"ID-{name}"


def email_of(last: str) -> str:
    return f"{last}@mail.example"


def many(count: int, prefix: str = "p") -> set[str]:
    return {f"{prefix}{number:03d}" for number in range(count)}


def outside(app: App) -> set[str]:
    """Last names of who has a certificate out of scope."""
    return set(Certificate.objects.of([app]).exclude(out_of_scope_at=None).values_list("lastname", flat=True))


def history(app: App, last: str) -> list[str]:
    changes = Change.objects.filter(app=app, certificate__lastname=last).order_by("pk")
    return list(changes.values_list("kind", flat=True))


def members(group: str) -> set[str]:
    now = Membership.objects.filter(group__name=group, until=None)
    return set(now.values_list("learner__name", flat=True))


def accepted(run: SyncRun) -> SyncRun:
    assert accept(run, None, timezone.now())
    run.refresh_from_db()
    withdraw_accepted(run, timezone.now)
    run.refresh_from_db()
    return run
