"""Training report of a candidate."""

import math
from dataclasses import replace

import numpy as np
import pytest

from model.errors import SkipReason
from model.forecast.metrics import Score
from model.forecast.pretrained import bootstrap_predictor
from model.forecast.serialization import bundled_pretrained_model
from model.nn.diagnostics.fit_report import Epoch, FitReport
from model.nn.diagnostics.gradient_health import GradientHealth, GradientState, LayerHealth, ParameterHealth
from model.training.evaluation import Candidate
from model.training.promotion import GateDecision
from model.training.refusal import ComparisonSkip, Refusal, RefusalReason
from model.training.task import MIN_EVENTS, OmittedHorizon
from monitor.config.loader import Config
from monitor.training.bootstrap_model import configured_task
from monitor.training.report import TrainingReport
from monitor.training.report_builder import build_report, finite_or_none, score_report
from monitor.training.report_parts import DetectorReport, ScoreReport
from storage import SAMPLE_FIELDS

pytestmark = pytest.mark.unit

CONFIG = Config()
SCORE = Score(brier=0.1, brier_skill=math.nan, average_precision=0.5, calibration_error=0.02)


@pytest.fixture
def candidate():
    """A candidate around the pretrained model; its fit and scores are made up."""
    predictor = bootstrap_predictor(
        bundled_pretrained_model(), SAMPLE_FIELDS, CONFIG.rules, CONFIG.high_load.horizons, 5.0, 0.8
    )
    predictor = replace(predictor, pretrained_horizons=predictor.horizons[-1:])
    health = GradientHealth(
        state=GradientState.HEALTHY,
        parameters=(ParameterHealth("0.weight", 0.1, 0.2, 0.3, 0.004),),
        layers=(LayerHealth("1", 0.25, None, 0.5, 0.75),),
        steps=10,
        clipped_steps=1,
        nonfinite_steps=0,
    )
    return Candidate(
        predictor=predictor,
        horizons=predictor.horizons[:-1],
        fit=FitReport((Epoch(1, 0.5, 0.4, 0.3), Epoch(2, 0.4, 0.3, 0.2)), 2, health),
        rows=40,
        folds=3,
        events=(7,) * (len(predictor.horizons) - 1),
        holdout=None,
        probabilities=np.empty((0, len(predictor.horizons))),
        baselines={},
        scores=tuple({"network": SCORE} for _ in predictor.horizons[:-1]),
        omitted_horizons={
            predictor.horizons[-1]: OmittedHorizon(SkipReason.NO_CALM_LOAD, 2),
            86400.0: OmittedHorizon(SkipReason.TOO_FEW_EVENTS, 2),
        },
    )


def test_report_of_a_candidate_survives_storage(candidate):
    times = 1.8e9 + 5.0 * np.arange(100)
    values = np.random.default_rng(0).uniform(size=(100, len(SAMPLE_FIELDS)))
    detector = DetectorReport(reason="no metric varies")
    decision = GateDecision(Refusal(RefusalReason.LOW_SKILL), ComparisonSkip.NO_UNSEEN_EVENT)
    report = build_report(candidate, times, values, configured_task(CONFIG), detector, decision)
    assert (report.from_, report.to, report.samples, report.rows) == (times[0], times[-1], 100, 40)
    assert (report.kept.validation_loss, report.health.layers[0].saturation_ratio) == (0.3, None)
    assert [horizon.horizon for horizon in report.horizons] == list(CONFIG.high_load.horizons[:-1])
    assert report.horizons[0].scores == {"network": score_report(SCORE)}
    pretrained, omitted = report.left_out
    assert pretrained.skip_reason is SkipReason.NO_CALM_LOAD
    assert report.pretrained_horizons == (pretrained.horizon,)
    assert (omitted.horizon, omitted.skip_reason) == (86400.0, SkipReason.TOO_FEW_EVENTS)
    assert (omitted.events, omitted.events_needed) == (2, MIN_EVENTS)
    assert (report.folds, report.horizons[0].events) == (3, 7)
    assert report.refusal_reason == RefusalReason.LOW_SKILL
    assert report.comparison_skip == ComparisonSkip.NO_UNSEEN_EVENT
    assert set(report.inputs) == set(candidate.predictor.spec.inputs)
    assert TrainingReport.from_json(report.to_json()) == report


def test_score_report_has_none_for_a_score_that_cannot_be_computed():
    assert score_report(SCORE) == ScoreReport(
        brier=0.1, brier_skill=None, average_precision=0.5, calibration_error=0.02
    )


@pytest.mark.parametrize(("value", "expected"), [(0.5, 0.5), (math.nan, None), (math.inf, None)])
def test_finite_or_none_drops_values_that_are_not_finite(value, expected):
    assert finite_or_none(value) == expected
