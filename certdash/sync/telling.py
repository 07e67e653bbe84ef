"""What a run came to: its status, and one sentence after the other that a manager understands."""

from collections.abc import Sequence

from certdash.models import SyncRun

_WORDS = {
    "created": "new", "changed": "changed", "withdrawn": "withdrawn", "returned": "returned",
    "out_of_scope": "out of scope",
}  # fmt: skip


_TROUBLE_TOLD = 3


def verdict(run: SyncRun, trouble: Sequence[str]) -> tuple[SyncRun.Status, str]:
    """Status and sentences of a run that went through; `trouble` is what did not work out on the way."""
    sentences = [_news(run), *_held(run), *_set_aside(run), *_left_out(run), *_first(trouble)]
    return _status(run, trouble), " ".join(sentences)


def _status(run: SyncRun, trouble: Sequence[str]) -> SyncRun.Status:
    if run.missing or run.missing_members:
        return SyncRun.Status.HELD
    if run.rejected or trouble:
        return SyncRun.Status.PARTIAL
    counts = (*_WORDS, "stories", "joined", "left")
    return SyncRun.Status.SUCCESS if any(getattr(run, name) for name in counts) else SyncRun.Status.UNCHANGED


def _news(run: SyncRun) -> str:
    told = [f"{count:,} {word}" for name, word in _WORDS.items() if (count := getattr(run, name))]
    sentences = [f"{', '.join(told)}."] if told else []
    if run.stories:
        sentences.append(f"{_many(run.stories, 'story', 'stories')} new or changed.")
    if run.joined or run.left:
        sentences.append(f"{run.joined:,} joined a group, {run.left:,} left one.")
    return " ".join(sentences) or "Nothing changed."


def _held(run: SyncRun) -> list[str]:
    """Put so that it stays true when an owner has accepted, or what was missing is back."""
    sentences = []
    if run.missing:
        sentences.append(
            f"The answer lacks {_many(run.missing, 'certificate')} that were there before: "
            "nothing of it is withdrawn without an owner who accepts it."
        )
    if run.missing_members:
        sentences.append(
            f"{_many(run.missing_members, 'learner')} did not come back for their groups: "
            "nobody leaves one without an owner who accepts it."
        )
    return sentences


def _set_aside(run: SyncRun) -> list[str]:
    if not run.rejected:
        return []
    return [f"Set aside, because not understood: {_many(run.rejected, 'row')}. Nothing was withdrawn where they stood."]


def _left_out(run: SyncRun) -> list[str]:
    return [f"Left out: {_many(run.left_out, 'row')} of erased learners."] if run.left_out else []


def _first(trouble: Sequence[str]) -> list[str]:
    """The first sentences and how many more there are: hundreds of groups can fail alike."""
    more = len(trouble) - _TROUBLE_TOLD
    return [*trouble[:_TROUBLE_TOLD], *([f"And {more:,} more of this kind."] if more > 0 else [])]


def _many(count: int, noun: str, plural: str = "") -> str:
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"
