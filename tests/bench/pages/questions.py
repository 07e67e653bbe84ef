"""What a manager asks, as an address of each of the three."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

_TABLE = "/certdash/certdash_certificate"
_LAST_NAME = "Wiśniewski"
_FIVE = 5
# certdash leaves out what is withdrawn or out of scope: the others are asked the same.
_LIVE = ("withdrawn_at__isnull", "out_of_scope_at__isnull")


class Question(NamedTuple):
    what: str
    certdash: str
    datasette: str
    admin: str | None  # None: its change list cannot be asked that


def questions(known: Mapping[str, Any]) -> Iterator[Question]:
    """All eight; `known` is what `tests.bench.pages.visitors` prints."""
    groups, ids = known["groups"][:_FIVE], known["group_ids"][:_FIVE]
    yield _question("newest", {}, {}, {})
    yield _question(
        "pending of a story",
        {"state": "pending", "story": known["story"]},
        {"state__exact": "pending", "story_id__exact": known["story_id"]},
        {"state__exact": "pending", "story__id__exact": known["story_id"]},
    )
    yield _question("a country", {"country": "Denmark"}, {"country__exact": "Denmark"}, {"country": "Denmark"})
    yield _question("a word", {"q": _LAST_NAME}, {"lastname__contains": _LAST_NAME}, {"q": _LAST_NAME})
    yield Question("a group", _certdash(group=groups[:1]), _members_of(ids[:1]), None)
    yield _question("a rare e-mail", {"q": known["email"]}, {"email__exact": known["email"]}, {"q": known["email"]})
    yield Question("five groups", _certdash(group=groups), _members_of(ids), None)
    yield _question("an absent value", {"country": "Nowhere"}, {"country__exact": "Nowhere"}, {"country": "Nowhere"})


def _question(what: str, certdash: dict[str, Any], datasette: dict[str, Any], admin: dict[str, Any]) -> Question:
    rows = {"_sort_desc": "timestamp", "_size": 50}
    return Question(
        what,
        _certdash(**certdash),
        f"{_TABLE}?{urlencode(datasette | dict.fromkeys(_LIVE, '1') | rows)}",
        f"/admin/certdash/certificate/?{urlencode(admin | dict.fromkeys(_LIVE, 'True'))}",
    )


def _certdash(**filters: Any) -> str:
    return f"/certificates/?{urlencode(filters, doseq=True)}"


def _members_of(ids: list[int]) -> str:
    """Its tables know no members: what somebody would write who knows SQL."""
    sql = (
        "select * from certdash_certificate where withdrawn_at is null and out_of_scope_at is null and learner_id in "
        "(select learner_id from certdash_membership where until is null and group_id in "
        f"({', '.join(map(str, ids))})) order by timestamp desc limit 50"
    )
    return f"/certdash?sql={quote(sql)}"
