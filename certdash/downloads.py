"""Files that are handed out, each written down: what, by whom, and how many rows."""

from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from certdash.audit import note
from certdash.exports import About, blocks
from certdash.models import App, AuditKind, User


@dataclass(frozen=True)
class Download:
    """A file that somebody asked for. `person`: none of a command.

    `apps`: those that the file is of. Rows with an `app` are counted for it; other rows are of all of them.
    """

    what: str  # the file's name, without its moment
    file_format: str
    filters: Sequence[str]  # the names of those in use, never their values
    apps: Sequence[App]
    person: User | None = None
    about: About = field(default_factory=About)  # what a workbook tells of itself

    def stream(self, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> Generator[bytes, None, None]:
        """The file in blocks, written down when it ends.

        The rows are counted on their way into it: the number is the file's own, whatever a sync does meanwhile. When
        whoever asked goes away, what was made until then is written down as not whole; the last 64 kB of it may not
        have arrived. What ends before its first byte was handed out to nobody, and is not written down.
        """
        counts: Counter[str] = Counter()
        told: dict[str, object] = {} if self.person else {"by": "command"}
        held, begun, noted = b"", False, False
        try:
            with closing(blocks(head, _counted(head, rows, counts), self.file_format, self.about)) as made:
                for block in made:
                    if held:
                        begun = True
                        yield held
                    held = block
            noted = True
            self._note(counts, told)
            yield held  # a file that cannot be written down is not given: at least this end of it is kept back
        finally:
            if begun and not noted:
                self._note(counts, told | {"whole": False})

    def _note(self, counts: Counter[str], told: dict[str, object]) -> None:
        """An entry for each app with rows in the file, so that each owner sees theirs; else one of no app."""
        told |= {"what": self.what, "format": self.file_format, "filters": sorted({*self.filters})}
        apps = {app.slug: app for app in self.apps}
        entries: list[tuple[App | None, int]] = [(None, counts.total())]
        if len(apps) == 1 or (apps and "" in counts):
            entries = [(app, counts.total()) for app in apps.values()]
        elif apps and counts:
            entries = [(apps.get(slug), count) for slug, count in counts.items()]
        for app, rows in entries:
            note(AuditKind.DOWNLOAD, app, self.person, rows=rows, **told)


def _counted(head: Sequence[str], rows: Iterable[Sequence[Any]], counts: Counter[str]) -> Iterator[Sequence[Any]]:
    """The rows, counted by the slug of their app, or as of none."""
    column = head.index("app") if "app" in head else None
    for cells in rows:
        counts["" if column is None else cells[column]] += 1
        yield cells
