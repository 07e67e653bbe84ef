"""What names a learner, and the saved views that do."""

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl, unquote_plus

from django.db.models import Q, QuerySet
from django.urls import reverse

from certdash.falkor.client import MESSAGE_LENGTH
from certdash.models import Change, Grant, Learner, SavedView, is_shared, owner_sees
from certdash.models.text import fold

from .learners import rows_of

_SHORTEST = 4  # in a saved view, a word of fewer characters may mean anything
_OTHER_SEARCHES = ("stories", "groups", "delivery")  # pages that search for no people


class Names:
    """What names a learner, by all that was ever stored of them; without case and accents."""

    def __init__(self, learner: Learner) -> None:
        told = _told_of(learner)
        pairs = [(first, last) for first in told["firstname"] for last in told["lastname"]]
        names = {name for first, last in pairs for name in (f"{first} {last}", f"{last} {first}", f"{last}, {first}")}
        emails = told["email"] | {learner.email}
        whole = names | {learner.name} | emails | told["telephone"] | told["url"]
        parts = {part for text in told["firstname"] | told["lastname"] for part in text.split()}
        self.whole = _any_of(whole, _SHORTEST)  # nobody else, or nearly so
        # Not what follows the @: that is of their company.
        local_parts = {email.rpartition("@")[0] for email in emails}
        named = names | {learner.name} | local_parts
        self.words = {fold(email) for email in emails}.union(*map(_words, named))
        spoken = whole | parts | local_parts
        self._spoken = _any_of(spoken)
        self._beginnings = tuple(map(fold, spoken))

    def in_words(self, text: str) -> bool:
        """Whether a sentence of ours or of the vendor's may name them: it may spell a name in any way.

        Rather one sentence too many, since it is only blanked: a name may be a word like any other.
        """
        folded = fold(text)
        return bool(self._spoken.search(folded)) or (len(text) >= MESSAGE_LENGTH and self._is_cut_within(folded))

    def _is_cut_within(self, folded: str) -> bool:
        """Whether a text may end in the middle of a name or an address."""
        last = re.search(r"\w\S*$", folded.rpartition(" ")[2])
        return last is not None and any(one.startswith(last[0]) for one in self._beginnings)


def _any_of(texts: Iterable[str], shortest: int = 1) -> re.Pattern[str]:
    words = sorted({word for text in texts if len(word := fold(text)) >= shortest and re.search(r"\w", word)})
    return re.compile("|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in words) or r"(?!)")


def _words(text: str) -> set[str]:
    """The words of a text, and the parts of those that have a hyphen, say."""
    folded = fold(text)
    return {*folded.split(), *re.findall(r"\w+", folded)}


def _told_of(learner: Learner) -> dict[str, set[str]]:
    """The texts by field: of the rows, and of what changed in them."""
    changes = Change.objects.filter(certificate__learner=learner)
    changed = [fields for both in changes.values_list("before", "after") for fields in both]
    rows = list(rows_of(learner.pk))
    return {
        name: {getattr(row, name) for row in rows} | {fields[name] for fields in changed if name in fields}
        for name in ("firstname", "lastname", "email", "telephone", "url")
    }


# -- Saved views ------------------------------------------------------------------------------------------------


def views_naming(learner: Learner) -> list[int]:
    """The saved views (pks) that lead to the learner's page, and those that name them and can mean nobody else.

    For a name only views are read that are shared with the app, and private ones of people who may see it: who erases
    somebody must neither learn of others' views nor end them.
    """
    names, page = Names(learner), reverse("person", args=[learner.pk])
    readable = Q(app=learner.app) | (~is_shared() & owner_sees(app=learner.app))
    named = SavedView.objects.filter(readable).exclude(path=page).select_related("owner")
    return [
        *SavedView.objects.filter(path=page).values_list("pk", flat=True),
        *(view.pk for view in named.iterator() if _names(view, learner, names)),
    ]


def _names(view: SavedView, learner: Learner, names: Names) -> bool:
    pairs = parse_qsl(view.query, keep_blank_values=True)
    if names.whole.search(fold(f"{view.name} {view.description} {unquote_plus(view.query)}".replace("&", " & "))):
        return not _others(view, pairs, learner).filter(identity=learner.identity).exists()
    asked = {word for name, value in pairs if name == "q" for word in fold(value).split()}
    if not asked or asked - names.words or view.path in {reverse(name) for name in _OTHER_SEARCHES}:
        return False
    found = _others(view, pairs, learner)
    for word in asked:
        found = found.filter(search__contains=word)
    return not found.exists()


def _others(view: SavedView, pairs: list[tuple[str, str]], learner: Learner) -> QuerySet[Learner]:
    """Whom the view may mean as well: those of the app if it is for that alone, else of all that its owner may see."""
    others = Learner.objects.exclude(pk=learner.pk)
    apps = {value for name, value in pairs if name == "app"}
    if view.app_id == learner.app_id or apps == {learner.app.slug}:
        return others.filter(app=learner.app)
    return others if view.owner.is_superuser else others.filter(app__in=Grant.objects.of(view.owner).values("app"))
