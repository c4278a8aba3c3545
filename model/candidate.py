"""From a history to a candidate that can be judged: the offline road in one function.

Dataset, fit, calibration and scores, each on its own part of the past: the network learns from the first, stops
and is calibrated by the second, and is marked on the third, which nothing has seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from model.arrays import Floats
from model.calibration import fit_calibration
from model.dataset import Dataset, Split, build, split, typical_step
from model.errors import NotEnoughHistoryError
from model.features import design, make_spec
from model.gate import GateConfig, refusal
from model.labels import Rules
from model.losses import BCEWithLogits
from model.network import mlp
from model.predictor import Predictor, fit_scaler
from model.scores import Score, score, threshold_for
from model.settings import Recipe
from model.training import Epoch, FitReport, Part, fit, start_at_base_rate

MAX_ROWS = 60_000
"""Rows a network is fitted on at most: neighbouring moments differ little, and a month of them is plenty."""


@dataclass(frozen=True)
class Task:
    """What is to be predicted, and how well a warning must hit."""

    rules: Rules
    horizons: tuple[float, ...]
    precision: float = 0.8


@dataclass(frozen=True)
class Candidate:
    """A trained predictor with what the gate needs to judge it.

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


def train(
    times: Floats,
    values: Floats,
    columns: Sequence[str],
    task: Task,
    recipe: Recipe,
    rng: np.random.Generator,
    on_epoch: Callable[[Epoch], None] = lambda _: None,
) -> Candidate:
    """Trains, calibrates and scores a predictor on samples.

    Args:
        times: (rows,) seconds, increasing.
        values: (rows, columns), NaN where missing.
        columns: names of the columns.
        task: what to predict.
        recipe: what to make of it.
        rng: the only randomness.
        on_epoch: told of each epoch; what it raises stops the training.

    Raises:
        NotEnoughHistoryError: too short, or without both high load and calm in each part.
        DivergedError: see `model.training.fit`.
    """
    rules = task.rules.resolve(columns, values)
    step = typical_step(times, default=1.0)
    spec = make_spec(columns, values, times, rules, task.horizons, step)
    history = spec.history()
    history.extend(times, values)
    parts, horizons, left_out = _parts(build(spec, history, task.horizons, MAX_ROWS), task.horizons)
    del history
    scaler = fit_scaler(parts.train.x)
    validation = Part(scaler(parts.validation.x), parts.validation.y)
    shape = (len(spec.names), *recipe.layers, len(horizons))
    network, loss = mlp(shape, rng, activation=recipe.activation, dropout=recipe.dropout), BCEWithLogits()
    start_at_base_rate(network, loss, parts.train.y)
    config = replace(recipe.fit, batch_size=batch_rows(len(parts.train), recipe.fit.batch_size))
    report = fit(network, loss, Part(scaler(parts.train.x), parts.train.y), validation, config, rng, on_epoch)
    logits = network.predict(validation.x)
    calibrations = tuple(
        fit_calibration(logits[:, i], parts.validation.y[:, i], horizon / step) for i, horizon in enumerate(horizons)
    )
    base_rates = tuple(float(rate) for rate in np.nanmean(parts.train.y, axis=0))
    predictor = Predictor(spec, horizons, scaler, network, calibrations, base_rates, (1.0,) * len(horizons))
    predictor = replace(predictor, thresholds=_thresholds(predictor, parts.validation, task.precision))
    return _judge(predictor, report, parts, left_out)


