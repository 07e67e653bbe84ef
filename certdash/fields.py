"""What values of a filter make sense: form fields that name the ones that do not."""

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext

MOST_VALUES = 50
LARGEST_PAGE = 200  # rows
LONGEST_LIST = 999_999_999  # pages
_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")


class ValuesField(forms.Field):
    """A name that may repeat. Values for which `sensible` is false are an error that lists them as `bad`."""

    widget = forms.SelectMultiple

    def __init__(self, *, sensible: Callable[[str], bool] = bool, most: int = MOST_VALUES, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.sensible, self.most = sensible, most

    def clean(self, value: Any) -> list[str]:
        values = list(dict.fromkeys(value or []))
        bad = [one for one in values if not self.sensible(one)]
        bad += [one for one in values if one not in bad][self.most :]
        if bad:
            raise ValidationError(gettext("These values mean nothing here."), params={"bad": bad})
        return values


class DayField(forms.Field):
    """YYYY-MM-DD and nothing like it, of a year whose neighbours can be reckoned with in every time zone."""

    def clean(self, value: Any) -> date | None:
        if not value:
            return None
        try:
            day = date.fromisoformat(value if _DAY.fullmatch(value) else "")
        except ValueError:
            raise ValidationError(gettext("This is no day.")) from None
        if not 1 < day.year < 9999:
            raise ValidationError(gettext("This day is out of reach."))
        return day


class MomentField(forms.Field):
    """A date and time in ISO 8601; without an offset, in the viewer's time zone."""

    def clean(self, value: Any) -> datetime | None:
        if not value:
            return None
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise ValidationError(gettext("This is no date and time.")) from None
        if not 1 < moment.year < 9999:
            raise ValidationError(gettext("This moment is out of reach."))
        return moment if moment.tzinfo else timezone.make_aware(moment)


def is_page_number(text: str, most: int) -> bool:
    """Whether a text is a page's number, or a page size of at most `most`."""
    return text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= most


def is_row_id(text: str) -> bool:
    """Whether a text is a number that a row of ours could have."""
    return text.isascii() and text.isdigit() and len(text) < 19


def midnight(day: date) -> datetime:
    """The moment at which a day begins for the viewer."""
    return timezone.make_aware(datetime.combine(day, time()))


def period_start(word: str, today: date) -> date:
    """The first day of a period that ends today: a number of days (`30d`), or the `quarter` or `year` of today."""
    if word == "year":
        return today.replace(month=1, day=1)
    if word == "quarter":
        return today.replace(month=today.month - (today.month - 1) % 3, day=1)
    return today - timedelta(days=int(word.removesuffix("d")) - 1)


def minute(moment: datetime) -> datetime:
    """The full minute before: what is counted from it is the same for a while, and everywhere."""
    return moment.replace(second=0, microsecond=0)
