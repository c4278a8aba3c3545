"""Serving model: follows the registry and predicts at every sample.

A promotion or a rollback is one row in the database; the next sampling cycle notices it and replaces the model. A
model that cannot be loaded, or fails while it serves, is quarantined, and the model that served before it serves.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np

from model.features.feature_spec import FeatureSpec
from model.features.labels import Rules
from model.forecast.online import FallbackDecision, OnlineEngine, fallback_active
from model.forecast.predictor import Predictor
from monitor.inference.active_model import ActiveModelLoader, Serving
from monitor.inference.forecast import Forecast, has_rule_metric, make_forecast, warm_up
from monitor.inference.out_of_range import OutOfRangeReport
from monitor.inference.stored_samples import sample_values
from monitor.stores import TIME_EPSILON, Stores
from monitor.system.log_throttle import RecurringFailure
from monitor.system.logging import get_logger
from storage import SAMPLE_FIELDS, Sample, StorageError

log = get_logger(__name__)


class ServedModel:
    """Serving model with its online engine. Not thread-safe, except for `serving` and `set_decisions`."""

    def __init__(self, stores: Stores, rules: Rules, interval: float) -> None:
        """Initialize without a model; the first call of `advance` loads the active model.

        Args:
            stores: repositories.
            rules: high-load rules while no model serves.
            interval: seconds between two samples.
        """
        self._stores = stores
        self._spec_without_model = FeatureSpec(
            columns=SAMPLE_FIELDS,
            inputs=(),
            logarithmic=(),
            rules=rules,
            windows=(interval,),
            step=interval,
            horizons=(interval,),
            seasonal=False,
        )
        self._serving: Serving = None
        self._loader = ActiveModelLoader(stores)
        self._newest_forecast: Forecast | None = None
        self._engine = OnlineEngine(self._spec_without_model)
        self._warmed_up = False
        self._previous_engine: OnlineEngine | None = None
        self._newest_at = -np.inf
        self._rules_observed = False
        # Assigned by another thread, never modified in place.
        self._decisions: tuple[int | None, Sequence[FallbackDecision]] = (None, ())
        self._applied_decisions: Sequence[FallbackDecision] = ()
        self._out_of_range = OutOfRangeReport(stores.registry)
        self._registry_failure = RecurringFailure(
            log, "registry read failed", "registry read recovered", level=logging.WARNING
        )

    @property
    def serving(self) -> Serving:
        """ID and predictor of the serving model. Safe to read from any thread."""
        return self._serving

    @property
    def model_id(self) -> int | None:
        """ID of the serving model; None if there is none."""
        return None if self._serving is None else self._serving[0]

    @property
    def predictor(self) -> Predictor | None:
        """The serving predictor; None if there is none."""
        return None if self._serving is None else self._serving[1]

    def set_decisions(self, model_id: int, decisions: Sequence[FallbackDecision]) -> None:
        """Use new fallback decisions from the next prediction on. Safe to call from any thread.

        Args:
            model_id: ID of the model; decisions for a model that does not serve are ignored.
            decisions: one decision for each horizon of the model.
        """
        self._decisions = model_id, decisions

    @property
    def load_failed(self) -> bool:
        """True if a newer model has been quarantined, so that an earlier model or none serves."""
        return self._loader.has_failed_since(self.model_id)

    @property
    def fallback_active(self) -> bool:
        """True if a baseline serves in place of the model for any horizon, in calm or in high load."""
        model_id, decisions = self._decisions
        return model_id is not None and model_id == self.model_id and fallback_active(decisions)

    @property
    def rules(self) -> Rules:
        """High-load rules of the serving model; the constructor argument `rules` if no model serves."""
        return self._spec.rules

    @property
    def high_load(self) -> bool | None:
        """True if the last sample was in a high-load period; None if unknown."""
        state = self._engine.newest_states[0]
        if self.high_load_since is not None:
            return True
        return None if np.isnan(state) else False

    @property
    def high_load_since(self) -> float | None:
        """Start of the high-load period in progress, in seconds since the epoch; None while there is none."""
        start = float(self._engine.newest_periods[0])
        return start if np.isfinite(start) else None

    def advance(self, sample: Sample) -> None:
        """Feed a sample to the engine of the active model.

        1. Load the active model if it has changed, and switch to it.
        2. Read the history of the features from the database if the engine has none or the clock was set back.
        3. Append the sample.

        If the database cannot be read, the next call retries steps 1 and 2. A model that raises an exception is
        quarantined; this sample then has no forecast.

        Args:
            sample: the newest sample.
        """
        try:
            self._advance(sample)
        except MemoryError:
            raise
        except Exception as error:
            if self._serving is None:
                raise
            self._quarantine_serving(error)
            self._append(sample)
        self._rules_observed = has_rule_metric(self.rules, sample)

    def forecast(self) -> Forecast | None:
        """Return the forecast for the last sample; None if no model serves or the sample has no rule metric.

        A model that raises an exception is quarantined, and so is one whose last attributions failed.
        """
        if self._serving is None or not self._rules_observed:
            return None
        try:
            if self._newest_forecast is not None and self._newest_forecast.failures:
                raise self._newest_forecast.failures[0]
            forecast = self._predict(self._serving[0])
        except MemoryError:
            raise
        except Exception as error:
            self._quarantine_serving(error)
            return None
        self._newest_forecast = forecast
        model_id, metrics = self._serving[0], forecast.inputs_out_of_range
        self._out_of_range.log(model_id, metrics)
        if self._loader.is_active(model_id):
            self._out_of_range.store(model_id, metrics, self._loader.inputs_out_of_range)
        return forecast

    def _predict(self, model_id: int) -> Forecast:
        decided_id, decisions = self._decisions
        if decided_id == model_id and decisions is not self._applied_decisions:
            self._engine.decide([decisions])
            self._applied_decisions = decisions
        return make_forecast(self._engine, model_id, self._newest_at)

    def _advance(self, sample: Sample) -> None:
        """Follow the registry, read the history if necessary, and append the sample."""
        try:
            self._follow_registry()
            if not self._warmed_up or self._clock_went_back(sample):
                self._warm_up(sample)
        except StorageError as error:
            self._registry_failure.failure(error=error)
        else:
            self._registry_failure.success()
        self._append(sample)

    def _append(self, sample: Sample) -> None:
        """Append a sample to the engine; start an empty engine if the clock was set back."""
        if self._clock_went_back(sample):
            self._engine = self._new_engine()
            self._newest_at = -np.inf
        self._engine.advance(np.array([[sample.at]]), sample_values(sample)[None, None])
        self._newest_at = sample.at

    def _quarantine_serving(self, error: Exception) -> None:
        """Quarantine the serving model; the next cycle loads the model that served before."""
        failed_id = self.model_id
        if failed_id is None:
            return
        self._loader.fail(failed_id, error)
        self._newest_forecast = None
        self._serving = None
        self._switch_engine()

    @property
    def _spec(self) -> FeatureSpec:
        return self._spec_without_model if self._serving is None else self._serving[1].spec

    def _clock_went_back(self, sample: Sample) -> bool:
        """Return True if a sample is not newer than the last one."""
        return sample.at <= self._newest_at

    def _follow_registry(self) -> None:
        """Read the ID of the active model from the registry; load and serve this model if the ID has changed."""
        previous = self._serving
        self._serving = self._loader.follow(previous)
        if self._serving is not previous:
            self._switch_engine()
            log.info("model activated", model=self.model_id, previous=None if previous is None else previous[0])

    def _switch_engine(self) -> None:
        """Replace the engine by an engine of the loaded model; the next `advance` reads its history.

        An engine without a model is kept if there is still no model.
        """
        if self.predictor is None and self._engine.predictor is None:
            return
        self._previous_engine = self._engine if self._warmed_up else None
        self._engine = self._new_engine()
        self._newest_at = -np.inf
        self._warmed_up = False

    def _new_engine(self) -> OnlineEngine:
        """Return an engine for the loaded model, without history but with the active warnings."""
        engine = OnlineEngine(self._spec, self.predictor)
        engine.inherit_warnings(self._engine)
        self._applied_decisions = ()
        return engine

    def _warm_up(self, sample: Sample) -> None:
        """Replace the engine by a new engine that has read the stored history before a sample."""
        engine = self._new_engine()
        newest_at = warm_up(engine, self._stores, sample.at - TIME_EPSILON)
        if self._previous_engine is not None:
            engine.inherit_baselines(self._previous_engine)
            self._previous_engine = None
        self._engine = engine
        self._newest_at = newest_at
        self._warmed_up = True
