"""Score parts from residuals and distances."""

import numpy as np
import pytest

from model.anomaly.channels import SCORE_PARTS, AnomalyScorer, calibrate

pytestmark = pytest.mark.unit

METRICS = 3
STEP = 300.0


def residuals_and_distances(rows, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(rows, 2 * METRICS)), rng.chisquare(4, rows) / 4


def score(scorer, residuals, distances, present, calibration):
    """Return the score parts of rows."""
    by_horizon = np.concatenate((present, present), axis=1)
    energy = scorer.residual_energy(residuals, by_horizon, calibration.residual_scales)
    averages = scorer.average(energy, by_horizon, distances, np.asarray(present.any(axis=1)))
    return scorer.score_parts(averages, scorer.average_by_metric(energy, by_horizon), present, calibration)


@pytest.fixture(scope="module")
def calibration():
    residuals, distances = residuals_and_distances(3000)
    return calibrate(residuals, distances, np.ones((3000, METRICS), bool), STEP)[0]


def test_calibrate_returns_the_score_parts_of_the_history():
    residuals, distances = residuals_and_distances(3000)
    present = np.ones((3000, METRICS), bool)
    calibration, parts = calibrate(residuals, distances, present, STEP)
    again = score(AnomalyScorer(METRICS, STEP), residuals, distances, present, calibration)
    assert parts.for_thresholds.shape == (3000, len(SCORE_PARTS))
    assert again.for_thresholds == pytest.approx(parts.for_thresholds)


def test_score_parts_are_the_same_row_by_row_and_in_a_batch(calibration):
    residuals, distances = residuals_and_distances(400, seed=1)
    present = np.random.default_rng(2).random((400, METRICS)) > 0.1
    batch = score(AnomalyScorer(METRICS, STEP), residuals, distances, present, calibration)
    scorer = AnomalyScorer(METRICS, STEP)
    rows = [
        score(scorer, residuals[i : i + 1], distances[i : i + 1], present[i : i + 1], calibration) for i in range(400)
    ]
    # Without any metric there is nothing to average, and such a row has no meaning in a batch.
    valid = present.any(axis=1)
    parts = np.concatenate([row.for_thresholds for row in rows])
    assert parts[valid] == pytest.approx(batch.for_thresholds[valid])


def test_short_term_part_is_calibrated_to_rare_rows(calibration):
    residuals, distances = residuals_and_distances(20_000, seed=3)
    parts = score(AnomalyScorer(METRICS, STEP), residuals, distances, np.ones((20_000, METRICS), bool), calibration)
    assert (parts.short_term >= 1).mean() == pytest.approx(0.02, abs=0.015)


def test_single_large_residual_is_a_spike_of_its_metric(calibration):
    residuals, distances = residuals_and_distances(200, seed=4)
    residuals[150, [1, 1 + METRICS]] = 20.0
    parts = score(AnomalyScorer(METRICS, STEP), residuals, distances, np.ones((200, METRICS), bool), calibration)
    assert parts.spike.argmax() == 150
    assert parts.by_metric[150].argmax() == 1


def test_missing_metric_has_no_score(calibration):
    residuals, distances = residuals_and_distances(200, seed=5)
    residuals[:, [0, METRICS]] = 50.0
    present = np.ones((200, METRICS), bool)
    present[:, 0] = False
    parts = score(AnomalyScorer(METRICS, STEP), residuals, distances, present, calibration)
    assert not parts.by_metric[:, 0].any()
    assert parts.spike.max() < 30


def test_lasting_offset_becomes_normal(calibration):
    residuals, distances = residuals_and_distances(2000, seed=6)
    residuals[100:, [1, 1 + METRICS]] += 4.0
    parts = score(AnomalyScorer(METRICS, STEP), residuals, distances, np.ones((2000, METRICS), bool), calibration)
    assert parts.joint[100:160].max() > 2 * np.median(parts.joint[:100])
    assert np.median(parts.joint[-200:]) < 1.5 * np.median(parts.joint[:100])
