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

FIRST_RETRY = 60.0
"""Shortest time in seconds between two training runs while no fitted model serves."""


class ServingState(StrEnum):
    """Kind of predictor that serves; it determines when the next training run is due."""

    NO_FITTED_MODEL = "no_fitted_model"
    FALLBACK = "fallback"
    MODEL = "model"


def next_retrain(config: TrainingSection, last: CompletedRun | None, serving: ServingState) -> float | None:
    """Return the due time of the next training run, in seconds since the epoch.

    The time since the start of the last run depends on what serves, and is at most the configured interval:

    - Only the pretrained model or none: a tenth of `min_history`, at least FIRST_RETRY.
    - A fallback for any horizon: FALLBACK_INTERVAL.
    - A fitted model: `retrain_delay` for the history of the last run.

    Args:
        config: section `training` of the configuration.
        last: the newest training run; None if there is none.
        serving: kind of predictor that serves.

    Returns:
        None if `last` is None: the first run starts as soon as there is enough history.
    """
    if last is None:
        return None
    if serving == ServingState.NO_FITTED_MODEL:
        return last.started_at + min(config.interval, max(FIRST_RETRY, config.min_history / 10))
    if serving == ServingState.FALLBACK:
        return last.started_at + min(config.interval, FALLBACK_INTERVAL)
    fitted = last.report is not None and last.report.health is not None
    history = last.report.to - last.report.from_ if last.report is not None and fitted else 0.0
    return last.started_at + (retrain_delay(history, config.interval) if history else config.interval)


def insufficient_history(covered: float, needed: float) -> str:
    """Return the message for a history that is too short to train on; both arguments in seconds."""
    return f"not enough history: {approximate_duration(covered)} of the required {approximate_duration(needed)}"
