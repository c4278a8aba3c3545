"""Overall score part: response to lasting, sudden and seasonal deviations."""

import numpy as np
import pytest

from model.anomaly.scoring.overall import AVERAGES, OverallScorer

pytestmark = pytest.mark.unit

METRICS = 4
BACKGROUND = 144.0


def overall(energy, present=None, distance=None):
    """Return the overall part (rows,) of energy (rows, 3 * METRICS), with all quantiles 1."""
    n = len(energy)
    scorer = OverallScorer(METRICS, BACKGROUND)
    averages = scorer.average(energy, np.ones((n, METRICS), bool) if present is None else present)
    zeros = np.zeros(n)
    return scorer.score(averages, np.ones(AVERAGES), zeros if distance is None else distance, zeros)


def test_overall_is_the_same_row_by_row_and_in_a_batch():
    energy = np.random.default_rng(0).chisquare(1, size=(60, 3 * METRICS))
    batch = overall(energy)
    scorer = OverallScorer(METRICS, BACKGROUND)
    ones = np.ones((1, METRICS), bool)
    rows = [
        scorer.score(scorer.average(row[None], ones), np.ones(AVERAGES), np.zeros(1), np.zeros(1))[0]
        for row in energy
    ]
    assert rows == pytest.approx(batch)


def test_metric_that_was_noisy_before_counts_less():
    calm = np.ones((300, 3 * METRICS))
    noisy = calm.copy()
    noisy[:, ::METRICS] = 20.0
    for energy in (calm, noisy):
        energy[290:, ::METRICS] = 40.0
    increase = overall(calm)[-1] - overall(calm)[280]
    assert increase > 1.5 * (overall(noisy)[-1] - overall(noisy)[280])


def test_lasting_deviation_keeps_a_higher_score_than_a_single_row():
    single = np.ones((200, 3 * METRICS))
    lasting = single.copy()
    single[100] = 30.0
    lasting[100:150] = 30.0
    assert overall(lasting)[149] > 2 * overall(single)[149]


@pytest.mark.parametrize("views", [slice(0, 2 * METRICS), slice(2 * METRICS, None)], ids=["forecast", "seasonal"])
def test_each_view_raises_the_score(views):
    energy = np.ones((100, 3 * METRICS))
    energy[50:60, views] = 10.0
    score = overall(energy)
    assert score[50:60].min() > 1.2 * score[10:50].max()


def test_distance_raises_the_score_and_a_row_without_metrics_leaves_the_averages():
    energy = np.ones((100, 3 * METRICS))
    distance = np.zeros(100)
    distance[60] = 5.0
    assert overall(energy, distance=distance).argmax() == 60
    present = np.ones((100, METRICS), bool)
    present[40] = False
    energy[40] = 0.0
    assert OverallScorer(METRICS, BACKGROUND).average(energy, present)[40] == pytest.approx(
        OverallScorer(METRICS, BACKGROUND).average(energy, present)[39]
    )
