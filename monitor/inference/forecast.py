"""Forecast of the serving model, with attributions on demand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial

import numpy as np

from model.array_types import Floats
from model.features.labels import Rules
from model.forecast.attribution import contributions
from model.forecast.online import FallbackDecision, OnlineEngine
from model.forecast.predictor import Predictor
from model.forecast.serialization import loads
from monitor.inference.explanations import explain_group
from monitor.inference.stored_samples import read_samples
from monitor.stores import TIME_EPSILON, Stores
from storage import Prediction, Sample

NO_WARNINGS = 1.0
"""Stored threshold of a horizon without warnings."""


@dataclass(frozen=True)
class Forecast:
    """Predictions of one cycle over all horizons.

    Attributes:
        predictions: one per horizon.
        served_by: name of the predictor at each horizon: "model" or that of a baseline.
        attribute: computes the contribution of each metric, in log-odds, for each horizon.
        describe: returns a phrase on a group of features, for a horizon in seconds.
    """

    predictions: tuple[Prediction, ...]
    served_by: tuple[str, ...]
    attribute: Callable[[], list[dict[str, float]]] = field(compare=False)
    describe: Callable[[str, float], str] = field(compare=False, default=lambda group, _: group)

    @cached_property
    def contributions(self) -> list[dict[str, float]]:
        """Contribution of each metric for each horizon, computed at the first access."""
        return self.attribute()


def has_rule_metric(rules: Rules, sample: Sample) -> bool:
    """Return True if a sample has a value of any metric of the high-load rules.

    Without one the load is unknown, and a low probability would say that it is not high.
    """
    return any(getattr(sample, metric) is not None for metric in rules.metrics)


def make_forecast(engine: OnlineEngine, model_id: int, at: float) -> Forecast:
    """Predict for the newest sample of an engine of one host.

    Args:
        engine: online engine that has advanced to the sample.
        model_id: id of the engine's predictor.
        at: time of the sample in seconds since the epoch.
    """
    predictor = engine.predictor
    if predictor is None:
        raise ValueError("a forecast without a predictor")
    online = engine.forecast()
    probabilities = online.probabilities[0, -1]
    thresholds = np.minimum(online.thresholds[0, -1], NO_WARNINGS)
    high = bool(online.high[0, -1])
    decisions = engine.decisions[0]
    predictions = tuple(
        Prediction(
            at=at,
            horizon=horizon,
            model_id=model_id,
            probability=probability,
            baseline_probability=base_rate,
            threshold=threshold,
        )
        for horizon, probability, base_rate, threshold in zip(
            predictor.horizons, probabilities.tolist(), predictor.base_rates, thresholds.tolist(), strict=True
        )
    )
    features = online.features[0, -1:]
    slopes = [decision.slope(high=high) for decision in decisions]
    return Forecast(
        predictions=predictions,
        served_by=tuple(decision.serving(high=high) for decision in decisions),
        attribute=partial(contributions, predictor, features, probabilities[None], slopes),
        describe=partial(explain_group, predictor.spec, features[0]),
    )


def warm_up(engine: OnlineEngine, stores: Stores, until: float) -> float:
    """Feed the stored samples up to a time to an engine of one host, as far back as its features need.

    The newest sample is fed on its own, so that the next forecast is for this sample only.

    Args:
        engine: online engine without history.
        stores: repositories.
        until: seconds since the epoch.

    Returns:
        Time of the newest sample, -inf without any.

    Raises:
        StorageError: the samples cannot be read.
    """
    newest: Floats = np.empty((0, 1 + len(engine.spec.columns)))
    for chunk in read_samples(stores, engine.spec.columns, until - engine.spec.required_history, until):
        rows = np.concatenate((newest, chunk))
        newest = rows[-1:]
        _advance(engine, rows[:-1])
    _advance(engine, newest)
    return float(newest[0, 0]) if len(newest) else -np.inf


def _advance(engine: OnlineEngine, rows: Floats) -> None:
    """Feed stored rows (rows, 1 + columns) to an engine of one host."""
    if len(rows):
        engine.advance(rows[None, :, 0], rows[None, :, 1:])


def forecast_from_storage(
    stores: Stores,
    at: float,
    max_age: float,
    decide: Callable[[Predictor, int], Sequence[FallbackDecision]] | None = None,
) -> Forecast | None:
    """Return the prediction of the serving model for a past time, from the stored samples.

    Args:
        stores: repositories.
        at: seconds since the epoch.
        max_age: largest age of the last sample before `at`, in seconds.
        decide: returns the fallback decisions of a predictor, given its id; None to let the model serve as it is.

    Returns:
        None if no model serves, or without a sample of any metric of the high-load rules at that time.

    Raises:
        StorageError: the database cannot be read.
        SerializationError: the model cannot be loaded.
    """
    model_id = stores.registry.active_id()
    if model_id is None:
        return None
    predictor = loads(stores.registry.blob(model_id))
    engine = OnlineEngine(predictor.spec, predictor)
    newest = warm_up(engine, stores, at)
    if newest < at - max_age or not _has_stored_rule_metric(stores, predictor.spec.rules, newest):
        return None
    if decide is not None:
        engine.decide([decide(predictor, model_id)])
    return make_forecast(engine, model_id, newest)


def _has_stored_rule_metric(stores: Stores, rules: Rules, at: float) -> bool:
    """Return True if the stored sample of a time has a value of any metric of the high-load rules."""
    rows = stores.samples.between(at - TIME_EPSILON, at, rules.metrics)
    return bool(np.isfinite(rows[:, 1:]).any())
