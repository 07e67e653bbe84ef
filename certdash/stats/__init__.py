"""Numbers over certificates, and as of when they are true."""

from .freshness import Freshness, as_of, freshness, oldest_check, overall, worst_first
from .numbers import OVERDUE_DAYS, WEEKS, Numbers, Share, Week, by, numbers, weeks

__all__ = [
    "OVERDUE_DAYS",
    "WEEKS",
    "Freshness",
    "Numbers",
    "Share",
    "Week",
    "as_of",
    "by",
    "freshness",
    "numbers",
    "oldest_check",
    "overall",
    "weeks",
    "worst_first",
]
