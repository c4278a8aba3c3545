"""Serving model: predicts in memory; `registry_follower` provides models and their history."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence

import numpy as np

from model.features.feature_spec import FeatureSpec
from model.features.labels import Rules
from model.forecast.online import FallbackDecision, OnlineEngine, fallback_active
from monitor.inference.forecast import Forecast, has_rule_metric, make_forecast
from monitor.inference.loaded_model import LoadedModel, ModelFailure, Serving
from monitor.inference.prediction_schedule import PredictionSchedule
from monitor.inference.stored_samples import sample_values
from monitor.system.logging import get_logger
from storage import SAMPLE_FIELDS, Sample

log = get_logger(__name__)

RECENT_SAMPLES = 120
"""Number of samples kept in memory for a new engine, whose stored history may end a few samples ago."""


class ServedModel:
    """Serving model with its online engine; never waits for the database.

    `advance` and `forecast` belong to one thread, `new_engine` and `replace` to another; the rest is thread-safe.
    """

    def __init__(self, rules: Rules, interval: float) -> None:
        """Initialize without a model.

        Args:
            rules: high-load rules while no model serves.
            interval: seconds between two samples.
        """
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
        self._installed = LoadedModel(None, OnlineEngine(self._spec_without_model), None)
        # Assigned by another thread, never modified in place.
        self._next = self._installed
        self._decisions: tuple[int | None, Sequence[FallbackDecision]] = (None, ())
        self._engine = self._installed.engine
        self._newest_at = -np.inf
        self._recent: deque[Sample] = deque(maxlen=RECENT_SAMPLES)
        self._schedule = PredictionSchedule(interval)
        self._rules_observed = False
        self._applied_decisions: Sequence[FallbackDecision] = ()
        self._out_of_range: tuple[str, ...] = ()
        self.inputs_out_of_range: tuple[str, ...] | None = None
        """Metrics outside the training range of the serving model at the last prediction; None before the first."""
        self.needs_history = False
        """True if the engine has no history, because the clock was set back."""
        self.failure: ModelFailure | None = None
        """Failure of the model that served last, until another model serves; None if there is none."""
        self._newest_forecast: Forecast | None = None

    @property
    def serving(self) -> Serving:
        """ID and predictor of the serving model."""
        return self._installed.serving

    @property
    def loaded(self) -> Serving:
        """ID and predictor of the newest model passed to `replace`, which serves from the next sample on."""
        return self._next.serving

    @property
    def model_id(self) -> int | None:
        """ID of the serving model; None if there is none."""
        return None if self.serving is None else self.serving[0]

    def set_decisions(self, model_id: int, decisions: Sequence[FallbackDecision]) -> None:
        """Use new fallback decisions, one per horizon, from the next forecast on, if the model `model_id` serves."""
        self._decisions = model_id, decisions

    @property
    def load_failed(self) -> bool:
        """True if a newer model failed or could not be loaded, so that an earlier model or none serves."""
        return self._installed.load_failed or self.failure is not None

    @property
    def fallback_active(self) -> bool:
        """True if a baseline serves in place of the model for any horizon, in calm or in high load."""
        model_id, decisions = self._decisions
        return model_id is not None and model_id == self.model_id and fallback_active(decisions)

    @property
    def rules(self) -> Rules:
        """High-load rules of the serving model; the constructor argument `rules` if no model serves."""
        return self._spec(self.serving).rules

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

    def new_engine(self, serving: Serving) -> OnlineEngine:
        """Return an engine without history for a model."""
        return OnlineEngine(self._spec(serving), None if serving is None else serving[1], level=True)

    def replace(self, loaded: LoadedModel) -> None:
        """Serve a model from the next sample on."""
        self._next = loaded

    def advance(self, sample: Sample) -> bool:
        """Take a sample, and return True if a forecast is due (see `PredictionSchedule`).

        It is also due for a new model, and if this or the last sample has no rule metric. Only then, the model that
        was passed to `replace` takes over, and the engine gets the samples since the last forecast. After the clock
        was set back, the engine starts without history, and `needs_history` asks for it. A model that raises an
        exception no longer serves, and `failure` asks for another one.
        """
        rules_observed = has_rule_metric(self.rules, sample)
        at_once = self._next is not self._installed or not (rules_observed and self._rules_observed)
        if not self._schedule.add(sample, self._spec(self.serving).horizons, at_once=at_once):
            return False
        samples = self._schedule.take()
        try:
            self._advance(samples)
        except Exception as error:
            self._withdraw(error)
            self._advance(samples)
        self._rules_observed = has_rule_metric(self.rules, sample)
        return True

    @property
    def is_due_next(self) -> bool:
        """True if a forecast will be due at the next sample, so that another model could serve."""
        return self.needs_history or self._schedule.is_due_next(self._spec(self.serving).horizons)

    def _advance(self, samples: Sequence[Sample]) -> None:
        """Append samples; the next forecast is for the newest one."""
        *earlier, newest = samples
        last_at = max([self._newest_at, *(sample.at for sample in earlier)])
        if self._next is not self._installed or newest.at <= last_at:
            self._feed(earlier)
            samples = [newest]
            if self._next is not self._installed:
                self._install(self._next)
            if newest.at <= self._newest_at:
                self._engine, self._newest_at = self._inheriting(self.new_engine(self.serving)), -np.inf
                self._recent.clear()
                self.needs_history = True
        self._feed(samples)

    def forecast(self) -> Forecast | None:
        """Return the forecast for the last sample; None if no model serves or the sample has no rule metric.

        A model that fails, or whose last attributions failed, no longer serves (see `advance`).
        """
        if self.serving is None or not self._rules_observed:
            return None
        try:
            forecast = self._forecast(self.serving[0])
        except Exception as error:
            self._withdraw(error)
            return None
        self._newest_forecast = forecast
        self.inputs_out_of_range = forecast.inputs_out_of_range
        self._log_inputs_out_of_range()
        return forecast

    def _forecast(self, model_id: int) -> Forecast:
        if self._newest_forecast is not None and self._newest_forecast.failures:
            raise self._newest_forecast.failures[0]
        decided_id, decisions = self._decisions
        if decided_id == model_id and decisions is not self._applied_decisions:
            self._engine.decide([decisions])
            self._applied_decisions = decisions
        return make_forecast(self._engine, model_id, self._newest_at)

    def _withdraw(self, error: Exception) -> None:
        """Serve no model after a failure of the serving one; raise the error again if the model is not its cause."""
        if self.serving is None or isinstance(error, MemoryError):
            raise error
        self.failure = ModelFailure(self.serving[0], error)
        without_model = LoadedModel(None, self.new_engine(None), None)
        if self._next is self._installed:
            self._next = without_model
        self._install(without_model)

    def _install(self, loaded: LoadedModel) -> None:
        """Switch to another engine, and feed it the recent samples that its history lacks."""
        previous_id = self.model_id
        previous = self._engine
        had_history = self._installed.newest_at is not None and not self.needs_history
        self._installed = loaded
        self._newest_forecast = None
        if loaded.serving is not None:
            self.failure = None
        self._engine = self._inheriting(loaded.engine)
        self._newest_at = -np.inf if loaded.newest_at is None else loaded.newest_at
        self._feed(self._recent)
        if had_history:
            self._engine.inherit_baselines(previous)
        self.needs_history = False
        if self.model_id != previous_id:
            self.inputs_out_of_range = None
            log.info("model activated", model=self.model_id, previous=previous_id)

    def _inheriting(self, engine: OnlineEngine) -> OnlineEngine:
        """Return an engine with the active warnings of the present engine."""
        engine.inherit_warnings(self._engine)
        self._applied_decisions = ()
        return engine

    def _feed(self, samples: Collection[Sample]) -> None:
        """Append the samples that are newer than those of the engine, and keep those newer than the recent ones."""
        new = [sample for sample in samples if sample.at > self._newest_at]
        if new:
            times = np.array([[sample.at for sample in new]])
            self._engine.advance(times, np.stack([sample_values(sample) for sample in new])[None])
            self._engine.select_newest()
            self._newest_at = new[-1].at
        kept_until = self._recent[-1].at if self._recent else -np.inf
        self._recent.extend([sample for sample in samples if sample.at > kept_until])

    def _log_inputs_out_of_range(self) -> None:
        """Log the metrics outside their training range, unless they are the same as in the last call."""
        metrics = self.inputs_out_of_range or ()
        if metrics == self._out_of_range:
            return
        self._out_of_range = metrics
        if metrics:
            log.warning("inputs out of range", model=self.model_id, metrics=", ".join(metrics))
        else:
            log.info("inputs in range", model=self.model_id)

    def _spec(self, serving: Serving) -> FeatureSpec:
        return self._spec_without_model if serving is None else serving[1].spec
