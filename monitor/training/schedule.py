"""Retraining schedule: due time of the next training run."""

from __future__ import annotations

from enum import StrEnum

from model.training.settings import retrain_delay
from model.units import DAY
from monitor.config.schema import TrainingSection
from monitor.system.formatting import approximate_duration
from monitor.training.records import CompletedRun

FALLBACK_INTERVAL = DAY
"""Seconds between two training runs while a fallback serves for any horizon."""

RETRY_INTERVAL = DAY
"""Seconds from a due training run that trained no model to the next run, while a fitted model serves."""

FIRST_RETRY = 60.0
"""Shortest time in seconds between two training runs while no fitted model serves."""


class ServingState(StrEnum):
    """Kind of predictor that serves; it determines when the next training run is due."""

    NO_FITTED_MODEL = "no_fitted_model"
    FALLBACK = "fallback"
    MODEL = "model"


def next_retrain(
    config: TrainingSection, last: CompletedRun | None, trained: CompletedRun | None, serving: ServingState
) -> float | None:
    """Return the due time of the next training run, in seconds since the epoch.

    The delay depends on what serves, and is at most the configured interval:

    - Only the pretrained model or none: a tenth of `min_history` after the last run, at least FIRST_RETRY.
    - A fallback for any horizon: FALLBACK_INTERVAL after the last run that trained a model.
    - A fitted model: `retrain_delay` for the history of the last run that trained a model, after that run.

    A skipped or failed run before the due time does not change it. After a skipped or failed run at or after the due
    time, the next run is due RETRY_INTERVAL later.

    Args:
        config: section `training` of the configuration.
        last: the newest training run; None if there is none.
        trained: the newest training run that trained a model; None if there is none.
        serving: kind of predictor that serves.

    Returns:
        None if `last` is None: the first run starts as soon as there is enough history.
    """
    if last is None:
        return None
    if serving == ServingState.NO_FITTED_MODEL:
        return last.started_at + min(config.interval, max(FIRST_RETRY, config.min_history / 10))
    due = 0.0 if trained is None else trained.started_at + _delay(config, trained, serving)
    return due if due > last.started_at else last.started_at + min(config.interval, RETRY_INTERVAL)


def _delay(config: TrainingSection, trained: CompletedRun, serving: ServingState) -> float:
    """Return the seconds between a run that trained a model and the next run."""
    if serving == ServingState.FALLBACK:
        return min(config.interval, FALLBACK_INTERVAL)
    if trained.report is None or trained.report.health is None:
        return config.interval
    return retrain_delay(trained.report.to - trained.report.from_, config.interval)


def insufficient_history(covered: float, needed: float) -> str:
    """Return the message for a history that is too short to train on; both arguments in seconds."""
    return f"not enough history: {approximate_duration(covered)} of the required {approximate_duration(needed)}"
