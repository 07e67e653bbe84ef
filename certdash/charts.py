"""The geometry of charts, ready for templates that draw them as SVG."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.dateformat import format as formatted
from django.utils.translation import gettext, ngettext

from certdash.rows import grouped
from certdash.stats import Age, Week

_HEIGHT, _DATES = 200, 24  # pixels; the dates stand below the baseline
_BASELINE = _HEIGHT - _DATES
_TOP = 14  # room for the readout of the bar under the pointer
_GAP = 2  # pixels between the segments of a bar
_TICK_EVERY = 4  # weeks
_ROW, _BAR = 36, 12  # pixels: a lying bar's row, and the bar


@dataclass(slots=True)
class Tick:
    y: str
    label: str


@dataclass(slots=True)
class Bar:
    """One week: x and width in percent of the plot, y and height in pixels, as text."""

    x: str
    width: str
    delivered_y: str
    delivered_height: str
    pending_y: str
    pending_height: str
    title: str
    url: str
    current: bool
    tick: str


@dataclass(slots=True)
class WeekRow:
    week: str
    delivered: int
    pending: int
    url: str


@dataclass(slots=True)
class WeeksChart:
    title: str
    desc: str
    ticks: list[Tick]
    bars: list[Bar]
    rows: list[WeekRow]
    height: int = _HEIGHT
    baseline: int = _BASELINE


def week_query(first: date, last: date) -> list[tuple[str, str]]:
    """The filters that leave exactly what a bar counts: certificates of other states are not in it."""
    return [("state", "delivered"), ("state", "pending"), ("awarded_from", f"{first}"), ("awarded_to", f"{last}")]


def weeks_chart(weeks: Sequence[Week], url_of: Callable[[date, date], str]) -> WeeksChart:
    """Certificates per week as stacked bars; `url_of` links a bar to the rows of its first and last day."""
    step, top = _scale(max((week.delivered + week.pending for week in weeks), default=0))
    scale = (_BASELINE - _TOP) / top
    pitch = 100 / max(1, len(weeks))
    bars, rows = [], []
    for number, week in enumerate(weeks):
        first = week.begins.date()
        url = url_of(first, first + timedelta(days=6))
        delivered, pending = week.delivered * scale, week.pending * scale
        gap = _GAP if week.delivered and week.pending else 0
        day = formatted(first, gettext("j M Y"))
        numbers = {"delivered": grouped(week.delivered), "pending": grouped(week.pending)}
        words = gettext("Week of %(day)s: %(delivered)s delivered, %(pending)s pending") % {"day": day, **numbers}
        bars.append(
            Bar(
                x=f"{number * pitch + pitch * 0.08:.2f}",
                width=f"{pitch * 0.84:.2f}",
                delivered_y=f"{_BASELINE - delivered:.1f}",
                delivered_height=f"{delivered:.1f}",
                pending_y=f"{_BASELINE - delivered - pending - gap:.1f}",
                pending_height=f"{pending:.1f}",
                title=words,
                url=url,
                current=number == len(weeks) - 1,
                tick=formatted(first, gettext("j M")) if (len(weeks) - 1 - number) % _TICK_EVERY == 1 else "",
            )
        )
        rows.append(WeekRow(day, week.delivered, week.pending, url))
    ticks = [Tick(f"{_BASELINE - value * scale:.1f}", grouped(value)) for value in range(0, top + 1, step)]
    total = sum(week.delivered + week.pending for week in weeks)
    desc = ngettext(
        "%(total)s certificate in %(weeks)s weeks, by the week of its date; the last week is not over.",
        "%(total)s certificates in %(weeks)s weeks, by the week of their date; the last week is not over.",
        total,
    ) % {"total": grouped(total), "weeks": len(weeks)}
    return WeeksChart(gettext("Certificates per week"), desc, ticks, bars, rows)


@dataclass(slots=True)
class AgeBar:
    """Those of one age: width in percent of the plot, the rest in pixels."""

    label: str
    pending: int
    number: str
    width: str
    y: int
    middle: int  # y of the words' middle
    title: str
    url: str


@dataclass(slots=True)
class AgesChart:
    title: str
    desc: str
    bars: list[AgeBar]
    height: int
    row: int = _ROW
    bar: int = _BAR
    inset: int = (_ROW - _BAR) // 2


def age_query(age: Age) -> list[tuple[str, str]]:
    """The filters that leave exactly the pending ones of this age."""
    begins = [("pending_days", f"{age.days}")] if age.days else []
    return [*begins, ("pending_under", f"{age.under}")] if age.under else begins


def age_label(age: Age) -> str:
    """In whole days that have gone by."""
    if age.under is None:
        return ngettext("%(days)s day or more", "%(days)s days or more", age.days) % {"days": age.days}
    if age.days:
        last = age.under - 1
        return ngettext("%(first)s to %(last)s day", "%(first)s to %(last)s days", last) % {
            "first": age.days, "last": last,
        }  # fmt: skip
    return ngettext("under %(days)s day", "under %(days)s days", age.under) % {"days": age.under}


def ages_chart(ages: Sequence[Age], url_of: Callable[[Age], str]) -> AgesChart:
    """The pending ones by age as lying bars; `url_of` links each to its rows."""
    most = max((age.pending for age in ages), default=0) or 1
    bars = [
        AgeBar(
            label=(label := age_label(age)),
            pending=age.pending,
            number=grouped(age.pending),
            width=f"{100 * age.pending / most:.2f}",
            y=number * _ROW,
            middle=number * _ROW + _ROW // 2,
            title=gettext("Pending for %(age)s: %(many)s") % {"age": label, "many": grouped(age.pending)},
            url=url_of(age),
        )
        for number, age in enumerate(ages)
    ]
    total = sum(age.pending for age in ages)
    desc = ngettext(
        "%(total)s pending certificate by the whole days since its date.",
        "%(total)s pending certificates by the whole days since their date.",
        total,
    ) % {"total": grouped(total)}
    return AgesChart(gettext("How long the pending ones wait"), desc, bars, _ROW * len(bars))


def _scale(most: int) -> tuple[int, int]:
    """Step and top of an axis with at most four lines above the baseline, in steps people count in."""
    magnitude = 1
    while True:
        for step in (1 * magnitude, 2 * magnitude, 5 * magnitude):
            if step * 4 >= most:
                return step, max(step, -(-most // step) * step)
        magnitude *= 10
