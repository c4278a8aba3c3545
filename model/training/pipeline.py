"""Training pipeline: from samples to an evaluated candidate.

The model of each fold is fitted on the rows before the fold. Blend weights, thresholds and scores come from the
predictions for all folds. The ensemble that serves is then fitted on the whole history: the newest days are too
informative to be used for evaluation only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from model.array_types import Floats
from model.features.dataset import Dataset, build_dataset, typical_step
from model.features.encoding import fit_encoding
from model.features.feature_spec import FeatureSpec, make_spec
from model.features.rows import Rows
from model.features.scaling import fit_clipping_scaler
from model.forecast.blend import fit_load_table, network_only
from model.forecast.ensemble import Ensemble
from model.forecast.online.hysteresis import start_threshold
from model.forecast.persistence import fit_persistence
from model.forecast.predictor import Predictor
from model.forecast.pretrained import adapt, add_pretrained_horizons, supports
from model.forecast.serialization import bundled_pretrained_model
from model.nn.data import Examples
from model.nn.diagnostics.fit_report import Epoch, FitReport, combine_reports
from model.training.blend_weights import expert_predictions, fit_blends, pretrained_weight, transfer_blends
from model.training.ensemble_training import feature_subsets, fit_networks, network_inputs, used_columns
from model.training.evaluation import Candidate, cross_fitting_parts, evaluate_candidate
from model.training.folds import make_folds
from model.training.holdout_replay import holdout_models
from model.training.settings import Recipe
from model.training.task import Task, require_metrics
from model.trees.boosting import fit_trees
from model.units import DAY

MAX_ROWS = 20_000
"""Largest number of rows of a dataset: enough for three months, because neighbouring rows differ little."""

SHARED_WEIGHT = 0.3
"""Smallest prior blend weight of a pretrained model of the same fleet, whose hosts resemble each other."""

OnEpoch = Callable[[Epoch, int], None]
"""Callback after an epoch: the epoch, numbered over all fits of a training run, and the largest number of epochs."""

MIN_SEASONAL_HISTORY = 3 * DAY
"""Shortest training history, in seconds, for which networks use features of previous days."""


def train(
    times: Floats,
    values: Rows,
    columns: Sequence[str],
    task: Task,
    recipe: Recipe,
    rng: np.random.Generator,
    on_epoch: OnEpoch = lambda *_: None,
) -> Candidate:
    """Train a predictor on a history, and evaluate it on the holdout with models fitted on earlier rows.

    Args:
        times: (rows,) seconds, increasing.
        values: (rows, columns), NaN where missing.
        columns: names of the columns.
        task: high-load rules, horizons and target precision.
        recipe: architecture and fit settings of the ensemble.
        rng: the only source of randomness.
        on_epoch: called after each epoch; its exceptions end the training run.

    Raises:
        SerializationError: the bundled pretrained model is damaged.
        NotEnoughHistoryError: the history lacks the metrics of the rules, or has too few examples.
        DivergedError: a fit diverged (`model.nn.training.fit`).
    """
    require_metrics(task.rules, columns, values)
    rules = task.rules.resolve(columns, values)
    step = typical_step(times, default=1.0)
    spec = make_spec(columns, values, rules, task.horizons, step)
    if recipe.load_index_only:
        spec = replace(spec, inputs=(), logarithmic=())
    folds = make_folds(build_dataset(spec, times, values, MAX_ROWS), task.horizons, step)
    weight = pretrained_weight(float(times[-1] - times[0]), max(folds.horizons)) if supports(spec) else 0.0
    if recipe.shared is not None and supports(spec):
        weight = max(weight, SHARED_WEIGHT)
    shared = recipe.shared or bundled_pretrained_model()
    pretrained = adapt(shared, spec, folds.horizons) if weight else None
    threshold = start_threshold(task.precision)
    fitting = _Fitting(spec, folds.horizons, recipe, rng, pretrained, weight, threshold)

    epochs = [fit.epochs for fit in recipe.fits]
    progress = _Progress(on_epoch, (len(folds.parts) + 1) * sum(epochs))
    models = []
    for part in folds.parts:
        model, reports = fitting.fit(part.train, part.holdout, epochs, progress.next_fit(sum(epochs)))
        models.append(replace(model, fitted_until=float(part.holdout.times[0])))
    predictions = expert_predictions(models, [part.holdout for part in folds.parts])
    holdout_model = replace(models[-1], blends=fit_blends(models[-1], predictions))

    whole = folds.whole
    kept_epochs = [report.kept_epoch for report in reports]
    predictor, _ = fitting.fit(whole, None, kept_epochs, progress.next_fit(sum(kept_epochs)))
    predictor = replace(
        predictor,
        blends=transfer_blends(holdout_model, predictor, whole),
        fitted_until=float(times[-1]),
        holdout_model=holdout_model,
    )
    if folds.omitted and supports(spec):
        predictor = add_pretrained_horizons(predictor, shared, tuple(folds.omitted), task.precision)
    candidate = evaluate_candidate(predictor, combine_reports(reports), folds, models, predictions, (times, values))
    replay_models = holdout_models(models, cross_fitting_parts(folds), predictions)
    return replace(candidate, holdout_models=replay_models)


class _Progress:
    """Epoch counter of a training run, which numbers the epochs of all fits consecutively."""

    def __init__(self, on_epoch: OnEpoch, total: int) -> None:
        self._on_epoch = on_epoch
        self._total = total
        self._before = 0

    def next_fit(self, epochs: int) -> Callable[[Epoch], None]:
        """Return the epoch callback for the next fit, which runs at most `epochs` epochs."""
        before = self._before
        self._before += epochs
        return lambda epoch: self._on_epoch(epoch._replace(number=before + epoch.number), self._total)


@dataclass(frozen=True)
class _Fitting:
    """Settings shared by all fits of a training run."""

    spec: FeatureSpec
    horizons: tuple[float, ...]
    recipe: Recipe
    rng: np.random.Generator
    pretrained: Ensemble | None
    pretrained_weight: float
    threshold: float

    def fit(
        self,
        train_part: Dataset,
        validation: Dataset | None,
        epochs: Sequence[int],
        on_epoch: Callable[[Epoch], None],
    ) -> tuple[Predictor, tuple[FitReport, ...]]:
        """Fit a predictor whose blends use the networks only.

        Args:
            train_part: rows to fit.
            validation: rows for the validation loss; None to run all epochs.
            epochs: largest number of epochs of each network.
            on_epoch: called after each epoch.

        Returns:
            The predictor, and the fit report of each network.
        """
        previous_days = train_part.times[-1] - train_part.times[0] >= MIN_SEASONAL_HISTORY
        subsets = feature_subsets(self.spec.names, previous_days=bool(previous_days))
        scaler = fit_clipping_scaler(train_part.x, self.spec.is_metric)
        scaled = scaler(train_part.x)
        encoding = fit_encoding(scaled, train_part.y, train_part.state == 0, used_columns(subsets))
        inputs = network_inputs(subsets, encoding, scaled.shape[1], self.recipe)

        def examples(part: Dataset, scaled: Floats) -> Examples:
            return Examples(encoding(scaled), np.concatenate((part.y, part.auxiliary), axis=1))

        boosting = self.recipe.boosting
        trees = fit_trees(scaled, train_part.y, boosting, self.rng) if boosting.trees else None
        train_examples = examples(train_part, scaled)
        del scaled  # as large as the features, and not needed during the fits
        validation_examples = None if validation is None else examples(validation, scaler(validation.x))
        parts = train_examples, validation_examples
        fitted = fit_networks(inputs, parts, len(self.horizons), self.recipe, epochs, self.rng, on_epoch)
        index = train_part.x[:, self.spec.column_index["load_index:last"]]
        high = train_part.high_with_dips
        since_onset = train_part.x[high, self.spec.column_index["load_index:since_onset"]]
        step = typical_step(train_part.times, default=1.0)
        tables = [fit_load_table(index, train_part.y[:, i]) for i in range(len(self.horizons))]
        predictor = Predictor(
            spec=self.spec,
            horizons=self.horizons,
            ensemble=Ensemble(
                scaler=scaler,
                networks=fitted.networks,
                columns=fitted.columns,
                encoding=encoding,
                mean_of_probabilities=True,
                trees=trees,
            ),
            blends=tuple(replace(network_only(), load_table=table) for table in tables),
            base_rates=tuple(float(rate) for rate in np.nanmean(train_part.y, axis=0)),
            thresholds=(self.threshold,) * len(self.horizons),
            pretrained=self.pretrained,
            pretrained_weight=self.pretrained_weight,
            persistence=tuple(
                fit_persistence(index[high], since_onset, train_part.y[high, i], horizon / step)
                for i, horizon in enumerate(self.horizons)
            ),
        )
        return predictor, fitted.reports
