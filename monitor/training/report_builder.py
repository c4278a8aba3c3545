"""Report builder: training report of a fitted candidate and its detector."""

from __future__ import annotations

import math
import resource

from model.array_types import Floats
from model.features.rows import Rows, column_of
from model.forecast.drift import reference_histogram
from model.forecast.metrics import Score
from model.forecast.predictor import Predictor
from model.nn.diagnostics.gradient_health import GradientHealth
from model.training.evaluation import Candidate
from model.training.promotion import GateDecision
from model.training.task import MIN_EVENTS
from monitor.training.report import TrainingReport
from monitor.training.report_parts import (
    DetectorReport,
    EpochReport,
    ExpertWeights,
    ForecastTask,
    GradientReport,
    HorizonReport,
    InputDistribution,
    LayerReport,
    OmittedHorizon,
    ParameterReport,
    ScoreReport,
)


def build_report(
    candidate: Candidate,
    times: Floats,
    values: Rows,
    task: ForecastTask,
    detector: DetectorReport,
    decision: GateDecision,
) -> TrainingReport:
    """Build the report of a training run that fitted a candidate.

    Args:
        candidate: the fitted candidate with its holdout scores.
        times: (rows,) times of the samples in seconds since the epoch.
        values: (rows, columns) values of the samples, NaN where missing.
        task: configured task.
        detector: report of the anomaly detector.
        decision: decision of the promotion gate.
    """
    predictor = candidate.predictor
    fit = candidate.fit
    rules = predictor.spec.rules
    return TrainingReport(
        from_=float(times[0]),
        to=float(times[-1]),
        samples=len(times),
        task=task,
        rows=candidate.rows,
        features=len(predictor.spec.names),
        rules=tuple({metric: float(bound) for metric, bound in rule} for rule in rules.rules),
        sustained=rules.sustained,
        peak_memory_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        epochs=tuple(EpochReport(*epoch) for epoch in fit.epochs),
        kept_epoch=fit.kept_epoch,
        health=_gradients(fit.health),
        horizons=tuple(_horizon(candidate, i) for i in range(len(candidate.horizons))),
        left_out=tuple(
            OmittedHorizon(horizon, omitted.message, omitted.reason, omitted.events, MIN_EVENTS)
            for horizon, omitted in candidate.omitted_horizons.items()
        ),
        pretrained_horizons=predictor.pretrained_horizons,
        inputs=_inputs(predictor, values),
        detector=detector,
        folds=candidate.folds,
        refusal_reason=None if decision.refusal is None else decision.refusal.reason,
        comparison_skip=decision.skip,
    )


def _horizon(candidate: Candidate, i: int) -> HorizonReport:
    predictor = candidate.predictor
    horizon = candidate.horizons[i]
    served = predictor.horizons.index(horizon)
    return HorizonReport(
        horizon=horizon,
        base_rate=predictor.base_rates[served],
        threshold=predictor.thresholds[served],
        scores={name: score_report(score) for name, score in candidate.scores[i].items()},
        blend_weights=ExpertWeights(*predictor.blends[served].normalized_weights),
        events=candidate.events[i],
    )


def score_report(score: Score) -> ScoreReport:
    """Convert scores to their stored form; a score that is not finite becomes None."""
    return ScoreReport(
        brier=finite_or_none(score.brier),
        brier_skill=finite_or_none(score.brier_skill),
        average_precision=finite_or_none(score.average_precision),
        calibration_error=finite_or_none(score.calibration_error),
    )


def finite_or_none(value: float) -> float | None:
    """Return a number, or None if it is NaN or infinite."""
    return value if math.isfinite(value) else None


def _gradients(health: GradientHealth) -> GradientReport:
    parameters = tuple(
        ParameterReport(
            name=parameter.name,
            norm=parameter.norm,
            norm_last=parameter.norm_last,
            norm_max=parameter.norm_max,
            update_ratio=parameter.update_ratio,
        )
        for parameter in health.parameters
    )
    layers = tuple(
        LayerReport(
            name=layer.name,
            dead_ratio=layer.dead_ratio,
            saturation_ratio=layer.saturation_ratio,
            mean=layer.mean,
            deviation=layer.deviation,
        )
        for layer in health.layers
    )
    return GradientReport(
        state=health.state,
        steps=health.steps,
        clipped_steps=health.clipped_steps,
        nonfinite_steps=health.nonfinite_steps,
        advice=health.advice,
        parameters=parameters,
        layers=layers,
    )


def _inputs(predictor: Predictor, values: Rows) -> dict[str, InputDistribution]:
    """Return the distribution of each input metric in the training samples `values` (rows, columns)."""
    spec = predictor.spec
    bins = {name: reference_histogram(column_of(values, spec.columns.index(name))) for name in spec.inputs}
    return {name: InputDistribution(of.edges, of.frequencies) for name, of in bins.items()}
