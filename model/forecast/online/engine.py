"""Online engine: predictions of one model for several hosts, for live serving and backtests alike."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from model.array_types import Bools, Floats, Integers, stacked
from model.features.design_matrix import design_matrix
from model.features.feature_spec import FeatureSpec
from model.features.time_buckets import bucket_width
from model.forecast.online.decision_table import DecisionTable
from model.forecast.online.decisions import FallbackDecision
from model.forecast.online.high_load_floor import HighLoadFloor
from model.forecast.online.hysteresis import WarningHysteresis
from model.forecast.online.input_ranges import InputRangeMonitor, training_ranges
from model.forecast.online.online_forecast import OnlineForecast
from model.forecast.online.prediction_log import LogEntries, PredictionLog
from model.forecast.online.running_level import RunningLevel
from model.forecast.predictor import Predictor
from model.forecast.smoothing import SeasonalSmoother


class OnlineEngine:
    """Serving state of one model for several hosts: features, input ranges, baselines, decisions and warnings.

    `advance` appends samples, one or many per call; `forecast` predicts for them. Results are bit-identical for any
    division of the samples into calls. An engine without a predictor tracks the load state only.

    Attributes:
        spec: feature specification.
        predictor: the serving model, fused; None if there is none.
        decisions: for each host, the fallback decision for each horizon; not set without a predictor.
    """

    def __init__(
        self, spec: FeatureSpec, predictor: Predictor | None = None, hosts: int = 1, *, level: bool = False
    ) -> None:
        """Create an engine without history.

        Args:
            spec: feature specification, equal to `predictor.spec` if there is a predictor.
            predictor: the model; None to track the load state only.
            hosts: number of hosts.
            level: True to follow the outcomes after the training history by a running level.
        """
        self.spec = spec
        self.predictor = None if predictor is None else predictor.fused()
        self._hosts = hosts
        self._windows = [spec.new_window(bounded=True) for _ in range(hosts)]
        width = bucket_width(spec.step) or spec.step
        self._smoothers = [SeasonalSmoother(width, spec.horizons) for _ in range(hosts)]
        self._advanced_rows = self._newest_rows = 0
        self._features: Floats | None = None
        self._model_probabilities: Floats | None = None
        horizons = () if predictor is None else predictor.horizons
        self._warnings = WarningHysteresis(hosts, horizons, spec.rules.sustained)
        self._ranges = None if predictor is None else InputRangeMonitor(training_ranges(predictor), hosts)
        self._outside: Bools | None = None
        self._floor = None if predictor is None else HighLoadFloor(predictor)
        self._levels = [RunningLevel(predictor) for _ in range(hosts)] if predictor is not None and level else []
        self._offsets: Floats | None = None
        self._horizon_columns: Integers = np.array(
            [spec.horizons.index(horizon) for horizon in horizons], dtype=np.intp
        )
        if predictor is not None:
            self.decide([[FallbackDecision()] * len(horizons)] * hosts)

    def inherit_warnings(self, engine: OnlineEngine) -> None:
        """Copy the warning states from an engine of the same hosts, for the horizons that both have."""
        self._warnings.inherit(engine._warnings)

    def inherit_baselines(self, engine: OnlineEngine) -> None:
        """Use the smoothers of an engine that received the same samples, if `has_load_index_of` is True for it."""
        if self.has_load_index_of(engine):
            self._smoothers = engine._smoothers

    def has_load_index_of(self, engine: OnlineEngine) -> bool:
        """Return True if another engine has the same high-load rules, load limit, sampling step and horizons.

        From the same samples, both engines then compute the same load index and baselines.
        """
        own, other = self.spec, engine.spec
        same_load = own.rules == other.rules and own.load_limit == other.load_limit
        return same_load and own.step == other.step and own.horizons == other.horizons

    def decide(self, decisions: Sequence[Sequence[FallbackDecision]]) -> None:
        """Set the fallback decisions for the next forecasts; ValueError if there is no predictor.

        Args:
            decisions: for each host, the fallback decision for each horizon of the predictor.
        """
        if self.predictor is None:
            raise ValueError("decisions without a predictor")
        self.decisions = tuple(tuple(host) for host in decisions)
        self._table = DecisionTable(self.decisions, self.predictor.thresholds)
        for host, level in enumerate(self._levels):
            level.recalibrate(*self._table.calibrations(host))
        if self._levels and self._newest_rows == 1:
            self._offsets = np.stack([level.offsets[None] for level in self._levels])

    def advance(self, times: Floats, values: Floats) -> None:
        """Append samples of each host; the next `forecast` predicts for them.

        Args:
            times: (hosts, rows) seconds, increasing and later than all previous ones (otherwise ValueError).
            values: (hosts, rows, columns of the spec), NaN where missing.
        """
        self._advanced_rows = self._newest_rows = times.shape[1]
        for host, window in enumerate(self._windows):
            window.extend(times[host], values[host])
            self._smoothers[host].extend(times[host], window.load_index[len(window) - self._newest_rows :])
        self._outside = None if self._ranges is None else self._ranges.extend(times, values)
        self._features = self._model_probabilities = None
        if self._levels:
            parts = enumerate(zip(self._levels, self._windows, times, strict=True))
            self._offsets = stacked([level.extend(w, t, partial(self._predict, i)) for i, (level, w, t) in parts])

    def select_newest(self) -> None:
        """Let the next forecast predict for the newest sample only, instead of all samples of the last `advance`."""
        self._newest_rows = min(self._newest_rows, 1)
        self._outside = None if self._outside is None else self._outside[:, -1:]
        self._offsets = None if self._offsets is None else self._offsets[:, -1:]
        self._features = self._model_probabilities = None

    @property
    def newest_states(self) -> Floats:
        """Load state (hosts,) of the newest sample: 1 high, 0 calm, NaN if unknown."""
        return np.array([window.state[-1] if len(window) else np.nan for window in self._windows])

    @property
    def newest_periods(self) -> Floats:
        """Start (hosts,) of the high-load period in progress, in seconds since the epoch; -inf if there is none."""
        return np.array([window.period_start[-1] if len(window) else -np.inf for window in self._windows])

    def forecast(self) -> OnlineForecast:
        """Predict for the samples of the last `advance`, and update the warnings. Call it once per `advance`.

        Raises:
            ValueError: there is no predictor or no sample.
        """
        if self._floor is None or not self._newest_rows:
            raise ValueError("a forecast needs a predictor and a sample")
        model_probabilities = self.model_probabilities()
        high = self._newest([window.state for window in self._windows]) == 1
        load_index = self._newest([window.load_index for window in self._windows])
        at = self._newest([window.times for window in self._windows])
        probabilities = self._table.apply(
            model_probabilities, high, load_index, self._seasonal_forecasts, self._offsets
        )
        period = self._newest([window.period_start for window in self._windows])
        floored = stacked([window.high_with_dips(self._newest_rows) for window in self._windows])
        probabilities, raised = self._floor(probabilities, self._all_features(), floored)
        start, end = self._table.thresholds(high)
        last_high = self._newest([window.last_high for window in self._windows])
        inputs = len(self.spec.inputs)
        before, warnings = self._warnings.update(at, probabilities, (start, end), period > -np.inf, last_high)
        return OnlineForecast(
            features=self._all_features(),
            model_probabilities=model_probabilities,
            probabilities=probabilities,
            raised=raised,
            outside=self._outside if self._outside is not None else np.zeros((*high.shape, inputs), bool),
            high=high,
            period_start=period,
            thresholds=np.where(before, end, start),
            warnings=warnings,
        )

    def log(
        self, log: PredictionLog, host: int = 0, *, after: float = -np.inf, serving_after: float = -np.inf
    ) -> None:
        """Add entries for samples of the last `advance` to a prediction log, and update its outcomes.

        Args:
            log: prediction log of the host, with the horizons of the predictor's spec.
            host: index of the host.
            after: time (seconds) after which samples get entries.
            serving_after: time (seconds) after which entries include the model's predictions.

        Raises:
            ValueError: there is no predictor.
        """
        if self.predictor is None:
            raise ValueError("a prediction log without a predictor")
        window = self._windows[host]
        first = len(window) - self._newest_rows
        times = window.times[first:]
        rows = log.rows_to_log(times, after)
        probabilities = np.full((len(rows), len(self.spec.horizons)), np.nan)
        serving = np.flatnonzero(times[rows] > serving_after)
        if len(serving):
            probabilities[np.ix_(serving, self._horizon_columns)] = self._predict(host, rows[serving])
        entries = LogEntries(
            rows=rows,
            probabilities=probabilities,
            load_index=window.load_index[first:][rows],
            forecasts=self._smoothers[host].forecasts(self._advanced_rows - self._newest_rows + rows),
        )
        log.add(times, window.state[first:], entries)

    def _newest(self, arrays: Sequence[Floats]) -> Floats:
        """Return the values (hosts, rows) for the samples of the last `advance`, from one array per host."""
        newest = [array[len(array) - self._newest_rows :] for array in arrays]
        return stacked(newest).copy()

    def _all_features(self) -> Floats:
        """Return the features (hosts, rows, features) of the newest samples."""
        if self._features is None:
            rows = np.arange(self._newest_rows)
            features = [self._features_of(host, rows) for host in range(self._hosts)]
            self._features = stacked(features)
        return self._features

    def _features_of(self, host: int, rows: Integers) -> Floats:
        """Return the features (n, features) at positions (n,) of the last `advance`, NaN for metrics out of range."""
        window = self._windows[host]
        x = design_matrix(self.spec, window, len(window) - self._newest_rows + rows)
        if self._outside is not None:
            x[self._outside[host, rows] @ self.spec.metric_features] = np.nan
        return x

    def model_probabilities(self) -> Floats:
        """Return the probabilities (hosts, rows, horizons) of the model alone for the samples of the last `advance`.

        Raises:
            ValueError: there is no predictor.
        """
        if self._model_probabilities is None:
            if self.predictor is None:
                raise ValueError("a prediction without a predictor")
            x = self._all_features()
            flat = self.predictor.probabilities(x.reshape(-1, x.shape[2]))
            self._model_probabilities = flat.reshape(*x.shape[:2], -1)
        return self._model_probabilities

    def _predict(self, host: int, rows: Integers) -> Floats:
        """Return the model's probabilities (n, horizons) at positions (n,) of the last `advance`."""
        if self._model_probabilities is not None or self._newest_rows == 1:
            return np.asarray(self.model_probabilities()[host, rows])
        assert self.predictor is not None  # noqa: S101  checked by the callers
        return self.predictor.probabilities(self._features_of(host, rows))

    def _seasonal_forecasts(self) -> Floats:
        """Return the Holt-Winters forecasts (hosts, smoothings, rows, horizons) for the predictor's horizons."""
        rows = np.arange(self._advanced_rows - self._newest_rows, self._advanced_rows)
        forecasts = np.stack([smoother.forecasts(rows) for smoother in self._smoothers])
        return np.asarray(forecasts[..., self._horizon_columns])
