"""Training pipeline: from samples to an evaluated candidate.

The holdout model is fitted to the first four fifths of the history, and blended, calibrated and scored on the rest.
The same networks are then fitted to all of it for serving: the newest days are too informative to be used for
evaluation only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from model.array_types import Floats
from model.errors import NotEnoughHistoryError, SkipReason
from model.features.dataset import Dataset, Split, build_dataset, concatenate, split, typical_step
from model.features.feature_spec import FeatureSpec, make_spec
from model.forecast.blend import fit_load_table, network_only
from model.forecast.ensemble import Ensemble, fit_clipping_scaler
from model.forecast.metrics import threshold_for
from model.forecast.persistence import fit_persistence
from model.forecast.predictor import Predictor
from model.forecast.pretrained import adapt, supports
from model.forecast.serialization import bundled_pretrained_model
from model.nn.data import Examples
from model.nn.diagnostics.fit_report import Epoch, FitReport, combine_reports
from model.training.blend_weights import fit_blends, pretrained_weight, transfer_blends
from model.training.ensemble_training import feature_subsets, fit_networks, offset_epochs
from model.training.evaluation import Candidate, evaluate_candidate
from model.training.settings import Recipe
from model.training.task import OmittedHorizon, Task, omitted_horizon
from model.units import DAY

MAX_ROWS = 20_000
"""Rows of a dataset at most: neighbouring rows differ little, and these suffice for three months."""

MIN_SEASONAL_HISTORY = 3 * DAY
"""Seconds of history from which networks use features of previous days; with less, yesterday was seen once."""


def train(
    times: Floats,
    values: Floats,
    columns: Sequence[str],
    task: Task,
    recipe: Recipe,
    rng: np.random.Generator,
    on_epoch: Callable[[Epoch], None] = lambda _: None,
) -> Candidate:
    """Train, blend and evaluate a predictor on samples.

    Args:
        times: (rows,) seconds, increasing.
        values: (rows, columns), NaN where missing.
        columns: names of the columns.
        task: rules, horizons and precision.
        recipe: of the ensemble.
        rng: the only source of randomness.
        on_epoch: called after each of at most `recipe.epochs` epochs; an exception that it raises ends the training.

    Raises:
        SerializationError: the bundled pretrained model is damaged.
        NotEnoughHistoryError: the history is too short, or has no examples of both outcomes in each part.
        DivergedError: see `model.nn.training.fit`.
    """
    rules = task.rules.resolve(columns, values)
    step = typical_step(times, default=1.0)
    spec = make_spec(columns, values, rules, task.horizons, step)
    parts, horizons, omitted = _split_by_horizon(build_dataset(spec, times, values, MAX_ROWS), task.horizons, step)
    fitting = _Fitting(spec, horizons, recipe, rng)
    weight = pretrained_weight(float(times[-1] - times[0]), max(horizons)) if supports(spec) else 0.0
    pretrained = adapt(bundled_pretrained_model(), spec, horizons) if weight else None

    epochs = [recipe.fit.epochs] * recipe.networks
    holdout_model, reports = fitting.fit(parts.train, parts.holdout, epochs, on_epoch)
    holdout_model = replace(holdout_model, pretrained=pretrained, pretrained_weight=weight)
    holdout_model = replace(holdout_model, blends=fit_blends(holdout_model, parts.holdout))
    holdout_model = replace(holdout_model, thresholds=_thresholds(holdout_model, parts.holdout, task.precision))

    whole = concatenate(parts.train, parts.holdout)
    kept_epochs = [report.kept_epoch for report in reports]
    predictor, _ = fitting.fit(whole, None, kept_epochs, offset_epochs(on_epoch, sum(epochs)))
    predictor = replace(predictor, pretrained=pretrained, pretrained_weight=weight)
    predictor = replace(
        predictor,
        blends=transfer_blends(holdout_model, predictor, whole),
        thresholds=holdout_model.thresholds,
        holdout_model=holdout_model,
    )
    return evaluate_candidate(predictor, combine_reports(reports), parts, (times, values), omitted)


@dataclass(frozen=True)
class _Fitting:
    """Parameters that the two fits of a training share."""

    spec: FeatureSpec
    horizons: tuple[float, ...]
    recipe: Recipe
    rng: np.random.Generator

    def fit(
        self,
        train_part: Dataset,
        validation: Dataset | None,
        epochs: Sequence[int],
        on_epoch: Callable[[Epoch], None],
    ) -> tuple[Predictor, tuple[FitReport, ...]]:
        """Fit a predictor, without blend weights and thresholds.

        Args:
            train_part: rows to fit.
            validation: rows for the validation loss; None to run all epochs.
            epochs: of each network, at most.
            on_epoch: called after each epoch.
        """
        scaler = fit_clipping_scaler(train_part.x, self.spec.is_metric)

        def examples(part: Dataset) -> Examples:
            return Examples(scaler(part.x), np.concatenate((part.y, part.auxiliary), axis=1))

        parts = examples(train_part), None if validation is None else examples(validation)
        previous_days = train_part.times[-1] - train_part.times[0] >= MIN_SEASONAL_HISTORY
        subsets = feature_subsets(self.spec.names, previous_days=bool(previous_days))
        fitted = fit_networks(subsets, parts, len(self.horizons), self.recipe, epochs, self.rng, on_epoch)
        index = train_part.x[:, self.spec.column_index["load_index:last"]]
        high = train_part.state == 1
        since_onset = train_part.x[high, self.spec.column_index["load_index:since_onset"]]
        step = typical_step(train_part.times, default=1.0)
        tables = [fit_load_table(index, train_part.y[:, i]) for i in range(len(self.horizons))]
        predictor = Predictor(
            spec=self.spec,
            horizons=self.horizons,
            ensemble=Ensemble(scaler, fitted.networks, fitted.columns),
            blends=tuple(replace(network_only(), load_table=table) for table in tables),
            base_rates=tuple(float(rate) for rate in np.nanmean(train_part.y, axis=0)),
            thresholds=(1.0,) * len(self.horizons),
            persistence=tuple(
                fit_persistence(index[high], since_onset, train_part.y[high, i], horizon / step)
                for i, horizon in enumerate(self.horizons)
            ),
        )
        return predictor, fitted.reports


def _split_by_horizon(
    dataset: Dataset, horizons: tuple[float, ...], step: float
) -> tuple[Split, tuple[float, ...], dict[float, OmittedHorizon]]:
    """Return the split over the horizons with examples of both outcomes in each part, those horizons, and the others.

    Raises:
        NotEnoughHistoryError: there is no such horizon.
    """
    if not len(dataset) and step > max(horizons):
        reason = SkipReason.HORIZON_BELOW_SPACING
        raise NotEnoughHistoryError(f"{reason.message}: one sample per {step:g} s, no horizon is longer", reason)
    if not len(dataset):
        reason = SkipReason.NO_KNOWN_OUTCOME
        raise NotEnoughHistoryError(f"{reason.message}: no sample is followed by samples over a horizon", reason)
    parts = split(dataset, horizons)
    omitted = {}
    for i, horizon in enumerate(horizons):
        omission = omitted_horizon(parts, i, horizon)
        if omission is not None:
            omitted[horizon] = omission
    kept = [i for i, horizon in enumerate(horizons) if horizon not in omitted]
    if not kept:
        first = next(iter(omitted.values()))
        raise NotEnoughHistoryError(first.message, first.reason)
    train_part, holdout = (replace(part, y=part.y[:, kept]) for part in (parts.train, parts.holdout))
    return Split(train_part, holdout), tuple(horizons[i] for i in kept), omitted


def _thresholds(predictor: Predictor, holdout: Dataset, precision: float) -> tuple[float, ...]:
    """Return the warning thresholds per horizon that have the wanted precision on the holdout."""
    p = predictor.probabilities(holdout.x)
    return tuple(threshold_for(holdout.y[:, i], p[:, i], precision) for i in range(p.shape[1]))
