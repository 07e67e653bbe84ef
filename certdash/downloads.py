"""Files that are handed out, each written down: what, by whom, and how many rows."""

from collections import Counter
from collections.abc import Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from certdash.audit import note
from certdash.exports import in_blocks, lines
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

    def stream(self, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> Generator[bytes, None, None]:
        """The file in blocks, written down when it ends.

        The rows are counted on their way out: the number is the file's own, whatever a sync does meanwhile. When
        whoever asked goes away, what was made until then is written down as not whole; the last 64 kB of it may not
        have arrived. What ends before its first byte was handed out to nobody, and is not written down.
        """
        with closing(self._counted(list(head), rows)) as counted:
            yield from in_blocks(lines(head, counted, self.file_format))

    def _counted(self, head: list[str], rows: Iterable[Sequence[Any]]) -> Generator[Sequence[Any], None, None]:
        column = head.index("app") if "app" in head else None
        counts: Counter[str] = Counter()
        told: dict[str, object] = {"whole": False}
        try:
            for cells in rows:
                counts["" if column is None else cells[column]] += 1
                yield cells
            told = {}
        finally:
            self._note(counts, told if self.person else told | {"by": "command"})

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
