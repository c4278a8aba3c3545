"""Charts of an anomaly event: geometry of the SVG curves, computed without scripts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from model.units import DAY, HOUR, MINUTE
from monitor.documents.anomalies import AnomalyDetailsDocument, CurvesDocument, MetricCurveDocument
from monitor.system.formatting import format_clock

WIDTH = 1000.0
HEIGHT = 100.0
"""Size of the coordinate system; the browser stretches it to the size of the chart."""

MAX_TICKS = 6
"""Largest number of labels of the time axis."""

TICK_MARGIN = 0.05
"""Smallest distance of a label from both ends of the axis, as a ratio of its width: a label is centred."""

TICK_INTERVALS = (15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY)
"""Allowed seconds between two labels of the time axis."""

MAX_GAP_STEPS = 1.5
"""Rows that are further apart than this number of row intervals are not joined."""

Point = tuple[float, float]


@dataclass(frozen=True)
class EventChart:
    """Curves of one metric in the coordinates 0 to WIDTH and 0 to HEIGHT, with y downwards.

    Attributes:
        metric: name of the metric.
        top: value at the upper edge.
        bottom: value at the lower edge.
        bands: points of one polygon for each gapless part of the band.
        expected: points of one line for each gapless part of the forecasts.
        actual: points of one line for each gapless part of the values.
        event_x: left edge of the event.
        event_width: width of the event.
    """

    metric: str
    top: float
    bottom: float
    bands: tuple[str, ...]
    expected: tuple[str, ...]
    actual: tuple[str, ...]
    event_x: float
    event_width: float


@dataclass(frozen=True)
class Tick:
    """Label of the time axis; `position` is a ratio of the width."""

    position: float
    label: str


def event_charts(event: AnomalyDetailsDocument) -> tuple[EventChart, ...]:
    """Return one chart for each metric with curves and a value."""
    curves = event.curves
    if curves is None:
        return ()
    return tuple(
        _chart(event, curves, curve) for curve in curves.metrics if any(value is not None for value in curve.actual)
    )


def time_ticks(curves: CurvesDocument) -> tuple[Tick, ...]:
    """Return the labels of the time axis at multiples of the shortest suitable interval."""
    start, end = _time_span(curves)
    interval = next((i for i in TICK_INTERVALS if (end - start) / i <= MAX_TICKS), (end - start) / 2)
    first = int(-(-start // interval))
    times = [number * interval for number in range(first, int(end // interval) + 1)]
    ticks = (Tick((at - start) / (end - start), format_clock(at)) for at in times)
    return tuple(tick for tick in ticks if TICK_MARGIN <= tick.position <= 1.0 - TICK_MARGIN)


def _time_span(curves: CurvesDocument) -> tuple[float, float]:
    return curves.at[0], curves.at[-1] + curves.step


def _chart(event: AnomalyDetailsDocument, curves: CurvesDocument, curve: MetricCurveDocument) -> EventChart:
    start, end = _time_span(curves)
    bottom, top = _value_range(curve)

    def x(at: float) -> float:
        return WIDTH * min(max((at - start) / (end - start), 0.0), 1.0)

    def points(values: Sequence[float | None]) -> list[Point | None]:
        return [
            None if value is None else (x(at + curves.step / 2), _y(value, bottom, top))
            for at, value in zip(curves.at, values, strict=True)
        ]

    def lines(values: Sequence[float | None]) -> tuple[str, ...]:
        return tuple(_text(part) for part in _parts(points(values), curves))

    bands = zip(_parts(points(curve.lower), curves), _parts(points(curve.upper), curves), strict=True)
    event_x = x(event.started_at)
    return EventChart(
        metric=curve.metric,
        top=top,
        bottom=bottom,
        bands=tuple(_text([*lower, *reversed(upper)]) for lower, upper in bands),
        expected=lines(curve.expected),
        actual=lines(curve.actual),
        event_x=round(event_x, 1),
        event_width=round(max(x(end if event.ended_at is None else event.ended_at) - event_x, 1.0), 1),
    )


def _value_range(curve: MetricCurveDocument) -> tuple[float, float]:
    """Return the values at the lower and the upper edge.

    The band may exceed the range of the other curves by the length of this range; beyond that it is cut off.
    """
    inner = [value for values in (curve.actual, curve.expected) for value in values if value is not None]
    low, high = min(inner), max(inner)
    span = high - low
    band = [value for values in (curve.lower, curve.upper) for value in values if value is not None]
    bottom = max(min([low, *band]), low - span)
    top = min(max([high, *band]), high + span)
    return (bottom, top) if top > bottom else (bottom - 0.5, bottom + 0.5)


def _y(value: float, bottom: float, top: float) -> float:
    return HEIGHT * (1.0 - min(max((value - bottom) / (top - bottom), 0.0), 1.0))


def _parts(points: Sequence[Point | None], curves: CurvesDocument) -> Iterator[list[Point]]:
    """Yield the gapless parts of a curve; a part of one row is a short line."""
    part: list[Point] = []
    before = None
    for at, point in zip(curves.at, points, strict=True):
        is_gap = before is not None and at - before > MAX_GAP_STEPS * curves.step
        if part and (point is None or is_gap):
            yield _visible(part)
            part = []
        if point is not None:
            part.append(point)
        before = at
    if part:
        yield _visible(part)


def _visible(part: list[Point]) -> list[Point]:
    if len(part) > 1:
        return part
    ((x, y),) = part
    return [(x - 1.0, y), (x + 1.0, y)]


def _text(points: Sequence[Point]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
