"""Event scorecard: scores of the warnings of a model and of baselines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.array_types import Bools, Floats
from model.forecast.baselines import linear_forecast
from model.forecast.events.matching import false_warnings, lead_times, observed_seconds, predicted_onsets
from model.forecast.events.thresholds import equal_cost_threshold
from model.units import DAY, WEEK

MIN_PERIODS = 5
"""Number of high-load periods below which event scores are too uncertain for a comparison."""

STATIC_THRESHOLD, PREDICT_LINEAR, RECENT_HIGH_LOAD = "static threshold", "predict_linear", "persistence"
"""Names of the baselines in documents and reports."""


@dataclass(frozen=True)
class EventScore:
    """Warnings of one predictor for one horizon, matched to the high-load periods.

    Attributes:
        onsets: start of each period with predictions before it, in seconds since the epoch.
        lead_times: for each period, seconds from the first warning within one horizon before the onset to the onset;
            None for a missed period.
        false_warnings: number of false warnings; None if unknown.
        seconds: time during which false warnings were counted, in seconds; None if unknown.
        threshold: score at which a baseline warns; None for a model and for the union of the horizons.
    """

    onsets: tuple[float, ...] = ()
    lead_times: tuple[float | None, ...] = ()
    false_warnings: int | None = None
    seconds: float | None = None
    threshold: float | None = None

    @property
    def periods(self) -> int:
        """Number of high-load periods."""
        return len(self.onsets)

    @property
    def known_lead_times(self) -> tuple[float, ...]:
        """Lead times of the announced periods in seconds."""
        return tuple(lead for lead in self.lead_times if lead is not None)

    @property
    def announced(self) -> int:
        """Number of periods with an active warning within one horizon before the onset."""
        return len(self.known_lead_times)

    @property
    def lead_time_quartiles(self) -> tuple[float, float, float] | None:
        """Lower quartile, median and upper quartile of the lead times in seconds; None if no period was announced."""
        if not self.announced:
            return None
        lower, median, upper = np.quantile(self.known_lead_times, (0.25, 0.5, 0.75)).tolist()
        return lower, median, upper

    @property
    def false_warnings_per_week(self) -> float | None:
        """False warnings per week; None if unknown, or if they were counted for less than a day."""
        if self.false_warnings is None or self.seconds is None or self.seconds < DAY:
            return None
        return self.false_warnings * WEEK / self.seconds


@dataclass(frozen=True)
class HorizonScorecard:
    """Event scores for one horizon.

    Attributes:
        horizon: seconds.
        model: score of the warnings of the model.
        baselines: scores of the baselines, keyed by name; empty below MIN_PERIODS periods or without samples.
    """

    horizon: float
    model: EventScore
    baselines: dict[str, EventScore]


@dataclass(frozen=True)
class Scorecard:
    """Event scores for all horizons.

    Attributes:
        horizons: scores for each horizon.
        any_horizon: periods that a warning of at least one horizon announced, with the longest lead time.
    """

    horizons: tuple[HorizonScorecard, ...]
    any_horizon: EventScore


@dataclass(frozen=True)
class BaselineInputs:
    """Samples from which the baselines warn.

    Attributes:
        times: (rows,) seconds since the epoch, increasing.
        load_index: (rows,) NaN if unknown.
        last_high: (rows,) time of the last sample during high load, -inf if there is none.
        in_period: (rows,) True during a high-load period.
        outcomes: (rows, horizons) 1 if high load occurs within the horizon, 0 if not, NaN if unknown.
    """

    times: Floats
    load_index: Floats
    last_high: Floats
    in_period: Bools
    outcomes: Floats


def warning_score(at: Floats, active: Bools, outcomes: Floats, onsets: Floats, horizon: float) -> EventScore:
    """Return the event score of the warnings for one horizon.

    Args:
        at: (rows,) times of the predictions made outside high-load periods, in seconds, increasing.
        active: (rows,) True while a warning is active.
        outcomes: (rows,) 1 if high load occurs within the horizon, 0 if not, NaN if unknown.
        onsets: (n,) starts of the high-load periods in seconds, increasing.
        horizon: seconds.
    """
    onsets = predicted_onsets(onsets, at, horizon)
    return EventScore(
        onsets=tuple(onsets.tolist()),
        lead_times=_optional(lead_times(onsets, at, active, horizon)),
        false_warnings=int(false_warnings(at, active, outcomes, horizon).sum()),
        seconds=float(observed_seconds(at, outcomes).sum()),
    )


def baseline_scores(inputs: BaselineInputs, column: int, horizon: float, model: EventScore) -> dict[str, EventScore]:
    """Return the event scores of the baselines at the false-warning rate of a model, on the periods of the model.

    A baseline warns while its score reaches a threshold: the load index ("static threshold"), the extrapolated load
    index ("predict_linear"), or minus the time since the last high load ("persistence"). The threshold is chosen in
    hindsight for at most as many false warnings as the model had, which favours the baselines.

    Args:
        inputs: samples.
        column: column of the horizon in `inputs.outcomes`.
        horizon: seconds.
        model: score of the model.

    Returns:
        Scores keyed by name; empty below MIN_PERIODS periods or if the false warnings of the model are unknown.
    """
    if model.periods < MIN_PERIODS or model.false_warnings is None:
        return {}
    at = inputs.times
    outcomes = inputs.outcomes[:, column]
    by_name = {
        STATIC_THRESHOLD: inputs.load_index,
        PREDICT_LINEAR: linear_forecast(at, inputs.load_index, horizon),
        RECENT_HIGH_LOAD: inputs.last_high - at,
    }
    results = {}
    for name, values in by_name.items():
        scores = np.where(inputs.in_period | np.isnan(values), -np.inf, values)
        threshold = equal_cost_threshold(at, scores, outcomes, horizon, model.false_warnings)
        active = scores >= threshold
        results[name] = EventScore(
            onsets=model.onsets,
            lead_times=_optional(lead_times(np.array(model.onsets), at, active, horizon)),
            false_warnings=int(false_warnings(at, active, outcomes, horizon).sum()),
            seconds=model.seconds,
            threshold=threshold if np.isfinite(threshold) else None,
        )
    return results


def make_scorecard(horizons: Sequence[HorizonScorecard]) -> Scorecard:
    """Return the scorecard of all horizons, with the periods announced by at least one of them."""
    longest: dict[float, float | None] = {}
    for score in (horizon.model for horizon in horizons):
        for onset, lead in zip(score.onsets, score.lead_times, strict=True):
            longest[onset] = max((x for x in (longest.get(onset), lead) if x is not None), default=None)
    onsets = tuple(sorted(longest))
    return Scorecard(tuple(horizons), EventScore(onsets, tuple(longest[onset] for onset in onsets)))


def _optional(values: Floats) -> tuple[float | None, ...]:
    """Return the numbers, with None for NaN."""
    return tuple(None if np.isnan(value) else value for value in values.tolist())
