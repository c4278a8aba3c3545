"""Backtest: replay a trace with training runs, promotion gate, recalibration and fallback.

A prediction depends only on samples up to its own time. Each model is trained on the samples before it serves, and
promoted or refused as in the daemon.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from model.array_types import Floats
from model.errors import NotEnoughHistoryError, SkipReason, UnsupportedTaskError
from model.features.dataset import typical_step
from model.features.labels import future_labels
from model.features.rolling_window import RollingWindow
from model.forecast.baselines import CLIMATOLOGY, baseline_probabilities
from model.forecast.online import OnlineEngine, PredictionLog, decide_fallbacks, fallback_active
from model.forecast.online.recalibration import MAX_AGE, RECALIBRATION_INTERVAL
from model.forecast.predictor import Predictor
from model.forecast.pretrained import bootstrap_predictor
from model.forecast.serialization import bundled_pretrained_model
from model.training.backtest_result import BacktestResult
from model.training.settings import BacktestConfig, Recipe, retrain_delay
from model.training.task import Task
from model.training.training_attempt import Samples, TrainingAttempt, attempt_training
from model.units import DAY

CHUNK_ROWS = 4096
"""Largest number of samples replayed at once, which limits the memory for their features."""


def backtest(
    times: Floats,
    values: Floats,
    columns: Sequence[str],
    task: Task,
    recipe: Recipe,
    config: BacktestConfig,
) -> BacktestResult:
    """Replay the samples from `config.until` on, and return the predictions with their outcomes.

    Args:
        times: (rows,) seconds, increasing.
        values: (rows, columns), NaN where missing.
        columns: names of the columns.
        task: high-load rules, horizons and target precision.
        recipe: architecture and fit settings of the ensembles.
        config: schedule, gate and seed.

    Raises:
        NotEnoughHistoryError: there is no sample before `config.until`, or none from that time on.
    """
    first = int(np.searchsorted(times, config.until))
    if first == 0 or first == len(times):
        rows = f"{first} rows to train on and {len(times) - first} to replay"
        raise NotEnoughHistoryError(f"{SkipReason.HISTORY_TOO_SHORT.message}: the trace has {rows}")
    replay = _Replay(Samples(times, values, tuple(columns)), task, recipe, config)
    for begin, end in _segments(times, first, config.interval):
        replay.retrain_if_due(begin)
        replay.predict(begin, end)
    return replay.result()


def _segments(times: Floats, first: int, interval: float | None) -> list[tuple[int, int]]:
    """Return the row range [begin, end) of each segment; a model is trained or recalibrated only at its start."""
    if interval is None:
        return [(first, len(times))]
    spacing = min(interval, RECALIBRATION_INTERVAL)
    # Range over the number of segments: a range over times would be empty for a single sample.
    starts = np.arange(np.floor((times[-1] - times[first]) / spacing) + 1)
    begins = np.unique(np.searchsorted(times, times[first] + spacing * starts))
    return list(zip(begins.tolist(), [*begins[1:].tolist(), len(times)], strict=True))


class _Replay:
    """Backtest in progress: serving engine, prediction log, training runs and the predictions so far."""

    def __init__(self, samples: Samples, task: Task, recipe: Recipe, config: BacktestConfig) -> None:
        self._samples = samples
        self._times = samples.times
        self._task = task
        self._recipe = recipe
        self._config = config
        self._recalibrates = config.interval is not None
        self._step = typical_step(self._times, default=1.0)
        shape = (len(self._times), len(task.horizons))
        self._probabilities = np.full(shape, np.nan)
        self._warnings = np.full(shape, np.nan)
        self._attempts: list[TrainingAttempt] = []
        self._incumbent: Predictor | None = None
        self._engine: OnlineEngine | None = None
        self._log = PredictionLog(task.horizons)
        self._has_own_model = False
        self._next_training = -np.inf
        self._fell_back = False
        self._first = int(np.searchsorted(self._times, config.until))
        self._rules = task.rules.resolve(samples.columns, samples.values[: self._first])
        self._bootstrap()

    def _bootstrap(self) -> None:
        """Serve the pretrained model from the first row on, if it supports the task."""
        try:
            predictor = bootstrap_predictor(
                bundled_pretrained_model(),
                self._samples.columns,
                self._rules,
                self._task.horizons,
                self._step,
                self._task.precision,
            )
        except UnsupportedTaskError:
            return
        self._serve(predictor, self._first)

    def retrain_if_due(self, row: int) -> None:
        """Train on the samples before `row` if a training run is due; serve the candidate if the gate accepts it."""
        now = float(self._times[row])
        # A segment begins with its first sample, which may be a little later than the scheduled time.
        tolerance = 2 * self._step
        retry = self._fell_back and now >= self._attempts[-1].at + DAY - tolerance
        if now < self._next_training and not retry:
            return
        history = self._samples.take(slice(0, row))
        predictor, attempt = attempt_training(history, self._task, self._recipe, self._config, now, self._incumbent)
        self._attempts.append(attempt)
        if predictor is not None:
            self._has_own_model = True
            self._serve(predictor, row)
        seconds = min(now - float(self._times[0]), self._config.history)
        # Until a model trained on the host serves, the next training run is a day later.
        delay = retrain_delay(seconds, self._config.interval) if self._has_own_model else DAY
        self._next_training = now + delay - tolerance

    def _serve(self, predictor: Predictor, row: int) -> None:
        """Replace the serving predictor from `row` on; its warnings continue those of the previous predictor.

        Baselines and outcomes are carried over only if both predictors use the same load index.
        """
        previous = self._engine
        self._incumbent = predictor
        self._engine = OnlineEngine(predictor.spec, predictor, level=self._recalibrates)
        same_load_index = previous is not None and self._engine.has_load_index_of(previous)
        self._warm_up(row, log=self._recalibrates and not same_load_index)
        if previous is not None:
            self._engine.inherit_warnings(previous)
            self._engine.inherit_baselines(previous)
        if same_load_index:
            self._log.forget_predictions()

    def _warm_up(self, row: int, *, log: bool) -> None:
        """Feed the samples before a row to the engine.

        Args:
            row: first row that the engine will predict.
            log: True to replace the prediction log by a log of the outcomes of the last MAX_AGE seconds, without
                predictions.
        """
        assert self._engine is not None  # noqa: S101  set by the caller
        now = float(self._times[row])
        start = 0
        if log:
            self._log = PredictionLog(self._task.horizons)
        else:
            start = max(0, int(np.searchsorted(self._times, now - self._engine.spec.required_history)) - 1)
        for begin in range(start, row, CHUNK_ROWS):
            chunk = slice(begin, min(begin + CHUNK_ROWS, row))
            self._advance(self._engine, chunk)
            if log:
                self._engine.log(self._log, after=now - MAX_AGE, serving_after=np.inf)

    def predict(self, begin: int, end: int) -> None:
        """Predict for the rows of a segment; fallback decisions use the outcomes known at the segment's start."""
        engine = self._engine
        if engine is None or engine.predictor is None:
            return
        columns = [self._task.horizons.index(horizon) for horizon in engine.predictor.horizons]
        for start in range(begin, end, CHUNK_ROWS):
            chunk = slice(start, min(start + CHUNK_ROWS, end))
            if self._recalibrates and start == begin:
                self._decide(float(self._times[begin]))
            self._advance(engine, chunk)
            if self._recalibrates:
                engine.model_probabilities()
                engine.log(self._log)
            forecast = engine.forecast()
            self._probabilities[chunk, columns] = forecast.probabilities[0]
            self._warnings[chunk, columns] = forecast.warnings[0]

    def _advance(self, engine: OnlineEngine, rows: slice) -> None:
        """Feed the samples of a slice to an engine of one host."""
        engine.advance(self._times[None, rows], self._samples.values[None, rows])

    def _decide(self, now: float) -> None:
        """Replace the engine's fallback decisions by those from the outcomes known at `now` (seconds)."""
        engine = self._engine
        assert engine is not None  # noqa: S101  checked by the caller
        assert engine.predictor is not None  # noqa: S101
        horizons = engine.predictor.horizons
        matured = self._log.matured(now, horizons)
        decisions = decide_fallbacks(matured, horizons, now)
        engine.decide([decisions])
        self._fell_back = fallback_active(decisions)

    def result(self) -> BacktestResult:
        """Return the predictions so far with outcomes and baselines."""
        first = self._first
        horizons = self._task.horizons
        window = RollingWindow(self._samples.columns, self._rules, self._step)
        window.extend(self._times, self._samples.values)
        labels = future_labels(self._times, window.state, horizons)
        known = self._times[:, None] + np.asarray(horizons) < self._config.until
        matured = np.where(known, labels, np.nan)
        baselines = baseline_probabilities(self._times, window.load_index, window.state, matured, horizons, first)
        return BacktestResult(
            horizons=horizons,
            times=self._times[first:],
            probabilities=self._probabilities[first:],
            warnings=self._warnings[first:],
            labels=labels[first:],
            state=window.state[first:],
            load_index=window.load_index[first:],
            period_start=window.period_start[first:],
            last_high=window.last_high[first:],
            base_rates=baselines[CLIMATOLOGY][0],
            onset_rates=_onset_rates(matured[:first], window.state[:first]),
            attempts=tuple(self._attempts),
            baselines=baselines,
        )


def _onset_rates(labels: Floats, state: Floats) -> Floats:
    """Return the event rates (horizons,) while load was not high; 0 if no label is known.

    Args:
        labels: (rows, horizons), NaN if unknown.
        state: (rows,) 1 during high load, 0 while load is calm, NaN if unknown.
    """
    calm = labels[state == 0]
    known = ~np.isnan(calm)
    return np.asarray(np.where(known, calm, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1))
