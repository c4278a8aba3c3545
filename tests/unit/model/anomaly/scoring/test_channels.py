"""Score parts from residuals and distances."""

from dataclasses import replace

import numpy as np
import pytest

from model.anomaly.scoring.calibration import calibrate
from model.anomaly.scoring.channels import SCORE_PARTS, AnomalyScorer

pytestmark = pytest.mark.unit

METRICS = 3
VIEWS = 3
STEP = 300.0


def residuals_and_distances(rows, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(rows, VIEWS * METRICS)), rng.chisquare(4, rows) / 4


def score(scorer, residuals, distances, present, calibration):
    """Return the score parts of rows."""
    return scorer.update(residuals, present, distances, calibration)


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


def test_detector_of_format_2_is_scored_without_the_seasonal_view(calibration):
    residuals, distances = residuals_and_distances(200, seed=7)
    d = 2 * METRICS
    old = replace(calibration, residual_scales=calibration.residual_scales[:d], overall_quantiles=None)
    scorer = AnomalyScorer(METRICS, STEP, seasonal=False)
    parts = score(scorer, residuals[:, :d], distances, np.ones((200, METRICS), bool), old)
    now = score(AnomalyScorer(METRICS, STEP), residuals, distances, np.ones((200, METRICS), bool), calibration)
    assert parts.joint == pytest.approx(now.joint)
    assert parts.spike == pytest.approx(now.spike)
    assert np.corrcoef(parts.overall, now.overall)[0, 1] > 0.5
