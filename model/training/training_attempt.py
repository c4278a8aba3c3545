"""Training attempt: train on the newest samples of a history and apply the promotion gate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.array_types import Floats
from model.errors import DivergedError, NotEnoughHistoryError, SkipReason
from model.forecast.predictor import Predictor
from model.training.pipeline import train
from model.training.promotion import decide_promotion
from model.training.refusal import ComparisonSkip, RefusalReason
from model.training.settings import BacktestConfig, Recipe
from model.training.task import Task


@dataclass(frozen=True)
class TrainingAttempt:
    """Training run of a backtest, with its result.

    Attributes:
        at: time of the training run in seconds since the epoch.
        refusal: message with the reason why no new model serves; empty after a promotion.
        by_gate: True if the gate refused the candidate.
        reason: code for `refusal`; None after a promotion or a fit that diverged.
        comparison_skip: reason why the gate did not compare the candidate with the incumbent; None if it did, if
            there was no candidate or no incumbent, or if the candidate lacks a horizon of the incumbent.
    """

    at: float
    refusal: str = ""
    by_gate: bool = False
    reason: RefusalReason | SkipReason | None = None
    comparison_skip: ComparisonSkip | None = None

    @property
    def promoted(self) -> bool:
        """True if the gate accepted the candidate."""
        return not self.refusal


@dataclass(frozen=True)
class Samples:
    """Samples of one host, with the names of the columns.

    Attributes:
        times: (rows,) seconds, increasing.
        values: (rows, columns), NaN where missing.
        columns: names of the columns.
    """

    times: Floats
    values: Floats
    columns: tuple[str, ...]

    def take(self, rows: slice) -> Samples:
        """Return the samples in a slice."""
        return Samples(self.times[rows], self.values[rows], self.columns)


def attempt_training(
    samples: Samples, task: Task, recipe: Recipe, config: BacktestConfig, now: float, incumbent: Predictor | None
) -> tuple[Predictor | None, TrainingAttempt]:
    """Train on the newest samples of a history and apply the promotion gate.

    Args:
        samples: the history, of which the last `config.history` seconds are used.
        task: high-load rules, horizons and target precision.
        recipe: architecture and fit settings of the ensemble.
        config: longest history, gate and seed.
        now: time of the training run, in seconds since the epoch.
        incumbent: the serving model, None if there is none.

    Returns:
        The predictor (None unless the gate accepted it) and the attempt.
    """
    times = samples.times
    start = int(np.searchsorted(times, times[-1] - config.history, side="right"))
    recent = samples.take(slice(start, None))
    rng = np.random.default_rng(config.seed)
    try:
        candidate = train(recent.times, recent.values, recent.columns, task, recipe, rng)
    except NotEnoughHistoryError as error:
        return None, TrainingAttempt(now, str(error), reason=error.skip_reason)
    except DivergedError as error:
        return None, TrainingAttempt(now, str(error))
    decision = decide_promotion(candidate, incumbent, times, samples.values, config.gate)
    refusal = decision.refusal
    if refusal is None:
        return candidate.predictor, TrainingAttempt(now, comparison_skip=decision.skip)
    attempt = TrainingAttempt(
        at=now,
        refusal=refusal.message,
        by_gate=True,
        reason=refusal.reason,
        comparison_skip=decision.skip,
    )
    return None, attempt
