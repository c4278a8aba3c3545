"""A past lived through again: trained on what was known, asked about what then came.

Nothing that is later than a moment has a part in what is said of it: each model learns from the samples before it
began to serve, and whether it may serve is judged as the daemon would.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.arrays import Floats
from model.baselines import baseline_scores
from model.candidate import Candidate, Task, probabilities_at, refusal_of, said_instead, train
from model.dataset import typical_step
from model.errors import DivergedError, NotEnoughHistoryError
from model.gate import GateConfig
from model.history import History
from model.labels import Rules, future_labels
from model.predictor import Predictor
from model.recalibration import RENEWED, recalibrated, recalibrations
from model.scores import Score, score
from model.settings import Recipe


@dataclass(frozen=True)
class Rerun:
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
class Attempt:
    """One training: when, why its model does not serve (empty where it does), and whether the gate said so."""

    at: float
    refusal: str
    by_gate: bool


@dataclass(frozen=True)
class Backtest:
    """What was said, and what came.

    `times` (rows,) are the moments from `until` on; `probabilities`, `labels` and `warnings` are (rows, horizons),
    NaN where nothing was said or nothing is known; `state` (rows,) is 1 where load was high at the moment itself,
    `load_index` (rows,) how near the rules were to holding.
    `baselines` has by name what other tools would have said, (rows, horizons).
    """

    horizons: tuple[float, ...]
    times: Floats
    probabilities: Floats
    warnings: Floats
    labels: Floats
    state: Floats
    load_index: Floats
    base_rates: Floats
    attempts: tuple[Attempt, ...]
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
            found.append(
                {name: score(self.labels[rows, i], p[rows, i], float(self.base_rates[i])) for name, p in said.items()}
            )
        return tuple(found)


def backtest(
    times: Floats,
    values: Floats,
    columns: Sequence[str],
    task: Task,
    recipe: Recipe,
    rerun: Rerun,
) -> Backtest:
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
    rules = task.rules.resolve(columns, values[:first])
    history, labels = _what_came(times, values, columns, rules, task.horizons)
    shape = (len(times) - first, len(task.horizons))
    said, raw, warned = np.full(shape, np.nan), np.full(shape, np.nan), np.full(shape, np.nan)
    attempts: list[Attempt] = []
    serving: Predictor | None = None
    due, since = -np.inf, first
    for begin, end in _stretches(times, first, rerun.interval):
        now = float(times[begin])
        if now >= due:
            candidate, refused = _attempt(times[:begin], values[:begin], columns, task, recipe, rerun, serving)
            attempts.append(Attempt(now, refused, by_gate=candidate is not None and bool(refused)))
            if candidate is not None and not refused:
                serving, since = candidate.predictor, begin
            # a host without a model does not wait for long: the next day tries again
            due = now if serving is None else _next(now, float(times[first]), rerun.interval)
        if serving is None:
            continue
        here, known = slice(begin - first, end - first), _known(serving, times, begin, end)
        p = probabilities_at(serving, times[known], values[known], times[begin:end])
        for i, horizon in enumerate(serving.horizons):
            column = task.horizons.index(horizon)
            raw[here, column], warned[here, column] = p[:, i], p[:, i] >= serving.thresholds[i]
        said[here] = raw[here]
        if rerun.interval is not None:
            # outcomes of what another model said tell how far off that one was
            past, high = slice(since, begin), history.state == 1
            ours = raw[since - first : begin - first]
            right = recalibrations(times[past], ours, labels[past], high[past], task.horizons, now)
            said[here] = recalibrated(raw[here], high[begin:end], right)
    matured = np.where(times[:, None] + np.asarray(task.horizons) < rerun.until, labels, np.nan)
    state = history.state
    baselines = baseline_scores(times, history.load_index, state, matured, task.horizons, first)
    return Backtest(
        task.horizons,
        times[first:],
        said,
        warned,
        labels[first:],
        state[first:],
        history.load_index[first:],
        baselines["climatology"][0],
        tuple(attempts),
        baselines,
    )


def _stretches(times: Floats, first: int, interval: float | None) -> list[tuple[int, int]]:
    """Rows between two moments at which something may change, as (begin, end)."""
    if interval is None:
        return [(first, len(times))]
    apart = min(interval, RENEWED)
    begins = np.unique(np.searchsorted(times, np.arange(times[first], times[-1] + 1e-9, apart)))
    return list(zip(begins.tolist(), [*begins[1:].tolist(), len(times)], strict=True))


def _next(now: float, start: float, interval: float | None) -> float:
    """The first moment after now at which a training is due."""
    return np.inf if interval is None else start + ((now - start) // interval + 1) * interval


def _attempt(
    times: Floats,
    values: Floats,
    columns: Sequence[str],
    task: Task,
    recipe: Recipe,
    rerun: Rerun,
    serving: Predictor | None,
) -> tuple[Candidate | None, str]:
    """A candidate made of the samples so far, if there is one, and why it may not serve (empty where it may)."""
    candidate, refused = _trained(times, values, columns, task, recipe, rerun)
    if candidate is None:
        return None, refused
    incumbent = None if serving is None else said_instead(serving, candidate, times, values)
    return candidate, refusal_of(candidate, incumbent, rerun.gate) or ""


def _trained(
    times: Floats, values: Floats, columns: Sequence[str], task: Task, recipe: Recipe, rerun: Rerun
) -> tuple[Candidate | None, str]:
    """A candidate made of the last part of the samples, or why there is none."""
    from_row = int(np.searchsorted(times, times[-1] - rerun.history, side="right"))
    rng = np.random.default_rng(rerun.seed)
    try:
        return train(times[from_row:], values[from_row:], columns, task, recipe, rng), ""
    except (NotEnoughHistoryError, DivergedError) as error:
        return None, str(error)


def _known(serving: Predictor, times: Floats, begin: int, end: int) -> slice:
    """The rows that what is said of the rows begin to end looks at."""
    return slice(max(0, int(np.searchsorted(times, times[begin] - serving.spec.needed)) - 1), end)


def _what_came(
    times: Floats, values: Floats, columns: Sequence[str], rules: Rules, horizons: Sequence[float]
) -> tuple[History, Floats]:
    """The history, and the labels (rows, horizons) of every row."""
    step = typical_step(times, default=1.0)
    history = History(columns, rules, step)
    history.extend(times, values)
    return history, future_labels(times, history.state, horizons, step)
