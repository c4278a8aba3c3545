"""Small pieces of the page: tables, bars, points in time, figures with their units."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from monitor.reports.blocks import figure, moment
from monitor.web.ui.html import Child, Node, el


def track(value: float, marks: dict[str, float], told: str) -> Node:
    """A ratio as a bar, with marks on it."""
    lines = [
        el("line", x1=f"{100 * at:.1f}%", x2=f"{100 * at:.1f}%", y1=0, y2="100%", class_=name)
        for name, at in marks.items()
    ]
    bar = el("rect", width=f"{100 * min(max(value, 0.0), 1.0):.1f}%", height="100%", class_="bar")
    bed = el("rect", width="100%", height="100%", class_="bed")
    return el("svg", bed, bar, *lines, class_="track", role="img", aria_label=told)


def table(head: Sequence[str], rows: Sequence[Sequence[Child]], note: str = "") -> Node:
    """A table that scrolls by itself where it is wider than the page."""
    made = el(
        "table",
        el("caption", note) if note else None,
        el("thead", el("tr", *(el("th", name, scope="col") for name in head))),
        el("tbody", *(el("tr", *(el("td", cell) for cell in row)) for row in rows)),
    )
    return el(
        "div", made, class_="scroll", tabindex=0, role="region", aria_label=note or ", ".join(filter(None, head))
    )


def skill(value: float | None) -> Node:
    """How much better than a simple guess; below 0 it stands out."""
    return el("span", figure(value), class_="" if value is None or value >= 0 else "bad")


def time(at: float | None) -> Node:
    """A point in time; by itself a clock time where it is of today."""
    if at is None:
        return el("time", "never")
    return el("time", moment(at), datetime=datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds"))


def due(at: float | None) -> str:
    """When a training comes next."""
    return "as soon as there is enough history" if at is None else moment(at)


def quantity(value: float | None, unit: str) -> str:
    """A figure with its unit, for people."""
    if value is None:
        return "-"
    if unit == "ratio":
        return f"{value:.1%}"
    if unit == "bytes_per_second":
        return f"{_scaled(value)}B/s"
    return f"{value:.3g}/s"


def _scaled(value: float) -> str:
    """By thousands, three digits."""
    for prefix, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:.3g} {prefix}"
    return f"{value:.3g} "
