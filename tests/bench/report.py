"""The measured figures as tables: ratios with their aims, and what they were made of."""

from collections.abc import Iterator
from typing import Any, NamedTuple

Measured = dict[str, Any]
NOT_MEASURED = "not measured"

# Step, what it is called, and the largest part of the first sync that it may take.
PARTS = {"two": ("two of the stories changed", 0.05), "hundredth": ("one row in a hundred changed, everywhere", 0.40)}
STEPS = {"first": "first sync", "unchanged": "unchanged"} | {step: name for step, (name, _) in PARTS.items()}


class Figure(NamedTuple):
    """One line of the table of ratios."""

    what: str
    measured: str
    limit: str
    value: str
    aim: str
    verdict: str


def _figure(what: str, measured: str, limit: str, value: float, aim: float, form: str) -> Figure:
    verdict = "ok" if value <= aim else "MISSED"
    return Figure(what, measured, limit, form.format(value), "≤ " + form.format(aim), verdict)


def _missing(what: str) -> Figure:
    return Figure(what, NOT_MEASURED, "", "", "", "")


def figures(common: dict[str, Measured], store: dict[str, Measured]) -> Iterator[Figure]:
    """The lines of one store."""
    yield _first(common, store)
    yield _memory(common, store)
    yield _unchanged(common, store)
    for step, (what, aim) in PARTS.items():
        if step in store and "first" in store:
            whole, part = store["first"]["seconds"], store[step]["seconds"]
            yield _figure(what, f"{part:.2f} s", f"{whole:.2f} s", part / whole * 100, aim * 100, "{:.1f} %")
        else:
            yield _missing(what)


def _first(common: dict[str, Measured], store: dict[str, Measured]) -> Figure:
    if "limit" not in store or "first" not in store or "decode" not in common:
        return _missing("first sync ÷ limit")
    limit, seconds = common["decode"]["seconds"] + store["limit"]["seconds"], store["first"]["seconds"]
    return _figure("first sync ÷ limit", f"{seconds:.2f} s", f"{limit:.2f} s", seconds / limit, 2, "{:.2f} ×")


def _memory(common: dict[str, Measured], store: dict[str, Measured]) -> Figure:
    peaks = {step: store[step]["peak_mb"] for step in STEPS if step in store and store[step]["peak_mb"] is not None}
    if not peaks:
        return _missing("peak private memory")
    step = max(peaks, key=lambda each: peaks[each])
    limit = common.get("decode", {}).get("peak_mb")
    told = f"{limit:.0f} MB" if limit else ""
    return _figure("peak private memory", f"in {STEPS[step]}", told, peaks[step], 200, "{:.0f} MB")


def _unchanged(common: dict[str, Measured], store: dict[str, Measured]) -> Figure:
    if "unchanged" not in store or "hash" not in common:
        return _missing("unchanged ÷ hashing")
    limit, seconds = common["hash"]["seconds"], store["unchanged"]["seconds"]
    rows = sum(store["unchanged"]["written"].values())
    what = f"unchanged ÷ hashing ({rows:,} data rows written)"
    return _figure(what, f"{seconds:.3f} s", f"{limit:.3f} s", seconds / limit, 5, "{:.2f} ×")


def lines(common: dict[str, Measured], stores: dict[str, dict[str, Measured]]) -> Iterator[str]:
    """The whole report; `stores` by title."""
    head = Figure("", "measured", "limit", "ratio", "aim", "")
    table = {title: list(figures(common, store)) for title, store in stores.items()}
    widths = [max(len(line[i]) for some in table.values() for line in [head, *some]) for i in range(len(head))]
    for title, some in table.items():
        yield ""
        version = next((one["version"] for one in stores[title].values() if "version" in one), "")
        yield _line(head._replace(what=f"{title} {version}".strip()), widths)
        yield from (_line(one, widths) for one in some)
    yield from _common(common)
    for title, store in stores.items():
        yield ""
        yield from _steps(title, store)


def _line(figure: Figure, widths: list[int]) -> str:
    cells = (text.rjust(width) for text, width in zip(figure[1:], widths[1:], strict=True))
    return "  ".join([figure.what.ljust(max(widths[0], 10)), *cells]).rstrip()


def _common(common: dict[str, Measured]) -> Iterator[str]:
    yield ""
    if "download" in common:
        seconds, size = common["download"]["seconds"], common["download"]["bytes"] / 1e6
        yield f"download over loopback, beside the sync: {seconds:.2f} s for {size:.1f} MB"
    for step, what in (("decode", "decoding story by story over a map"), ("hash", "hashing (SHA-256) over a map")):
        if step in common:
            peak = common[step]["peak_mb"]
            yield f"{what}: {common[step]['seconds']:.3f} s" + (f", {peak:.0f} MB private" if peak else "")


def _steps(title: str, store: dict[str, Measured]) -> Iterator[str]:
    for step, name in STEPS.items():
        if step in store:
            one = store[step]
            memory = "" if one["peak_mb"] is None else f", {one['before_mb']:.0f} to {one['peak_mb']:.0f} MB private"
            counts = f"received {one['received']:,}, created {one['created']:,}, changed {one['changed']:,}"
            yield f"{title}: {name}: {_seconds(one)}{memory}; {one['status']}: {counts}"
    if "limit" in store:
        tables = store["limit"]["tables"].items()
        parts = ", ".join(f"{table} {rows:,} rows {seconds:.2f} s" for table, (rows, seconds) in tables)
        yield f"{title}: the rows of the limit: {_seconds(store['limit'])}: {parts}"


def _seconds(one: Measured) -> str:
    """Of the clock and, since other programs may have kept the machine busy, of what the process itself computed."""
    return f"{one['seconds']:.3f} s (computing {one['cpu_seconds']:.3f} s)"
