"""A past lived through again: trained on what was known, asked about what then came.

Nothing that is later than a moment has a part in what is said of it: each model learns from the samples before it
began to serve, and whether it may serve is judged as the daemon would.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.array_types import Floats
from model.errors import DivergedError, NotEnoughHistoryError
from model.features.dataset import typical_step
from model.features.labels import Rules, future_labels
from model.features.rolling_window import RollingWindow
from model.features.time_buckets import bucket_width
from model.forecast.baselines import CLIMATOLOGY, Smoothing, baseline_scores, binned, forecasts_by_smoothing
from model.forecast.bundled_weights import bundled_pretrained_model
from model.forecast.fallback import (
    APART,
    MaturedPredictions,
    apply_decisions,
    decide_fallbacks,
    fallback_active,
    warning_states,
    warning_thresholds,
)
from model.forecast.metrics import Score, score
from model.forecast.predictor import Predictor, predict_at
from model.forecast.pretrained import bootstrap_predictor
from model.forecast.recalibration import MEMORY, RECALIBRATION_INTERVAL
from model.training.evaluation import Candidate, gate_refusal
from model.training.pipeline import Task, train
from model.training.retrain_policy import retrain_delay
from model.training.settings import GateConfig, Recipe
from model.units import DAY


@dataclass(frozen=True)
class BacktestConfig:
    """How the past is lived through.

    Attributes:
        until: seconds; the first model learns from what is before.
        interval: seconds between two trainings; None trains once.
        history: seconds that a training looks back.
        gate: how a candidate is judged.
        seed: of every training.
    """

    until: float
    interval: float | None
    history: float
    gate: GateConfig
    seed: int = 0


@dataclass(frozen=True)
class TrainingAttempt:
    """One training: when, why its model does not serve (empty where it does), and whether the gate said so."""

    at: float
    refusal: str
    by_gate: bool


@dataclass(frozen=True)
class BacktestResult:
    """What was said, and what came.

    `times` (rows,) are the moments from `until` on; `probabilities`, `labels` and `warnings` are (rows, horizons),
    NaN where nothing was said or nothing is known; `state` (rows,) is 1 where load was high at the moment itself,
    `load_index` (rows,) how near the rules were to holding.
    `base_rates` and `onset_rates` (horizons,) say how often high load followed in the past, at all moments and at
    those at which it was not high; `baselines` has by name what other tools would have said, (rows, horizons).
    """

    horizons: tuple[float, ...]
    times: Floats
    probabilities: Floats
    warnings: Floats
    labels: Floats
    state: Floats
    load_index: Floats
    base_rates: Floats
    onset_rates: Floats
    attempts: tuple[TrainingAttempt, ...]
    baselines: dict[str, Floats]

    def scores(self, *, onset: bool) -> tuple[dict[str, Score], ...]:
        """One mapping a horizon, from "network" and each baseline to its score.

        All are marked on the same moments: those of which the outcome is known and the network said something, with
        `onset` only those at which load was not high. Empty where there is none.
        """
        found = []
        for i in range(len(self.horizons)):
            rows = ~np.isnan(self.labels[:, i]) & ~np.isnan(self.probabilities[:, i])
            if onset:
                rows &= self.state == 0
            said = {"network": self.probabilities, **self.baselines} if rows.any() else {}
            base = float((self.onset_rates if onset else self.base_rates)[i])
            if onset and said:
                # who says the base rate knows that load is not high
                said[CLIMATOLOGY] = np.full(self.probabilities.shape, base)
            found.append({name: score(self.labels[rows, i], p[rows, i], base) for name, p in said.items()})
        return tuple(found)


def backtest(
    times: Floats,
    values: Floats,
    columns: Sequence[str],
    task: Task,
    recipe: Recipe,
    rerun: BacktestConfig,
) -> BacktestResult:
    """Lives through the samples from `rerun.until` on.

    Args:
        times: (rows,) seconds, increasing.
        values: (rows, columns), NaN where missing.
        columns: names of the columns.
        task: what to predict.
        recipe: how to train.
        rerun: when.

    Raises:
        NotEnoughHistoryError: there is nothing before or after `until`, or the first training cannot be made.
    """
    first = int(np.searchsorted(times, rerun.until))
    if first == 0 or first == len(times):
        raise NotEnoughHistoryError(
            f"the trace has {first} rows before that moment and {len(times) - first} after it"
        )
    life = _Life(times, values, columns, task, recipe, rerun, first)
    for begin, end in _stretches(times, first, rerun.interval):
        life.renew(begin)
        life.say(begin, end)
    return life.found()


class _Life:
    """What is there from one stretch to the next."""

    def __init__(
        self,
        times: Floats,
        values: Floats,
        columns: Sequence[str],
        task: Task,
        recipe: Recipe,
        rerun: BacktestConfig,
        first: int,
    ) -> None:
        self._times, self._values, self._columns = times, values, columns
        self._recipe, self._rerun, self._first = recipe, rerun, first
        rules = task.rules.resolve(columns, values[:first])
        self._step = typical_step(times, default=1.0)
        self._task = task
        self._history = RollingWindow(columns, rules, self._step)
        self._history.extend(times, values)
        self._labels = future_labels(times, self._history.state, task.horizons, self._step)
        self._high = self._history.state == 1
        shape = (len(times), len(task.horizons))
        self._raw, self._said, self._warned = np.full(shape, np.nan), np.full(shape, np.nan), np.full(shape, np.nan)
        self._forecasts: dict[Smoothing, Floats] = {}
        if rerun.interval is not None:
            width, index = bucket_width(self._step) or self._step, self._history.load_index
            self._forecasts = forecasts_by_smoothing(*binned(times, index, width), index, width, task.horizons)
        # neighbours tell the same story
        self._asked = np.flatnonzero(np.diff(times // APART, prepend=-1.0) > 0)
        self._attempts: list[TrainingAttempt] = []
        self._serving, self._own = _first(self._step, columns, rules, task), False
        self._due, self._since, self._behind = -np.inf, first, False

    def renew(self, begin: int) -> None:
        """A training before a row, if one is due."""
        times, rerun, now = self._times, self._rerun, float(self._times[begin])
        soon = self._behind and now >= self._attempts[-1].at + DAY - 2 * self._step
        if now < self._due and not soon:
            return
        candidate, refused = _attempt(
            times[:begin], self._values[:begin], self._columns, self._task, self._recipe, rerun, self._serving
        )
        self._attempts.append(TrainingAttempt(now, refused, by_gate=candidate is not None and bool(refused)))
        if candidate is not None and not refused:
            self._serving, self._since, self._own = candidate.predictor, begin, True
        # a host without a model of its own does not wait for long: the next day tries again
        learned = min(now - float(times[0]), rerun.history)
        # a stretch begins with a sample, which may come a little after its hour
        after = retrain_delay(learned, rerun.interval) if self._own else DAY
        self._due = now + after - 2 * self._step

    def say(self, begin: int, end: int) -> None:
        """What is said at the rows of a stretch."""
        if self._serving is None:
            return
        here, known = slice(begin, end), _known(self._serving, self._times, begin, end)
        p = predict_at(self._serving, self._times[known], self._values[known], self._times[here])
        thresholds = np.ones(len(self._task.horizons))
        for i, horizon in enumerate(self._serving.horizons):
            column = self._task.horizons.index(horizon)
            self._raw[here, column], thresholds[column] = p[:, i], self._serving.thresholds[i]
        if self._rerun.interval is None:
            self._said[here] = self._raw[here]
            self._warn(here, np.tile(np.where(thresholds >= 1, np.inf, thresholds), (end - begin, 1)))
            return
        now, high = float(self._times[begin]), self._high[here]
        by = decide_fallbacks(self._past(begin, now), self._task.horizons, now, thresholds, self._task.precision)
        self._behind = fallback_active(by)
        index = self._history.load_index[here]
        self._said[here] = apply_decisions(by, self._raw[here], high, index, lambda s: self._forecasts[s][here])
        self._warn(here, warning_thresholds(by, thresholds, high))

    def _warn(self, here: slice, thresholds: Floats) -> None:
        """Whether a warning stands at the rows of a stretch, by thresholds (rows, horizons)."""
        before = self._warned[here.start - 1] == 1
        self._warned[here] = warning_states(self._said[here], thresholds, before)

    def _past(self, begin: int, now: float) -> MaturedPredictions:
        """What is known when a row comes."""
        times = self._times
        rows = self._asked[(self._asked < begin) & (times[self._asked] > now - MEMORY)]
        # outcomes of what another model said tell nothing of this one
        said = np.where((rows >= self._since)[:, None], self._raw[rows], np.nan)
        forecasts = {smoothing: values[rows] for smoothing, values in self._forecasts.items()}
        index = self._history.load_index[rows]
        return MaturedPredictions(times[rows], said, self._labels[rows], self._high[rows], index, forecasts)

    def _onset_rates(self, matured: Floats) -> Floats:
        """(horizons,) how often high load followed moments at which it was not high; the base rate of none is 0."""
        calm = matured[: self._first][self._history.state[: self._first] == 0]
        known = ~np.isnan(calm)
        return np.asarray(np.where(known, calm, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1))

    def found(self) -> BacktestResult:
        """All of it."""
        first, horizons, history = self._first, self._task.horizons, self._history
        known = self._times[:, None] + np.asarray(horizons) < self._rerun.until
        matured = np.where(known, self._labels, np.nan)
        baselines = baseline_scores(self._times, history.load_index, history.state, matured, horizons, first)
        return BacktestResult(
            horizons,
            self._times[first:],
            self._said[first:],
            np.where(np.isnan(self._said), np.nan, self._warned)[first:],
            self._labels[first:],
            history.state[first:],
            history.load_index[first:],
            baselines[CLIMATOLOGY][0],
            self._onset_rates(matured),
            tuple(self._attempts),
            baselines,
        )


def _stretches(times: Floats, first: int, interval: float | None) -> list[tuple[int, int]]:
    """Rows between two moments at which something may change, as (begin, end)."""
    if interval is None:
        return [(first, len(times))]
    apart = min(interval, RECALIBRATION_INTERVAL)
    begins = np.unique(np.searchsorted(times, np.arange(times[first], times[-1] + 1e-9, apart)))
    return list(zip(begins.tolist(), [*begins[1:].tolist(), len(times)], strict=True))


def _first(step: float, columns: Sequence[str], rules: Rules, task: Task) -> Predictor | None:
    """The prior, which serves before any model of this host does; None where it cannot."""
    try:
        return bootstrap_predictor(bundled_pretrained_model(), columns, rules, task.horizons, step, task.precision)
    except ValueError:
        return None


def _attempt(
    times: Floats,
    values: Floats,
    columns: Sequence[str],
    task: Task,
    recipe: Recipe,
    rerun: BacktestConfig,
    serving: Predictor | None,
) -> tuple[Candidate | None, str]:
    """A candidate made of the last part of the samples, if there is one, and why it may not serve (empty: it may)."""
    from_row = int(np.searchsorted(times, times[-1] - rerun.history, side="right"))
    rng = np.random.default_rng(rerun.seed)
    try:
        candidate = train(times[from_row:], values[from_row:], columns, task, recipe, rng)
    except (NotEnoughHistoryError, DivergedError) as error:
        return None, str(error)
    return candidate, gate_refusal(candidate, serving, times, values, rerun.gate) or ""


def _known(serving: Predictor, times: Floats, begin: int, end: int) -> slice:
    """The rows that what is said of the rows begin to end looks at."""
    return slice(max(0, int(np.searchsorted(times, times[begin] - serving.spec.needed)) - 1), end)
