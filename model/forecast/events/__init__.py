"""Event scores: announced high-load periods, false warnings and baselines."""

from model.forecast.events.matching import (
    false_warnings,
    lead_times,
    observed_seconds,
    period_onsets,
    predicted_onsets,
)
from model.forecast.events.scorecard import (
    MIN_PERIODS,
    BaselineInputs,
    EventScore,
    HorizonScorecard,
    Scorecard,
    baseline_scores,
    make_scorecard,
    warning_score,
)

__all__ = [
    "MIN_PERIODS",
    "BaselineInputs",
    "EventScore",
    "HorizonScorecard",
    "Scorecard",
    "baseline_scores",
    "false_warnings",
    "lead_times",
    "make_scorecard",
    "observed_seconds",
    "period_onsets",
    "predicted_onsets",
    "warning_score",
]
