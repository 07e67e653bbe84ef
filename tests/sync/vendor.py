"""A vendor that answers on a real socket with whatever the test says, and what it may say."""

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from django.utils import timezone
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from certdash.models import App, Certificate, Secret, SyncRun
from certdash.models.group import track_groups
from certdash.sync.asking import Scope
from certdash.sync.run import sync_app
from tests.falkor.vendors import ENDPOINT, TOKEN, element, row, success


def new_app(url: str, slug: str = "demo", token: str = TOKEN, groups: Iterable[str] = (), **fields: Any) -> App:
    """A stored app with its credentials and tracked groups."""
    app = App.objects.create(slug=slug, name=slug.title(), base_url=url, token=Secret.seal(token), **fields)
    track_groups(app, list(groups))
    return app


class Vendor:
    """What the vendor says: `body` to everything but groups, `groups` by name (nobody unless told)."""

    def __init__(self, server: HTTPServer, app: App) -> None:
        self.app = app
        self.body: bytes | Response = success()
        self.groups: dict[str, bytes | Response] = {}
        self.asked: list[dict[str, Any]] = []
        self.meanwhile: Callable[[], None] = lambda: None  # happens in the server's thread before it answers
        server.expect_request(ENDPOINT).respond_with_handler(self._answer)

    def _answer(self, request: Request) -> Response:
        asked = json.loads(request.data)
        self.asked.append(asked)
        self.meanwhile()
        body = self.groups.get(asked["groups"][0], success()) if "groups" in asked else self.body
        return body if isinstance(body, Response) else Response(body, mimetype="application/json")

    def sync(self, *elements: Any, scope: Scope = Scope(), at: datetime | None = None) -> SyncRun:  # noqa: B008
        """Synchronise with an answer of these story elements, at a moment if one is given."""
        self.body = success(*elements)
        return self.again(scope=scope, at=at)

    def again(self, *, scope: Scope = Scope(), at: datetime | None = None) -> SyncRun:  # noqa: B008
        """Synchronise with the answer as it is."""
        return sync_app(self.app, scope, clock=(lambda: at) if at else timezone.now)


def people(count: int, first: int = 1, **changes: Any) -> list[dict[str, Any]]:
    """Wire rows of so many learners: Ann 001, Ann 002… each with a delivered certificate."""
    return [
        row(
            firstname="Ann",
            lastname=f"{number:03d}",
            email=f"ann{number:03d}@mail.example",
            certificate={"url": f"https://c.example/{number}"},
            **changes,
        )
        for number in range(first, first + count)
    ]


def story(*rows: Any, name: str = "Story A", vendor_id: str = "ID-A", kind: str = "story") -> dict[str, Any]:
    return element(*rows, name=name, ID=vendor_id, type=kind)


def live(app: App) -> set[str]:
    """Last names of who has a live certificate."""
    return set(Certificate.objects.of([app]).live().values_list("lastname", flat=True))


def gone(app: App) -> set[str]:
    """Last names of who has a withdrawn certificate."""
    return set(Certificate.objects.of([app]).withdrawn().values_list("lastname", flat=True))
