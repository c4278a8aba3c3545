"""Forecast: predictions of the serving model, with attributions on demand."""

from __future__ import annotations

import math
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
from model.serving import Serving, ServingReason
from monitor.errors import PredictorError
from monitor.inference.explanations import explain_group
from monitor.inference.stored_samples import CHUNK_ROWS, read_samples
from monitor.stores import TIME_EPSILON, Stores
from storage import Prediction, Sample, quantize_number

NO_WARNINGS = 1.0
"""Stored threshold of a horizon without warnings."""


@dataclass(frozen=True)
class Forecast:
    """Predictions made at one time for all horizons.

    Attributes:
        predictions: one per horizon.
        serving: predictor that serves for each horizon, with the reason.
        attribute: computes `contributions`.
        describe: returns a phrase on a group of features, for a horizon in seconds.
        inputs: metrics that the model takes as inputs.
        failures: errors of the first access to `contributions`.
    """

    predictions: tuple[Prediction, ...]
    serving: tuple[Serving, ...]
    attribute: Callable[[], list[dict[str, float]]] = field(compare=False)
    describe: Callable[[str, float], str] = field(compare=False, default=lambda group, _: group)
    inputs: tuple[str, ...] = ()
    failures: list[Exception] = field(default_factory=list, compare=False)

    @property
    def inputs_out_of_range(self) -> tuple[str, ...]:
        """Input metrics outside their training range, which the predictions do not use."""
        return self.serving[0].metrics

    @cached_property
    def contributions(self) -> list[dict[str, float]]:
        """For each horizon, the contributions in log-odds by feature group or LEVEL; computed at the first access.

        They are empty, and `failures` has the reason, if the model cannot compute them.
        """
        try:
            attributed = self.attribute()
            if not all(math.isfinite(value) for groups in attributed for value in groups.values()):
                raise PredictorError("a contribution is not finite")
        except Exception as error:
            self.failures.append(error)
            return [{} for _ in self.predictions]
        return attributed


def has_rule_metric(rules: Rules, sample: Sample) -> bool:
    """Return True if a sample has a value of any metric of the high-load rules.

    A sample without such a value gets no forecast: the load is unknown, and a low probability would suggest that it
    is not high.
    """
    return any(getattr(sample, metric) is not None for metric in rules.metrics)


def make_forecast(engine: OnlineEngine, model_id: int, at: float) -> Forecast:
    """Return the forecast for the newest sample of a single-host engine.

    Args:
        engine: online engine that has advanced to the sample.
        model_id: ID of the engine's predictor.
        at: time of the sample in seconds since the epoch.

    Raises:
        ValueError: the engine has no predictor.
        PredictorError: a prediction is not a number from 0 to 1.
    """
    predictor = engine.predictor
    if predictor is None:
        raise ValueError("the engine has no predictor")
    online = engine.forecast()
    probabilities = online.probabilities[0, -1].tolist()
    thresholds = [min(threshold, NO_WARNINGS) for threshold in online.thresholds[0, -1].tolist()]
    for values in (probabilities, thresholds):
        if not all(0 <= value <= 1 for value in values):
            raise PredictorError(f"a prediction is not a probability: {values}")
    high = bool(online.high[0, -1])
    period_start = float(online.period_start[0, -1])
    high_load_since = period_start if math.isfinite(period_start) else None
    raised = online.raised[0, -1].tolist()
    outside = [name for name, out in zip(predictor.spec.inputs, online.outside[0, -1].tolist(), strict=True) if out]
    decisions = engine.decisions[0]
    predictions = tuple(
        Prediction(
            at=at,
            horizon=horizon,
            model_id=model_id,
            # As stored, so that the page and the database agree.
            probability=quantize_number(probability),
            baseline_probability=base_rate,
            threshold=threshold,
            warning=warning,
            high_load_since=high_load_since,
        )
        for horizon, probability, base_rate, threshold, warning in zip(
            predictor.horizons,
            probabilities,
            predictor.base_rates,
            thresholds,
            online.warnings[0, -1].tolist(),
            strict=True,
        )
    )
    features = online.features[0, -1:]
    # A probability raised to the floor is the probability of persistence: no metric contributes.
    slopes = [0.0 if floor else decision.slope(high=high) for decision, floor in zip(decisions, raised, strict=True)]
    return Forecast(
        predictions=predictions,
        serving=tuple(
            decision.serving(
                high=high, raised=floor, outside=outside, pretrained=_pretrained_reason(predictor, horizon)
            )
            for horizon, decision, floor in zip(predictor.horizons, decisions, raised, strict=True)
        ),
        attribute=partial(contributions, predictor, features, online.probabilities[0, -1:], slopes),
        describe=partial(explain_group, predictor.spec, features[0]),
        inputs=predictor.spec.inputs,
    )


