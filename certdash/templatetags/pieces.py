"""The small pieces that a page shows hundreds of times, made once each; every template has them without loading."""

from collections.abc import Iterable
from datetime import datetime, tzinfo
from functools import lru_cache
from html import escape

from django.template import Context, Library, loader
from django.utils import timezone
from django.utils.dateformat import format as formatted
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from certdash.links import apart
from certdash.models import Badge
from certdash.rows import cut, day, exactly

register = Library()
register.filter("apart", apart)


@register.simple_tag
def icon(name: str) -> SafeString:
    """An icon of the sprite, for the eye alone: words stand beside it."""
    return _icon(name)


@lru_cache(maxsize=128)
def _icon(name: str) -> SafeString:
    return mark_safe(loader.render_to_string("partials/icon.html", {"name": name}).strip())  # noqa: S308  # it escapes


@register.simple_tag
def badge(of: Badge) -> SafeString:
    """A state as a pill with icon and word."""
    return _badge(of, get_language())


@lru_cache(maxsize=256)  # a vendor may send any number of words as states
def _badge(of: Badge, _language: str | None) -> SafeString:
    return mark_safe(loader.render_to_string("partials/badge.html", {"badge": of}).strip())  # noqa: S308  # it escapes


@register.simple_tag
def moment(at: datetime | None, shown: str = "") -> SafeString | str:
    """A moment in the reader's time zone, the day of it unless `shown` asks for more; its second and zone are in the
    title. Nothing without one."""
    return "" if at is None else _moment(at, shown, timezone.get_current_timezone(), get_language())


@lru_cache(maxsize=4096)  # the first pages of lists are asked for again and again
def _moment(at: datetime, shown: str, zone: tzinfo, _language: str | None) -> SafeString:
    local = at.astimezone(zone)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        local.isoformat(),
        exactly(at),
        formatted(local, shown) if shown else day(local.date()),
    )


register.filter(cut)


@register.simple_tag(takes_context=True)
def here_with(context: Context, *changes: object) -> str:
    """The query of this page with other values of some names, given in turn; None takes a name away.

    Names that begin with `_` stay behind: they ask for a part of the page once, and are no part of a link.
    """
    query = context["request"].GET.copy()
    for name in [name for name in query if name.startswith("_")]:
        del query[name]
    for name, value in zip(changes[::2], changes[1::2], strict=True):
        query.pop(name, None)
        if value is not None:
            query[name] = str(value)
    return f"?{query.urlencode()}"


@register.filter(is_safe=False)
def hint(text: str, most: int) -> SafeString | str:
    """A title with the whole of a text that may not fit: of one with more than so many characters."""
    return mark_safe(f'title="{escape(text)}"') if len(text) > most else ""  # noqa: S308  # it escapes


@register.filter(is_safe=False)
def isolated(texts: Iterable[str], between: str) -> SafeString:
    """Texts that others wrote, each in an element in which its right-to-left marks reorder only itself."""
    return mark_safe(escape(between).join(f"<bdi>{escape(cut(text, 200))}</bdi>" for text in texts))  # noqa: S308
