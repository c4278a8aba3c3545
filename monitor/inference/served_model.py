"""The model that serves: it follows the registry, and sees every sample.

A promotion or a rollback is one row in the database; the next tick notices and swaps.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from operator import attrgetter

import numpy as np

from model.array_types import Floats
from model.errors import SerializationError
from model.features.features import FeatureSpec
from model.features.labels import Rules
from model.features.rolling_window import RATIO_GRID, RollingWindow
from model.forecast.baselines import Smoothing, seasonal_forecasts
from model.forecast.fallback import (
    FallbackDecision,
    apply_decisions,
    fallback_active,
    release_threshold,
    warning_thresholds,
)
from model.forecast.predictor import Predictor
from model.forecast.serialization import loads
from monitor.inference.explanations import phrase
from monitor.stores import TIME_EPSILON, Stores, is_warning
from monitor.system.log_throttle import RecurringFailure
from monitor.system.logging import get_logger
from storage import SAMPLE_FIELDS, Prediction, Sample, StorageError

log = get_logger(__name__)

READ_SECONDS = 1800.0
"""Seconds of stored samples that are read at once."""

NEVER = 1.0
"""A threshold that no warning reaches."""

_VALUES = attrgetter(*SAMPLE_FIELDS)


@dataclass(frozen=True)
class Forecast:
    """One prediction over all horizons, what serves at each ("model" or a baseline), and how to explain it.

    `say` puts a group of features at this moment into words, for a horizon in seconds.
    """

    predictions: tuple[Prediction, ...]
    served_by: tuple[str, ...]
    explain: Callable[[], list[dict[str, float]]] = field(compare=False)
    say: Callable[[str, float], str] = field(compare=False, default=lambda group, _: group)

    @cached_property
    def contributions(self) -> list[dict[str, float]]:
        """Each metric's share in the log-odds of each horizon; worked out when somebody asks."""
        return self.explain()


def sample_row(sample: Sample) -> Floats:
    """The values of a sample, (1, fields), NaN where missing."""
    return np.array([_VALUES(sample)], dtype=np.float64)


class ServedModel:
    """The serving predictor with the window of history it looks at. For one thread."""

    def __init__(self, stores: Stores, rules: Rules, interval: float) -> None:
        self._stores = stores
        self._without = FeatureSpec(SAMPLE_FIELDS, (), (), rules, (interval,), interval, (interval,), seasonal=False)
        self._followed: int | None = None
        self._history = self._without.history(live=True)
        self._primed = False
        self.model_id: int | None = None
        self.predictor: Predictor | None = None
        self._warned: frozenset[float] = frozenset()
        self._standing: tuple[int | None, Sequence[FallbackDecision]] = (None, ())
        self._away = RecurringFailure(log, "registry read failed", "registry read recovered", level=logging.WARNING)

    def recalibrate(self, model_id: int, by: Sequence[FallbackDecision]) -> None:
        """Sets right what that model says from the next prediction on; from any thread."""
        self._standing = model_id, by

    @property
    def broken(self) -> bool:
        """Whether the model that the registry names could not be loaded."""
        return self._followed is not None and self._followed != self.model_id

    @property
    def behind(self) -> bool:
        """Whether a baseline serves instead of the model at any horizon."""
        model_id, by = self._standing
        return model_id is not None and model_id == self.model_id and fallback_active(by)

    @property
    def rules(self) -> Rules:
        """What high load is, by the model that serves."""
        return self._spec.rules

    @property
    def high_load(self) -> bool | None:
        """Whether the last sample was in high load; None while that is unknown."""
        state = self._history.state[-1] if len(self._history) else np.nan
        return None if np.isnan(state) else bool(state)

    def advance(self, sample: Sample) -> None:
        """Takes in a sample, and whatever model the registry says by now."""
        try:
            done = self._advance_from_storage(sample)
        except StorageError as error:
            self._away.failure(error=error)
            done = False
        else:
            self._away.success()
        if done:
            return
        if self._went_back(sample):
            self._history = self._spec.history(live=True)
        self._history.extend(np.array([sample.at]), sample_row(sample))

    def _advance_from_storage(self, sample: Sample) -> bool:
        """Follows the registry; True if the history was read anew for it, up to this sample."""
        before = self._spec
        if self._follow() and self._spec != before:
            # Should reading fail now: never a model over another one's features, and the next tick tries again.
            self._history, self._primed = self._spec.history(live=True), False
        if self._primed and not self._went_back(sample):
            return False
        self._history = self._prime(sample)
        self._primed = True
        return True

    def forecast(self) -> Forecast | None:
        """The prediction for the last sample, or None while no model serves."""
        if self.predictor is None or self.model_id is None:
            return None
        model_id, by = self._standing
        by = by if model_id == self.model_id else ()
        found = make_forecast(self.predictor, self.model_id, self._history, by, self._warned)
        self._warned = frozenset(p.horizon for p in found.predictions if is_warning(p))
        return found

    @property
    def _spec(self) -> FeatureSpec:
        return self.predictor.spec if self.predictor else self._without

    def _went_back(self, sample: Sample) -> bool:
        """Whether the clock was set back behind what this history knows."""
        return len(self._history) > 0 and sample.at <= self._history.times[-1]

    def _prime(self, sample: Sample) -> RollingWindow:
        """A history of what is stored, with the sample at its end."""
        history = primed(self._stores, self._spec, sample.at - TIME_EPSILON)
        history.extend(np.array([sample.at]), sample_row(sample))
        return history

    def _follow(self) -> bool:
        """Loads what the registry says; True if another model serves now."""
        active = self._stores.registry.active_id()
        if active == self._followed:
            return False
        self._followed = active
        before = self.model_id
        self.model_id, self.predictor = self._load(active)
        log.info("model activated", model=self.model_id, previous=before)
        return True

    def _load(self, model_id: int | None) -> tuple[int | None, Predictor | None]:
        """The model, or the newest one before it that can be read: damage must not silence the predictions."""
        while model_id is not None:
            try:
                return model_id, loads(self._stores.registry.blob(model_id)).fused()
            except (StorageError, SerializationError) as error:
                log.error("model load failed", model=model_id, error=error)
                model_id = self._stores.registry.previous_id(model_id)
        return None, None