def _pretrained_reason(predictor: Predictor, horizon: float) -> ServingReason | None:
    """Return the reason why the pretrained model predicts a horizon alone; None if it does not."""
    if predictor.is_bootstrap:
        return ServingReason.HOST_NOT_FITTED
    return ServingReason.HORIZON_NOT_FITTED if horizon in predictor.pretrained_horizons else None


def warm_up(engine: OnlineEngine, stores: Stores, until: float) -> float:
    """Feed a single-host engine the stored samples up to `until` that its features need.

    The newest sample is fed separately, so that the next forecast is for this sample only.

    Args:
        engine: online engine without history.
        stores: repositories.
        until: seconds since the epoch.

    Returns:
        Time of the newest sample; -inf if there is none.

    Raises:
        StorageError: the samples cannot be read.
    """
    newest: Floats = np.empty((0, 1 + len(engine.spec.columns)))
    spec = engine.spec
    for chunk in read_samples(stores, spec.columns, until - spec.required_history, until, CHUNK_ROWS * spec.step):
        rows = np.concatenate((newest, chunk))
        newest = rows[-1:]
        _advance(engine, rows[:-1])
    _advance(engine, newest)
    return float(newest[0, 0]) if len(newest) else -np.inf


def _advance(engine: OnlineEngine, rows: Floats) -> None:
    """Feed a single-host engine the samples `rows` (rows, 1 + columns): time and values; there may be none."""
    if len(rows):
        engine.advance(rows[None, :, 0], rows[None, :, 1:])


def serving_rules(stores: Stores, configured: Rules) -> Rules:
    """Return the high-load rules of the serving model, with resolved bounds; `configured` if no model serves.

    Raises:
        StorageError: the database cannot be read.
        SerializationError: the model cannot be loaded.
    """
    model_id = stores.registry.active_id()
    return configured if model_id is None else loads(stores.registry.blob(model_id)).spec.rules


def forecast_from_storage(
    stores: Stores,
    at: float,
    max_age: float,
    decide: Callable[[Predictor, int], Sequence[FallbackDecision]] | None = None,
) -> Forecast | None:
    """Return the forecast of the serving model as of `at`, computed from the stored samples.

    Args:
        stores: repositories.
        at: seconds since the epoch.
        max_age: largest age of the last sample up to `at`, in seconds.
        decide: returns the fallback decisions for a predictor and its model ID; None to use the model as it is.

    Returns:
        None if no model serves, if the last sample is older than `max_age`, or if the last sample has no value of any
        metric of the high-load rules.

    Raises:
        StorageError: the database cannot be read.
        SerializationError: the model cannot be loaded.
        PredictorError: a prediction is not a number from 0 to 1.
    """
    model_id = stores.registry.active_id()
    if model_id is None:
        return None
    predictor = loads(stores.registry.blob(model_id))
    engine = OnlineEngine(predictor.spec, predictor, level=True)
    newest = warm_up(engine, stores, at)
    if newest < at - max_age or not _has_stored_rule_metric(stores, predictor.spec.rules, newest):
        return None
    if decide is not None:
        engine.decide([decide(predictor, model_id)])
    return make_forecast(engine, model_id, newest)


def _has_stored_rule_metric(stores: Stores, rules: Rules, at: float) -> bool:
    """Return True if the sample at `at` (seconds since the epoch) has a value of any metric of the rules."""
    rows = stores.samples.between(at - TIME_EPSILON, at, rules.metrics)
    return bool(np.isfinite(rows[:, 1:]).any())
