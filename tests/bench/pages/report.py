"""The pages' figures as a table."""

from collections.abc import Iterator

from tests.bench.pages.measure import Line

_HEAD = ("pages, median", "certdash", "Datasette", "÷", "admin", "÷", "")
_ADMIN = 3  # times as slow the admin is at least, by the aim
_DEEP = 2  # times the first page


def lines(measured: list[Line]) -> Iterator[str]:
    """The whole table: certdash at most as slow as Datasette and a third of the admin, a deep page twice the first."""
    first = measured[0].certdash
    rows = [_HEAD, *(_row(one, first) for one in measured)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(_HEAD))]
    for what, *cells in rows:
        told = "  ".join(cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True))
        yield f"{what.ljust(widths[0])}  {told}".rstrip()


def _row(one: Line, first: float) -> tuple[str, ...]:
    if one.what.startswith("page "):
        ratio = one.certdash / first
        return one.what, _ms(one.certdash), "", "", "", f"{ratio:.2f} × first", _verdict(ratio <= _DEEP)
    if one.datasette is None:
        return one.what, _ms(one.certdash), "", "", "", "", ""
    to_datasette = one.certdash / one.datasette
    to_admin = None if one.admin is None else one.certdash / one.admin
    good = to_datasette <= 1 and (to_admin is None or to_admin * _ADMIN <= 1)
    admin = ("cannot", "") if one.admin is None or to_admin is None else (_ms(one.admin), f"{to_admin:.2f}")
    return one.what, _ms(one.certdash), _ms(one.datasette), f"{to_datasette:.2f}", *admin, _verdict(good)


def _ms(milliseconds: float) -> str:
    return f"{milliseconds:.1f} ms"


def _verdict(good: bool) -> str:
    return "ok" if good else "MISSED"
