import pytest

from benchmarks.soak_readings import Reading, resource_figures, rise, slope_per_hour

pytestmark = pytest.mark.unit


def reading(seconds, rss, descriptors=30.0):
    return Reading(seconds, rss, rss, descriptors, threads=8.0, wal=4.0, database=100.0)


def test_slope_ignores_peaks_and_a_single_step():
    # 2 MB per hour, a peak of 20 MB in each minute, and one step of 5 MB near the end.
    steps = [reading(10.0 * i, 70 + 20 * (i % 6 == 3) + 5 * (i > 110) + 2 * i / 360) for i in range(120)]
    assert slope_per_hour(steps, lambda r: r.rss) == pytest.approx(2.0, abs=0.2)


def test_rise_compares_the_largest_values_of_both_halves():
    values = [1.0, 3.0, 2.0, 2.0, 5.0, 1.0]
    assert rise([reading(i, value) for i, value in enumerate(values)], lambda r: r.rss) == 2.0


def test_resource_figures_miss_the_limit_if_descriptors_rise():
    flat = resource_figures([reading(i, 70.0) for i in range(10)])
    rising = resource_figures([reading(i, 70.0, descriptors=30.0 + i) for i in range(10)])
    assert [figure.name for figure in flat if figure.missed] == []
    assert [figure.name for figure in rising if figure.missed] == ["descriptors, rise"]
