"""What was seen of an app after each run, and whether its stored history tells the way from there to here."""

from collections import defaultdict
from typing import Any

from certdash.models import App, Certificate, Change, Group, Learner, Membership, Story

Kind = Change.Kind
Seen = dict[int, dict[str, Any]]
_ROW = ("firstname", "lastname", "email", "telephone", "country", "city", "state", "url")
_FIXED = ("app", "story", "learner", "first_seen_at", "first_run", "initial")
_GONE = {Kind.WITHDRAWN: "withdrawn", Kind.OUTSIDE: "outside"}


def certificates(app: App) -> Seen:
    """Every certificate by pk: what it says, whether it is gone, and what never changes."""
    columns = ("pk", "state_sent", "timestamp", "withdrawn_at", "out_of_scope_at", *_ROW, *_FIXED)
    seen: Seen = {}
    for row in Certificate.objects.filter(app=app).values(*columns):
        gone = [word for word, since in (("withdrawn", "withdrawn_at"), ("outside", "out_of_scope_at")) if row[since]]
        assert len(gone) < 2
        told = {name: row[name] for name in (*_ROW, *_FIXED)} | {"gone": "".join(gone)}
        told |= {"timestamp": row["timestamp"].isoformat(), "state": row["state_sent"] or row["state"]}
        seen[row["pk"]] = told
    return seen


def gone(app: App) -> set[int]:
    """The pks of what is not live."""
    return {pk for pk, told in certificates(app).items() if told["gone"]}


def _stories(app: App) -> Seen:
    return {pk: {"name": name} for pk, name in Story.objects.filter(app=app).values_list("pk", "name")}


class History:
    """Looks at an app after every run."""

    def __init__(self, app: App) -> None:
        self.app = app
        self._seen: list[tuple[int, Seen, Seen]] = []
        self._pks: dict[str, set[int]] = {}

    def look(self) -> None:
        """Remember what is stored now; asserts that nothing has been deleted."""
        newest = Change.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        self._seen.append((newest, certificates(self.app), _stories(self.app)))
        for model in (Certificate, Learner, Story, Change):
            now = set(model.objects.filter(app=self.app).values_list("pk", flat=True))
            assert self._pks.get(model.__name__, set()) <= now
            self._pks[model.__name__] = now

    def assert_complete(self) -> None:
        """Undoing the stored changes one by one, newest first, leads through everything that was seen."""
        changes: list[Any] = list(Change.objects.filter(app=self.app).order_by("-pk").values())
        _, rows, stories = self._seen[-1]
        rows, stories = {pk: dict(told) for pk, told in rows.items()}, {pk: dict(it) for pk, it in stories.items()}
        goings = _goings(changes)
        for newest, rows_then, stories_then in reversed(self._seen):
            while changes and changes[0]["id"] > newest:
                _undo(changes.pop(0), rows, stories, goings)
            assert {pk: rows[pk] for pk in rows_then} == rows_then
            assert {pk: stories[pk] for pk in stories_then} == stories_then


def _goings(changes: list[dict[str, Any]]) -> dict[int, list[str]]:
    """Per certificate how it went and came back, oldest first; asserts that it did so by turns."""
    goings: dict[int, list[str]] = defaultdict(list)
    for change in reversed(changes):
        if change["kind"] in (*_GONE, Kind.RETURNED):
            goings[change["certificate_id"]].append(change["kind"])
    for kinds in goings.values():
        assert [kind == Kind.RETURNED for kind in kinds] == [bool(number % 2) for number in range(len(kinds))]
    return goings


def _undo(change: dict[str, Any], rows: Seen, stories: Seen, goings: dict[int, list[str]]) -> None:
    now = stories[change["story_id"]] if change["kind"] == Kind.RENAMED else rows[change["certificate_id"]]
    if change["kind"] in (*_GONE, Kind.RETURNED):
        mine = goings[change["certificate_id"]]
        assert mine.pop() == change["kind"]
        assert now["gone"] == _GONE.get(change["kind"], "")
        now["gone"] = _GONE[Kind(mine[-1])] if change["kind"] == Kind.RETURNED else ""
        return
    assert change["before"].keys() == change["after"].keys() != set()
    assert all(change["before"][name] != change["after"][name] == now[name] for name in change["after"])
    now |= change["before"]


# -- What writing would change ----------------------------------------------------------------------------------

# What even an answer that says nothing new may write, when its bytes are others.
_OF_BYTES = {"digest", "received", "repaired"}


def signature(app: App, *, bytes_too: bool = False) -> list[Any]:
    """All that is stored of an app but its runs and when what is asked; `bytes_too`: also what was noted of bytes."""
    of_app: dict[Any, Any] = {
        model: model.objects.filter(app=app) for model in (Certificate, Learner, Story, Change, Group)
    }
    of_app |= {App: App.objects.filter(pk=app.pk), Membership: Membership.objects.filter(group__app=app)}
    left_out = {"checked_at", "unanswered", "token"} | (set() if bytes_too else _OF_BYTES)
    return [
        {name: value for name, value in row.items() if name not in left_out}
        for rows in of_app.values()
        for row in rows.order_by("pk").values()
    ]
