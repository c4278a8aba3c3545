"""Backtest result: predictions of a replayed trace with outcomes, baselines and training runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.array_types import Floats
from model.forecast.baselines import CLIMATOLOGY
from model.forecast.events import (
    BaselineInputs,
    HorizonScorecard,
    Scorecard,
    baseline_scores,
    make_scorecard,
    period_onsets,
    warning_score,
)
from model.forecast.metrics import Score, score
from model.training.evaluation import CANDIDATE
from model.training.training_attempt import TrainingAttempt


@dataclass(frozen=True)
class BacktestResult:
    """Predictions of a backtest with their outcomes.

    Attributes:
        horizons: seconds.
        times: (rows,) seconds since the epoch, of the samples from `BacktestConfig.until` on.
        probabilities: (rows, horizons), NaN where no model serves the horizon.
        warnings: (rows, horizons) 1 while a warning is active, NaN where no model serves the horizon.
        labels: (rows, horizons) outcomes, NaN if unknown.
        state: (rows,) 1 during high load, 0 otherwise, NaN if unknown.
        load_index: (rows,) NaN if unknown.
        period_start: (rows,) start of the high-load period in progress, -inf if there is none.
        last_high: (rows,) time of the last sample during high load, -inf if there is none.
        base_rates: (horizons,) event rates before `BacktestConfig.until`; NaN if no label is known.
        onset_rates: (horizons,) event rates before `BacktestConfig.until` while load was not high; 0 if no label
            is known.
        attempts: training runs in time order.
        baselines: (rows, horizons) probabilities of each baseline, keyed by name.
    """

    horizons: tuple[float, ...]
    times: Floats
    probabilities: Floats
    warnings: Floats
    labels: Floats
    state: Floats
    load_index: Floats
    period_start: Floats
    last_high: Floats
    base_rates: Floats
    onset_rates: Floats
    attempts: tuple[TrainingAttempt, ...]
    baselines: dict[str, Floats]

    def scores(self, *, onset: bool) -> tuple[dict[str, Score], ...]:
        """Return for each horizon the scores of the model ("network") and of each baseline.

        All predictors are scored on the same samples, which have a known outcome and a prediction of the model. A
        baseline is left out if no outcome was known that it could be fitted to.

        Args:
            onset: True to score only the samples at which load is not high.

        Returns:
            For each horizon, the scores keyed by the name of the predictor; empty if no sample is scored.
        """
        scores = []
        for i in range(len(self.horizons)):
            rows = ~np.isnan(self.labels[:, i]) & ~np.isnan(self.probabilities[:, i])
            if onset:
                rows &= self.state == 0
            base_rate = float((self.onset_rates if onset else self.base_rates)[i])
            predictors = {CANDIDATE: self.probabilities, **self.baselines} if rows.any() else {}
            if onset and predictors:
                # Climatology for samples while load is not high: the event rate of such samples before `until`.
                predictors[CLIMATOLOGY] = np.full(self.probabilities.shape, base_rate)
            scores.append(
                {
                    name: score(self.labels[rows, i], p[rows, i], base_rate)
                    for name, p in predictors.items()
                    if not np.isnan(p[rows, i]).any()
                }
            )
        return tuple(scores)

    def scorecard(self) -> Scorecard:
        """Return the announced high-load periods, lead times and false warnings of the model and of the baselines."""
        in_period = np.isfinite(self.period_start)
        onsets = period_onsets(self.times, self.state, self.period_start)
        # Where no model serves, the warnings of the baselines do not count either.
        outcomes = np.where(np.isnan(self.probabilities), np.nan, self.labels)
        inputs = BaselineInputs(self.times, self.load_index, self.last_high, in_period, outcomes)
        horizons = []
        for i, horizon in enumerate(self.horizons):
            rows = ~np.isnan(self.probabilities[:, i]) & ~in_period
            active = self.warnings[rows, i] == 1
            model = warning_score(self.times[rows], active, self.labels[rows, i], onsets, horizon)
            horizons.append(HorizonScorecard(horizon, model, baseline_scores(inputs, i, horizon, model)))
        return make_scorecard(horizons)
