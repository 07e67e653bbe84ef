"""How a state looks: stated once, for pages, charts and files alike."""

from typing import NamedTuple

from django.utils.functional import Promise


class Badge(NamedTuple):
    """A pill with an icon and a word. `tone` names a set of colours, `icon` a symbol of the sprite."""

    tone: str
    icon: str
    label: str | Promise

    def __hash__(self) -> int:
        """Without the label, which would be translated for it."""
        return hash((self.tone, self.icon))