def make_forecast(
    predictor: Predictor,
    model_id: int,
    history: RollingWindow,
    by: Sequence[FallbackDecision] = (),
    warned: Collection[float] = (),
) -> Forecast:
    """What is said of the last moment of a history, set right by what came of what was said before.

    Args:
        predictor: the model.
        model_id: its id.
        history: made by its `spec.history()`.
        by: where it stands, for each horizon; empty for nothing.
        warned: the horizons (seconds) for which a warning stands; it needs less to go on.
    """
    features = predictor.features(history)
    probabilities, thresholds = predictor.probabilities(features)[0], predictor.thresholds
    served_by = ("model",) * len(predictor.horizons)
    if by:
        high, index = history.state[-1:] == 1, history.load_index[-1:]
        probabilities = apply_decisions(
            by, probabilities[None], high, index, partial(_forecasts, history, predictor)
        )[0]
        thresholds = tuple(warning_thresholds(by, thresholds, high)[0].tolist())
        served_by = tuple(standing.serving(high=bool(high[0])) for standing in by)
    predictions = tuple(
        Prediction(
            float(history.times[-1]),
            horizon,
            model_id,
            float(p),
            base_rate,
            min(release_threshold(threshold) if horizon in warned else threshold, NEVER),
        )
        for horizon, p, base_rate, threshold in zip(
            predictor.horizons, probabilities, predictor.base_rates, thresholds, strict=True
        )
    )
    explain = partial(predictor.contributions, features, probabilities[None], by)
    return Forecast(predictions, served_by, explain, partial(phrase, predictor.spec, features[0]))


def _forecasts(history: RollingWindow, predictor: Predictor, smoothing: Smoothing) -> Floats:
    """(1, horizons) the Holt-Winters forecasts of the last moment."""
    bins = history.bins
    if bins is None:
        return np.full((1, len(predictor.horizons)), np.nan)
    means = np.full(len(bins.counts), np.nan)
    np.divide(bins.sums[:, -1], bins.counts[:, -1] * RATIO_GRID, out=means, where=bins.counts[:, -1] > 0)
    last = np.array([len(means) - 1])
    return seasonal_forecasts(means, last, history.load_index[-1:], bins.width, predictor.horizons, smoothing)


def primed(stores: Stores, spec: FeatureSpec, until: float) -> RollingWindow:
    """What is stored up to a moment (seconds), as far back as features look.

    A week of samples is read half an hour at a time: what is kept of it is small.
    """
    history = spec.history(live=True)
    for rows in stored(stores, spec.columns, until - spec.needed, until, READ_SECONDS):
        history.extend(rows[:, 0], rows[:, 1:])
    return history


def stored(stores: Stores, columns: tuple[str, ...], start: float, until: float, together: float) -> Iterator[Floats]:
    """The samples after `start` up to `until` (seconds), those of `together` seconds at a time."""
    while start < until:
        end = min(start + together, until)
        yield stores.samples.between(start, end, columns)
        start = end


def forecast_from_storage(
    stores: Stores,
    at: float,
    max_age: float,
    matured: Callable[[Predictor, int], Sequence[FallbackDecision]] = lambda *_: (),
) -> Forecast | None:
    """The serving model's prediction for a moment, from what is stored.

    Args:
        stores: of the database.
        at: seconds since the epoch.
        max_age: how old, in seconds, the last sample before `at` may be.
        matured: says where a predictor stands, by its id.

    Returns:
        None while no model serves, or without a sample at that moment.
    """
    model_id = stores.registry.active_id()
    if model_id is None:
        return None
    predictor = loads(stores.registry.blob(model_id)).fused()
    spec = predictor.spec
    history = primed(stores, spec, at)
    if not len(history) or history.times[-1] < at - max_age:
        return None
    return make_forecast(predictor, model_id, history, matured(predictor, model_id))
