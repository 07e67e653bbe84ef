"""The small pieces that a page shows hundreds of times, made once each; every template has them without loading."""

from datetime import datetime
from functools import lru_cache

from django.template import Library, loader
from django.utils import timezone
from django.utils.dateformat import format as formatted
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext

from certdash.models import Badge
from certdash.rows import day

register = Library()


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
    if at is None:
        return ""
    local = timezone.localtime(at)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        local.isoformat(),
        formatted(local, gettext("j F Y, H:i:s T")),
        formatted(local, shown) if shown else day(local.date()),
    )


@register.filter(is_safe=False)
def cut(text: str, most: int) -> str:
    """The text in at most so many characters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
