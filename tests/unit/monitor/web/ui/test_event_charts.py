"""Geometry of the charts of an anomaly event."""

from dataclasses import replace

import pytest

from monitor.documents.anomalies import CurvesDocument, MetricCurveDocument
from monitor.web.ui.event_charts import HEIGHT, MAX_TICKS, WIDTH, event_charts, time_ticks
from tests.unit.monitor.documents.samples import ENDED_DETAILS, IN_PROGRESS_DETAILS, NOW

pytestmark = pytest.mark.unit


def points(text):
    return [tuple(map(float, pair.split(","))) for pair in text.split()]


def chart_of(actual, expected=None, lower=None, upper=None, **changes):
    expected = expected or actual
    curve = MetricCurveDocument("cpu_usage", actual, expected, lower or expected, upper or expected)
    at = tuple(ENDED_DETAILS.started_at + 60.0 * number for number in range(len(actual)))
    curves = CurvesDocument(step=60.0, at=at, metrics=(curve,))
    (chart,) = event_charts(replace(ENDED_DETAILS, curves=curves, **changes))
    return chart


def test_curves_are_split_at_gaps_and_unknown_values():
    (chart,) = event_charts(ENDED_DETAILS)
    assert [len(points(part)) for part in chart.actual] == [3, 2]
    assert [len(points(part)) for part in chart.expected] == [2, 2]
    assert [len(points(part)) for part in chart.bands] == [4, 4]


def test_points_lie_within_the_chart():
    (chart,) = event_charts(ENDED_DETAILS)
    for part in (*chart.actual, *chart.expected, *chart.bands):
        for x, y in points(part):
            assert 0 <= x <= WIDTH
            assert 0 <= y <= HEIGHT


def test_value_axis_spans_the_curves():
    chart = chart_of((0.25, 0.75, 0.5))
    assert (chart.bottom, chart.top) == (0.25, 0.75)
    assert [y for _, y in points(chart.actual[0])] == [HEIGHT, 0.0, HEIGHT / 2]


def test_band_beyond_the_range_of_the_curves_is_cut_off():
    chart = chart_of((0.25, 0.75), lower=(-5.0, 0.0), upper=(0.5, 1e6))
    assert (chart.bottom, chart.top) == (-0.25, 1.25)


def test_constant_values_have_an_axis_around_them():
    chart = chart_of((2.0, 2.0))
    assert (chart.bottom, chart.top) == (1.5, 2.5)


def test_event_covers_its_part_of_the_time_axis():
    start = ENDED_DETAILS.started_at
    chart = chart_of((0.1, 0.2, 0.3, 0.4), started_at=start + 60, ended_at=start + 180)
    assert (chart.event_x, chart.event_width) == (WIDTH / 4, WIDTH / 2)
    in_progress = chart_of((0.1, 0.2, 0.3, 0.4), started_at=start + 60, ended_at=None)
    assert in_progress.event_x + in_progress.event_width == WIDTH


def test_metrics_without_values_have_no_chart():
    assert event_charts(IN_PROGRESS_DETAILS) == ()
    curve = MetricCurveDocument("cpu_usage", *[(None,)] * 4)
    curves = CurvesDocument(step=60.0, at=(NOW,), metrics=(curve,))
    assert event_charts(replace(ENDED_DETAILS, curves=curves)) == ()


@pytest.mark.parametrize("hours", [0.3, 1, 4.5, 20, 28, 400])
def test_ticks_are_few_and_at_round_times(hours):
    curves = CurvesDocument(step=60.0, at=(NOW + 125.0, NOW + 65.0 + hours * 3600), metrics=())
    ticks = time_ticks(curves)
    assert 1 <= len(ticks) <= MAX_TICKS + 1
    assert [tick.position for tick in ticks] == sorted(tick.position for tick in ticks)
    assert hours > 28 or all(tick.label.endswith(("00", "15", "30", "45")) for tick in ticks)
