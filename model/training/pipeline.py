"""From a history to a candidate that can be judged: the offline road in one function.

First a rehearsal: networks learn from the first four fifths of the past and are calibrated and marked on the last
one, which they have not seen. Then the same is done over all of it, and that is what serves: the newest days are too
good to only be judged on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from model.array_types import Floats
from model.errors import NotEnoughHistoryError
from model.features.dataset import Dataset, Split, build, joined, split, typical_step
from model.features.features import FeatureSpec, make_spec
from model.features.labels import Rules
from model.forecast.blend import EXPERTS, fit_load_table, single_expert
from model.forecast.bundled_weights import bundled_pretrained_model
from model.forecast.ensemble import Ensemble, fit_scaler
from model.forecast.metrics import threshold_for
from model.forecast.predictor import Predictor
from model.forecast.pretrained import adapted, usable
from model.nn.data import Examples
from model.nn.diagnostics.fit_report import Epoch, FitReport, combine_reports
from model.training.blend_weights import fit_blends, pretrained_weight, transfer_blends
from model.training.ensemble_training import fit_ensemble, views
from model.training.evaluation import Candidate, evaluate_candidate
from model.training.settings import Recipe
from model.units import DAY

MAX_ROWS = 20_000
"""Moments that networks learn from at most: neighbours differ little, and so many of three months are plenty."""

OTHER_DAYS_AFTER = 3 * DAY
"""Seconds of history from which networks look at other days: with less, yesterday was seen once."""


@dataclass(frozen=True)
class Task:
    """What is to be predicted, and how well a warning must hit."""

    rules: Rules
    horizons: tuple[float, ...]
    precision: float = 0.8


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
        on_epoch: told of each of at most `recipe.epochs` epochs; what it raises stops the training.

    Raises:
        SerializationError: the shipped prior is damaged.
        NotEnoughHistoryError: too short, or without both high load and calm in each part.
        DivergedError: see `model.nn.training.fit`.
    """
    rules = task.rules.resolve(columns, values)
    step = typical_step(times, default=1.0)
    spec = make_spec(columns, values, rules, task.horizons, step)
    parts, horizons, left_out = _parts(build(spec, times, values, MAX_ROWS), task.horizons)
    epochs = [recipe.fit.epochs] * recipe.networks
    holdout_model, reports = _fitted(spec, horizons, (parts.train, parts.holdout), recipe, epochs, rng, on_epoch)
    share = pretrained_weight(float(times[-1] - times[0]), max(horizons)) if usable(spec) else 0.0
    prior = adapted(bundled_pretrained_model(), spec, horizons) if share else None
    holdout_model = replace(holdout_model, prior=prior, pretrained_weight=share)
    holdout_model = replace(holdout_model, blends=fit_blends(holdout_model, parts.holdout))
    holdout_model = replace(holdout_model, thresholds=_thresholds(holdout_model, parts.holdout, task.precision))
    done = sum(epochs)

    def later(epoch: Epoch) -> None:
        on_epoch(epoch._replace(number=done + epoch.number))

    kept, whole = [report.kept_epoch for report in reports], joined(parts.train, parts.holdout)
    predictor, _ = _fitted(spec, horizons, (whole, None), recipe, kept, rng, later)
    predictor = replace(
        predictor,
        prior=prior,
        pretrained_weight=share,
        blends=transfer_blends(holdout_model, replace(predictor, prior=prior), whole),
        thresholds=holdout_model.thresholds,
        holdout_model=holdout_model,
    )
    return evaluate_candidate(predictor, combine_reports(reports), parts, (times, values), left_out)


def _fitted(
    spec: FeatureSpec,
    horizons: tuple[float, ...],
    datasets: tuple[Dataset, Dataset | None],
    recipe: Recipe,
    epochs: Sequence[int],
    rng: np.random.Generator,
    on_epoch: Callable[[Epoch], None],
) -> tuple[Predictor, tuple[FitReport, ...]]:
    """A predictor that is not calibrated yet, learned from the one dataset and stopped by the other."""
    train, validation = datasets
    scaler, n = fit_scaler(train.x), len(horizons)

    def part(dataset: Dataset) -> Examples:
        return Examples(scaler(dataset.x), np.concatenate((dataset.y, dataset.practice), axis=1))

    parts = part(train), None if validation is None else part(validation)
    looks = views(spec.names, other_days=train.times[-1] - train.times[0] >= OTHER_DAYS_AFTER)
    fitted, reports = fit_ensemble(looks, parts, n, recipe, epochs, rng, on_epoch)
    base_rates = tuple(float(rate) for rate in np.nanmean(train.y, axis=0))
    index = train.x[:, spec.place["load_index:last"]]
    blends = tuple(
        replace(single_expert(len(EXPERTS)), load_table=fit_load_table(index, train.y[:, i])) for i in range(n)
    )
    return Predictor(spec, horizons, Ensemble(scaler, *fitted), blends, base_rates, (1.0,) * n), reports


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
    taught = [i for i, horizon in enumerate(horizons) if horizon not in left_out]
    if not taught:
        raise NotEnoughHistoryError(next(iter(left_out.values())))
    train, holdout = (replace(part, y=part.y[:, taught]) for part in (parts.train, parts.holdout))
    return Split(train, holdout), tuple(horizons[i] for i in taught), left_out


def _cannot_teach(parts: Split, column: int) -> str | None:
    named = {"to learn from": parts.train, "to be judged on": parts.holdout}
    for purpose, part in named.items():
        y = part.y[:, column]
        y = y[~np.isnan(y)]
        lacks = "no outcome yet" if not y.size else "no high load" if not y.any() else "no calm" if y.all() else ""
        if lacks:
            return f"{lacks} in the part of the history {purpose}; a prediction needs examples of both"
    return None


def _thresholds(predictor: Predictor, unseen: Dataset, precision: float) -> tuple[float, ...]:
    p = predictor.probabilities(unseen.x)
    return tuple(threshold_for(unseen.y[:, i], p[:, i], precision) for i in range(p.shape[1]))
