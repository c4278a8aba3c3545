"""Jinja2 environment of the page: autoescaped templates and number formatting."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from monitor.documents.storage import quarantine_notice, storage_problems
from monitor.reports.anomalies import snapshot_text
from monitor.sampling.metric_catalog import format_value
from monitor.system.formatting import (
    approximate_duration,
    format_bytes,
    format_clock,
    format_number,
    format_percent,
    format_quantity,
    format_scientific,
    format_since,
    format_time,
    iso_time,
)
from monitor.web.ui.static_files import static_url

MIN_POINT_RADIUS = 3.0
MAX_POINT_RADIUS = 9.0
"""Smallest and largest radius of the points in a reliability diagram, in SVG units."""

NORM_DECADES = (-8.0, 2.0)
"""Decimal exponents of the gradient norms at both ends of their axis."""

PAGES = (("/", "Overview"), ("/model", "Model"), ("/config", "Configuration"), ("/maintenance", "Maintenance"))
"""Path and name of each page in the navigation."""


@cache
def environment() -> Environment:
    """Return the template environment; templates are compiled once, on first use."""
    made = Environment(
        loader=PackageLoader("monitor.web.ui"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    made.filters.update(
        bytes=format_bytes,
        clock=format_clock,
        duration=approximate_duration,
        metric_value=metric_value,
        scientific=format_scientific,
        since=format_since,
        snapshot_text=snapshot_text,
        iso_time=iso_time,
        norm_position=norm_position,
        number=format_number,
        percent=format_percent,
        point_radius=point_radius,
        quantity=format_quantity,
        quarantine_notice=quarantine_notice,
        storage_problems=storage_problems,
        rule=format_rule,
        svg_percent=svg_percent,
        time=format_time,
    )
    made.globals["static_url"] = static_url
    made.globals["pages"] = PAGES
    return made


def metric_value(value: float | None, metric: str) -> str:
    """Return the value of a host metric with its unit; a filter has its value first."""
    return format_value(metric, value)


def format_rule(bounds: Iterable[tuple[str, float | str]]) -> str:
    """Return a high-load rule as text, such as `cpu_usage >= 0.6 and memory_usage >= p95`.

    Args:
        bounds: (metric, bound) of the rule.
    """
    return " and ".join(
        f"{metric} >= {bound if isinstance(bound, str) else f'{bound:g}'}" for metric, bound in bounds
    )


def svg_percent(ratio: float) -> str:
    """Clip a ratio to the range 0 to 1, and return it as an SVG length in percent."""
    return f"{100 * min(max(ratio, 0.0), 1.0):.1f}%"


def point_radius(count: int, largest: int) -> float:
    """Return the radius of a point; it grows from MIN_POINT_RADIUS with the square root of a count.

    Args:
        count: number of predictions in the bin of the point.
        largest: largest count in the diagram.
    """
    return round(MIN_POINT_RADIUS + (MAX_POINT_RADIUS - MIN_POINT_RADIUS) * math.sqrt(count / largest), 1)


def norm_position(norm: float) -> float:
    """Return the position of a gradient norm on a logarithmic axis: 0 at the first of NORM_DECADES, 1 at the second.

    A norm below the axis has the position 0, a norm above the axis a position above 1, and a non-finite norm 1.
    """
    if not math.isfinite(norm):
        return 1.0
    low, high = NORM_DECADES
    exponent = math.log10(max(norm, 10**low))
    return (exponent - low) / (high - low)