def batch_rows(rows: int, most: int) -> int:
    """Rows a step: as configured, but so few that a short history still gives some fifty steps an epoch."""
    return max(1, min(most, max(16, rows // 50)))


def _parts(dataset: Dataset, horizons: tuple[float, ...]) -> tuple[Split, tuple[float, ...], dict[float, str]]:
    """The split over those horizons of which every part holds both outcomes, and why the others are left out."""
    if not len(dataset):
        raise NotEnoughHistoryError("no moment of the history has a future that was watched")
    parts = split(dataset, horizons)
    left_out = {}
    for i, horizon in enumerate(horizons):
        reason = _cannot_teach(parts, i)
        if reason:
            left_out[horizon] = reason
    usable = [i for i, horizon in enumerate(horizons) if horizon not in left_out]
    if not usable:
        raise NotEnoughHistoryError(next(iter(left_out.values())))
    train, validation, holdout = (
        replace(part, y=part.y[:, usable]) for part in (parts.train, parts.validation, parts.holdout)
    )
    return Split(train, validation, holdout), tuple(horizons[i] for i in usable), left_out


def _cannot_teach(parts: Split, column: int) -> str | None:
    named = {"to learn from": parts.train, "to stop by": parts.validation, "to be judged on": parts.holdout}
    for purpose, part in named.items():
        y = part.y[:, column]
        y = y[~np.isnan(y)]
        lacks = "no outcome yet" if not y.size else "no high load" if not y.any() else "no calm" if y.all() else ""
        if lacks:
            return f"{lacks} in the part of the history {purpose}; a prediction needs examples of both"
    return None


def _thresholds(predictor: Predictor, validation: Dataset, precision: float) -> tuple[float, ...]:
    p = predictor.probabilities(validation.x)
    return tuple(threshold_for(validation.y[:, i], p[:, i], precision) for i in range(p.shape[1]))


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
    return {"climatology": np.tile(base, (len(state), 1)), "persistence": persistence}


def _judge(predictor: Predictor, report: FitReport, parts: Split, left_out: dict[float, str]) -> Candidate:
    p = predictor.probabilities(parts.holdout.x)
    baselines = baseline_probabilities(parts.train, parts.holdout.state)
    scores = tuple(
        {
            name: score(parts.holdout.y[:, i], q[:, i], predictor.base_rates[i])
            for name, q in {"network": p, **baselines}.items()
        }
        for i in range(len(predictor.horizons))
    )
    return Candidate(predictor, report, len(parts.train), parts.holdout, p, baselines, scores, left_out)


def probabilities_at(predictor: Predictor, times: Floats, values: Floats, at: Floats) -> Floats:
    """What a predictor would have said at some moments of a history.

    Args:
        predictor: made for the same columns.
        times: (rows,) seconds, increasing.
        values: (rows, columns), NaN where missing.
        at: (n,) moments, each one of `times`.

    Returns:
        (n, horizons).
    """
    history = predictor.spec.history()
    history.extend(times, values)
    return predictor.probabilities(design(predictor.spec, history, np.searchsorted(times, at)))


def said_instead(serving: Predictor, candidate: Candidate, times: Floats, values: Floats) -> Floats | None:
    """What another predictor says of the candidate's holdout, at the candidate's horizons.

    Args:
        serving: the other one.
        candidate: made of the same samples.
        times: (rows,) seconds, increasing.
        values: (rows, columns), NaN where missing.

    Returns:
        (rows, horizons), NaN at a horizon that it does not know; None where it knows none, or other columns.
    """
    if serving.spec.columns != candidate.predictor.spec.columns:
        return None
    said = probabilities_at(serving, times, values, candidate.holdout.times)
    found = np.full(candidate.probabilities.shape, np.nan)
    for i, horizon in enumerate(candidate.predictor.horizons):
        if horizon in serving.horizons:
            found[:, i] = said[:, serving.horizons.index(horizon)]
    return None if np.isnan(found).all() else found


def refusal_of(candidate: Candidate, incumbent: Floats | None, config: GateConfig) -> str | None:
    """The reason why the gate does not let a candidate serve, or None.

    Args:
        candidate: with what it said of its holdout.
        incumbent: what the serving model says of it (`said_instead`), None where none serves.
        config: of the gate.
    """
    horizons = candidate.predictor.horizons
    return refusal(candidate.probabilities, candidate.baselines, incumbent, candidate.holdout, horizons, config)
