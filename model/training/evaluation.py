"""What a candidate is judged by: what its rehearsal says of the newest part of the history, and what others say."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from model.array_types import Floats
from model.features.dataset import Dataset, Split, ending, features_at
from model.features.time_buckets import bucket_width
from model.forecast.baselines import (
    CLIMATOLOGY,
    CURRENT_VALUE,
    HOLT_WINTERS,
    PERSISTENCE,
    best_smoothing,
    binned,
    forecasts_by_smoothing,
)
from model.forecast.blend import fit_load_table
from model.forecast.metrics import Score, score
from model.forecast.predictor import Predictor
from model.nn.diagnostics.fit_report import FitReport
from model.nn.numerics import sigmoid
from model.training.blend_weights import fit_blends
from model.training.gate import refusal
from model.training.settings import GateConfig


@dataclass(frozen=True)
class Candidate:
    """A trained predictor with what the gate needs to judge it.

    What is judged is its rehearsal, which learned without the newest part of the history: `fit` is of that training,
    `scores` has one mapping a horizon, from "network" and each baseline to its score on the holdout;
    `probabilities` and the values of `baselines` are (rows, horizons) on the holdout rows. `left_out` says of
    each wanted horizon that the history cannot teach yet why that is so.
    """

    predictor: Predictor
    fit: FitReport
    rows: int
    holdout: Dataset
    probabilities: Floats
    baselines: dict[str, Floats]
    scores: tuple[dict[str, Score], ...]
    left_out: dict[float, str]


def evaluate_candidate(
    predictor: Predictor,
    report: FitReport,
    parts: Split,
    past: tuple[Floats, Floats],
    left_out: dict[float, str],
) -> Candidate:
    """A predictor with what its rehearsal and the baselines say of the holdout, and their scores.

    Args:
        predictor: with its rehearsal.
        report: of the rehearsal's training.
        parts: what the rehearsal has learned from, and the holdout.
        past: times (rows,) and values (rows, columns) of the samples that they are made of.
        left_out: why a wanted horizon is not among the predictor's.
    """
    holdout_model = predictor.holdout_model or predictor
    p = cross_calibrated_probabilities(holdout_model, parts.holdout)
    baselines = {
        **baseline_probabilities(parts.train, parts.holdout.state),
        **_of_the_load(holdout_model, parts, *past),
    }
    scores = tuple(
        {
            name: score(parts.holdout.y[:, i], q[:, i], holdout_model.base_rates[i])
            for name, q in {"network": p, **baselines}.items()
        }
        for i in range(len(predictor.horizons))
    )
    rows = len(parts.train) + len(parts.holdout)
    return Candidate(predictor, report, rows, parts.holdout, p, baselines, scores, left_out)


def cross_calibrated_probabilities(holdout_model: Predictor, holdout: Dataset) -> Floats:
    """What a rehearsal says of its holdout, each half calibrated by the other: (rows, horizons).

    Calibrated by the very rows it is judged on it would look better than it is.
    """
    half = len(holdout) // 2
    halves = [holdout.take(np.arange(half)), holdout.take(np.arange(half, len(holdout)))]
    # a label of the first half may reach into the second
    halves[0] = ending(halves[0], holdout_model.horizons, float(halves[1].times[0]))
    said = [
        replace(holdout_model, blends=fit_blends(holdout_model, other)).probabilities(one.x)
        for one, other in (halves, halves[::-1])
    ]
    return np.concatenate(said)


def baseline_probabilities(train: Dataset, state: Floats) -> dict[str, Floats]:
    """What anyone could say without a network.

    Climatology says how often high load followed in training; persistence says how often it followed a moment
    in the same state as now.

    Args:
        train: where the shares are counted.
        state: (rows,) present state of the moments to predict.

    Returns:
        (rows, horizons) by name.
    """
    base = np.nanmean(train.y, axis=0)
    shares = {}
    for value in (0.0, 1.0):
        y = train.y[train.state == value]
        known = ~np.isnan(y)
        # one imagined moment of the base rate: a state that was hardly seen says little
        shares[value] = (np.where(known, y, 0).sum(axis=0) + base) / (known.sum(axis=0) + 1)
    persistence = np.where((state == 1)[:, None], shares[1.0], shares[0.0])
    persistence[np.isnan(state)] = base
    return {CLIMATOLOGY: np.tile(base, (len(state), 1)), PERSISTENCE: persistence}


def _of_the_load(holdout_model: Predictor, parts: Split, times: Floats, values: Floats) -> dict[str, Floats]:
    """What the present load and a daily season of it say of the holdout, (rows, horizons) by name."""
    spec, n = holdout_model.spec, len(parts.train)
    width = bucket_width(spec.step) or spec.step
    means, bins = binned(times, spec.rules.load_index(spec.columns, values), width)
    bins = bins[np.searchsorted(times, np.concatenate((parts.train.times, parts.holdout.times)))]
    place = spec.place["load_index:last"]
    index = np.concatenate((parts.train.x[:, place], parts.holdout.x[:, place])).astype(np.float64)
    current = np.stack([sigmoid(blends.load_table(index[n:])) for blends in holdout_model.blends], axis=1)
    forecasts = forecasts_by_smoothing(means, bins, index, width, holdout_model.horizons)
    seasonal = np.empty(current.shape)
    for i in range(current.shape[1]):
        y = parts.train.y[:, i]
        best = best_smoothing({smoothing: ahead[:n, i] for smoothing, ahead in forecasts.items()}, y)
        seasonal[:, i] = sigmoid(fit_load_table(forecasts[best][:n, i], y)(forecasts[best][n:, i]))
    return {CURRENT_VALUE: current, HOLT_WINTERS: seasonal}


def incumbent_probabilities(serving: Predictor, candidate: Candidate, times: Floats, values: Floats) -> Floats | None:
    """What another predictor's rehearsal says of the candidate's holdout, at the candidate's horizons.

    The other one has itself learned from most of that holdout, its rehearsal has not.

    Args:
        serving: the other one.
        candidate: made of the same samples.
        times: (rows,) seconds, increasing.
        values: (rows, columns), NaN where missing.

    Returns:
        (rows, horizons), NaN at a horizon that it does not know; None where it knows none, or other columns.
    """
    twin, wanted = serving.holdout_model or serving, candidate.predictor.horizons
    shared = [horizon for horizon in wanted if horizon in twin.horizons]
    if twin.spec.columns != candidate.predictor.spec.columns or not shared:
        return None
    holdout, known = candidate.holdout, [twin.horizons.index(horizon) for horizon in shared]
    there = [wanted.index(horizon) for horizon in shared]
    y = np.full((len(holdout), len(twin.horizons)), np.float32(np.nan))
    y[:, known] = holdout.y[:, there]
    x = features_at(twin.spec, times, values, holdout.times)
    found = np.full(candidate.probabilities.shape, np.nan)
    found[:, there] = cross_calibrated_probabilities(twin, replace(holdout, x=x, y=y))[:, known]
    return found


def gate_refusal(
    candidate: Candidate, serving: Predictor | None, times: Floats, values: Floats, config: GateConfig
) -> str | None:
    """The reason why the gate does not let a candidate serve, or None.

    Args:
        candidate: with what it said of its holdout.
        serving: the model that serves, None where none does.
        times: (rows,) seconds of the samples that the candidate was made of.
        values: (rows, columns) of them.
        config: of the gate.
    """
    horizons = candidate.predictor.horizons
    incumbent = None
    if serving is not None:
        lost = {h: why for h, why in candidate.left_out.items() if h in serving.horizons}
        if lost:
            return f"it cannot say what the serving model says: {next(iter(lost.values()))}"
        incumbent = incumbent_probabilities(serving, candidate, times, values)
    return refusal(candidate.probabilities, candidate.baselines, incumbent, candidate.holdout, horizons, config)
