"""Evaluation of a candidate on the holdout, next to the baselines and the incumbent."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from model.array_types import Floats
from model.features.dataset import Dataset, Split, features_at, mask_labels
from model.features.time_buckets import bucket_width
from model.forecast.baselines import CURRENT_VALUE, HOLT_WINTERS, climatology_and_persistence
from model.forecast.blend import fit_load_table
from model.forecast.log_odds import sigmoid
from model.forecast.metrics import Score, score
from model.forecast.predictor import Predictor
from model.forecast.smoothing import SeasonalSmoother, best_smoothing
from model.nn.diagnostics.fit_report import FitReport
from model.training.blend_weights import fit_blends
from model.training.gate import GateInputs, check_candidate
from model.training.refusal import Refusal, RefusalReason
from model.training.settings import GateConfig
from model.training.task import OmittedHorizon

CANDIDATE = "network"
"""Name of the candidate among the scores."""


@dataclass(frozen=True)
class Candidate:
    """Newly trained predictor with its evaluation on the holdout.

    The evaluated model is its holdout model, which was fitted without the holdout.

    Attributes:
        predictor: the model to serve.
        fit: report of the holdout model's training.
        rows: number of training and holdout rows.
        holdout: labels and features of the holdout.
        probabilities: (rows, horizons) of the holdout model on the holdout.
        baselines: likewise, by name.
        scores: for each horizon the scores by name, the candidate's as CANDIDATE.
        omitted_horizons: horizons of the task that the predictor lacks, in seconds, with the reason.
    """

    predictor: Predictor
    fit: FitReport
    rows: int
    holdout: Dataset
    probabilities: Floats
    baselines: dict[str, Floats]
    scores: tuple[dict[str, Score], ...]
    omitted_horizons: dict[float, OmittedHorizon]


def evaluate_candidate(
    predictor: Predictor,
    report: FitReport,
    parts: Split,
    samples: tuple[Floats, Floats],
    omitted_horizons: dict[float, OmittedHorizon],
) -> Candidate:
    """Evaluate a predictor on its holdout.

    Args:
        predictor: with its holdout model.
        report: of the holdout model's training.
        parts: training part of the holdout model, and the holdout.
        samples: times (rows,) and values (rows, columns) that the parts were built from.
        omitted_horizons: horizons that the predictor lacks.
    """
    holdout_model = predictor.holdout_model or predictor
    probabilities = cross_calibrated_probabilities(holdout_model, parts.holdout)
    baselines = {
        **climatology_and_persistence(parts.train.y, parts.train.state, parts.holdout.state),
        **_load_baselines(holdout_model, parts, *samples),
    }
    scores = tuple(
        {
            name: score(parts.holdout.y[:, i], p[:, i], holdout_model.base_rates[i])
            for name, p in {CANDIDATE: probabilities, **baselines}.items()
        }
        for i in range(len(predictor.horizons))
    )
    return Candidate(
        predictor=predictor,
        fit=report,
        rows=len(parts.train) + len(parts.holdout),
        holdout=parts.holdout,
        probabilities=probabilities,
        baselines=baselines,
        scores=scores,
        omitted_horizons=omitted_horizons,
    )


def cross_calibrated_probabilities(holdout_model: Predictor, holdout: Dataset) -> Floats:
    """Return the predictions (rows, horizons) on the holdout, with each half blended on the labels of the other.

    Blend weights fitted to the very rows that are scored would make the model look better than it is.
    """
    half = len(holdout) // 2
    first = holdout.take(np.arange(half))
    second = holdout.take(np.arange(half, len(holdout)))
    # a label of the first half must not reach into the second
    first = mask_labels(first, holdout_model.horizons, float(second.times[0]))
    predictions = [
        replace(holdout_model, blends=fit_blends(holdout_model, fitted)).probabilities(scored.x)
        for scored, fitted in ((first, second), (second, first))
    ]
    return np.concatenate(predictions)


def _load_baselines(holdout_model: Predictor, parts: Split, times: Floats, values: Floats) -> dict[str, Floats]:
    """Return the predictions (rows, horizons) on the holdout by present load and Holt-Winters, by name."""
    spec = holdout_model.spec
    horizons = holdout_model.horizons
    train_rows = len(parts.train)
    column = spec.column_index["load_index:last"]
    index = parts.holdout.x[:, column].astype(np.float64)
    current = np.stack([sigmoid(blend.load_table(index)) for blend in holdout_model.blends], axis=1)
    smoother = SeasonalSmoother(bucket_width(spec.step) or spec.step, horizons)
    smoother.extend(times, spec.rules.load_index(spec.columns, values))
    rows = np.searchsorted(times, np.concatenate((parts.train.times, parts.holdout.times)))
    forecasts = smoother.forecasts(rows)
    seasonal = np.empty(current.shape)
    for i in range(len(horizons)):
        y = parts.train.y[:, i]
        past = forecasts[:, :train_rows, i]
        best = best_smoothing(past, y)
        seasonal[:, i] = sigmoid(fit_load_table(past[best], y)(forecasts[best, train_rows:, i]))
    return {CURRENT_VALUE: current, HOLT_WINTERS: seasonal}


def incumbent_probabilities(
    incumbent: Predictor, candidate: Candidate, times: Floats, values: Floats
) -> Floats | None:
    """Return the predictions of the incumbent's holdout model on the candidate's holdout.

    The incumbent itself was fitted to most of that holdout; its holdout model was not.

    Args:
        incumbent: the serving model.
        candidate: trained on the samples.
        times: (rows,) seconds, increasing.
        values: (rows, columns), NaN where missing.

    Returns:
        (rows, horizons of the candidate), NaN at horizons that the incumbent lacks; None if it shares no horizon, or
        has other metrics.
    """
    holdout_model = incumbent.holdout_model or incumbent
    horizons = candidate.predictor.horizons
    shared = [horizon for horizon in horizons if horizon in holdout_model.horizons]
    if holdout_model.spec.columns != candidate.predictor.spec.columns or not shared:
        return None
    holdout = candidate.holdout
    own = [holdout_model.horizons.index(horizon) for horizon in shared]
    wanted = [horizons.index(horizon) for horizon in shared]
    y = np.full((len(holdout), len(holdout_model.horizons)), np.float32(np.nan))
    y[:, own] = holdout.y[:, wanted]
    x = features_at(holdout_model.spec, times, values, holdout.times)
    probabilities = np.full(candidate.probabilities.shape, np.nan)
    predictions = cross_calibrated_probabilities(holdout_model, replace(holdout, x=x, y=y))
    probabilities[:, wanted] = predictions[:, own]
    return probabilities


def gate_refusal(
    candidate: Candidate, incumbent: Predictor | None, times: Floats, values: Floats, config: GateConfig
) -> Refusal | None:
    """Return the refusal of a candidate by the promotion gate, None if it may serve.

    Args:
        candidate: with its evaluation.
        incumbent: the serving model, None if there is none.
        times: (rows,) seconds of the samples that the candidate was trained on.
        values: (rows, columns) of them.
        config: of the gate.
    """
    predictions = None
    if incumbent is not None:
        lost = [horizon for horizon in candidate.omitted_horizons if horizon in incumbent.horizons]
        if lost:
            detail = candidate.omitted_horizons[lost[0]].message
            return Refusal(RefusalReason.MISSING_HORIZON, detail=detail)
        predictions = incumbent_probabilities(incumbent, candidate, times, values)
    inputs = GateInputs(
        candidate=candidate.probabilities,
        baselines=candidate.baselines,
        incumbent=predictions,
        holdout=candidate.holdout,
        horizons=candidate.predictor.horizons,
    )
    return check_candidate(inputs, config)
