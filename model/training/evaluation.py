"""Candidate evaluation: scores of the candidate and of the baselines on the holdout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.array_types import Floats, Integers
from model.features.dataset import Dataset, Split
from model.features.feature_spec import FeatureSpec
from model.features.rows import Rows, row_chunks
from model.features.time_buckets import bucket_width
from model.forecast.baselines import CLIMATOLOGY, CURRENT_VALUE, HOLT_WINTERS, climatology_and_persistence
from model.forecast.blend import fit_load_table
from model.forecast.log_odds import sigmoid
from model.forecast.metrics import Score, score
from model.forecast.predictor import Predictor
from model.forecast.smoothing import SeasonalSmoother, best_smoothing
from model.nn.diagnostics.fit_report import FitReport
from model.training.blend_weights import ExpertPredictions, cross_fitted_probabilities
from model.training.folds import Folds
from model.training.holdout_replay import ReplayModel
from model.training.task import OmittedHorizon

CANDIDATE = "network"
"""Key of the candidate in a mapping of scores."""


@dataclass(frozen=True)
class Candidate:
    """Newly trained predictor with its evaluation on the holdout.

    Each row of the holdout is predicted by the model of its fold, which was fitted on earlier samples only.

    Attributes:
        predictor: the model to serve.
        horizons: horizons of the holdout and the scores: those with enough examples in the history, in seconds.
        fit: fit report of the holdout model, which is the model of the newest fold.
        rows: number of rows in the history, including the holdout.
        folds: number of folds of the holdout.
        events: number of events in the history per horizon.
        holdout: labels and features of the holdout.
        probabilities: (rows, horizons) predictions on the holdout.
        baselines: (rows, horizons) predictions of each baseline on the holdout, keyed by name.
        scores: for each horizon, the score of each predictor keyed by name; the key of the candidate is CANDIDATE.
        omitted_horizons: other horizons of the task, in seconds, with the reason; the predictor lacks them, or the
            pretrained model predicts them alone.
        holdout_models: model for each part of the holdout, to replay the part.
    """

    predictor: Predictor
    horizons: tuple[float, ...]
    fit: FitReport
    rows: int
    folds: int
    events: tuple[int, ...]
    holdout: Dataset
    probabilities: Floats
    baselines: dict[str, Floats]
    scores: tuple[dict[str, Score], ...]
    omitted_horizons: dict[float, OmittedHorizon]
    holdout_models: tuple[ReplayModel, ...] = ()


def evaluate_candidate(
    predictor: Predictor,
    report: FitReport,
    folds: Folds,
    models: Sequence[Predictor],
    predictions: ExpertPredictions,
    samples: tuple[Floats, Rows],
) -> Candidate:
    """Score a predictor and the baselines on the holdout; return a candidate without `holdout_models`.

    Args:
        predictor: the model to serve, with its holdout model.
        report: fit report of the holdout model.
        folds: folds of the history.
        models: for each fold, the model fitted on the rows before the fold.
        predictions: predictions of the experts of `models` on the holdout.
        samples: times (rows,) and values (rows, columns) of the history.
    """
    holdout = folds.holdout
    probabilities = cross_fitted_probabilities(models[-1], predictions, cross_fitting_parts(folds))
    baselines = _baselines(models, folds, *samples)
    scores = tuple(
        {
            name: score(holdout.y[:, i], p[:, i], baselines[CLIMATOLOGY][:, i])
            for name, p in {CANDIDATE: probabilities, **baselines}.items()
        }
        for i in range(len(folds.horizons))
    )
    return Candidate(
        predictor=predictor,
        horizons=folds.horizons,
        fit=report,
        rows=len(folds.whole),
        folds=len(folds.parts),
        events=folds.events,
        holdout=holdout,
        probabilities=probabilities,
        baselines=baselines,
        scores=scores,
        omitted_horizons=folds.omitted,
    )


def cross_fitting_parts(folds: Folds) -> Integers:
    """Return the number (rows,) of the fold of each holdout row."""
    return np.repeat(np.arange(len(folds.parts)), [len(part.holdout) for part in folds.parts])


def _baselines(models: Sequence[Predictor], folds: Folds, times: Floats, values: Rows) -> dict[str, Floats]:
    """Return the baselines' predictions (rows, horizons) on the holdout, fitted on the rows before each fold."""
    newest = folds.parts[-1]
    at = np.concatenate((newest.train.times, newest.holdout.times))
    forecasts = _smoothed_forecasts(models[0].spec, folds.horizons, (times, values), np.searchsorted(times, at))
    by_fold = []
    for model, part in zip(models, folds.parts, strict=True):
        rows = np.searchsorted(at, np.concatenate((part.train.times, part.holdout.times)))
        by_fold.append(
            {
                **climatology_and_persistence(part.train.y, part.train.state, part.holdout.state),
                CURRENT_VALUE: _current_value(model, part.holdout),
                HOLT_WINTERS: _holt_winters(forecasts[:, rows], part),
            }
        )
    return {name: np.concatenate([baselines[name] for baselines in by_fold]) for name in by_fold[0]}


def _smoothed_forecasts(
    spec: FeatureSpec, horizons: Sequence[float], samples: tuple[Floats, Rows], rows: Integers
) -> Floats:
    """Return the forecasts (smoothings, n, horizons) of the load index at some samples of a history.

    Args:
        spec: feature specification with the rules.
        horizons: seconds.
        samples: times (rows,) and values (rows, columns) of the history.
        rows: (n,) positions of the samples, increasing.
    """
    times, values = samples
    smoother = SeasonalSmoother(bucket_width(spec.step) or spec.step, horizons)
    parts = []
    for part, part_values in row_chunks(values):
        load_index = spec.rules.load_index(spec.columns, part_values)
        smoother.extend(times[part], np.minimum(load_index, spec.load_limit))
        inside = slice(*np.searchsorted(rows, (part.start, part.stop)))
        parts.append(smoother.forecasts(rows[inside] - part.start))
    return np.concatenate(parts, axis=1)


def _current_value(model: Predictor, holdout: Dataset) -> Floats:
    """Return the probabilities (rows, horizons) at the present load index, from the load tables of a fold's model."""
    index = holdout.x[:, model.spec.column_index["load_index:last"]].astype(np.float64)
    return np.stack([sigmoid(blend.load_table(index)) for blend in model.blends], axis=1)


def _holt_winters(forecasts: Floats, part: Split) -> Floats:
    """Return the Holt-Winters predictions (rows, horizons) for the holdout of a fold.

    Args:
        forecasts: (smoothings, training and holdout rows, horizons).
        part: labels of the training and holdout rows.
    """
    train_rows = len(part.train)
    probabilities = np.empty(part.holdout.y.shape)
    for i, y in enumerate(part.train.y.T):
        past = forecasts[:, :train_rows, i]
        best = best_smoothing(past, y)
        probabilities[:, i] = sigmoid(fit_load_table(past[best], y)(forecasts[best, train_rows:, i]))
    return probabilities
