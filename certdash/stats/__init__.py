"""Numbers over certificates, and as of when they are true."""

from .ages import Age, ages, most_pending, newly_overdue
from .freshness import Freshness, as_of, freshness, oldest_check, overall, worst_first
from .news import News, WeekChange, news, week_change
from .numbers import (
    OVERDUE_AGE,
    OVERDUE_DAYS,
    WEEKS,
    Numbers,
    Share,
    Week,
    by,
    numbers,
    numbers_and_outside,
    states,
    weeks,
)

__all__ = [
    "OVERDUE_AGE",
    "OVERDUE_DAYS",
    "WEEKS",
    "Age",
    "Freshness",
    "News",
    "Numbers",
    "Share",
    "Week",
    "WeekChange",
    "ages",
    "as_of",
    "by",
    "freshness",
    "most_pending",
    "newly_overdue",
    "news",
    "numbers",
    "numbers_and_outside",
    "oldest_check",
    "overall",
    "states",
    "week_change",
    "weeks",
    "worst_first",
]
