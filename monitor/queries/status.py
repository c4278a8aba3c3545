"""Stored state of the whole: samples, predictions, serving model, trainings, scores.

The command `status` and the running daemon read it through this module, so that they agree.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from model.units import HOUR
from monitor.config.loader import Config
from monitor.queries.detection import DetectionState, read_detection
from monitor.queries.drift import read_drift
from monitor.queries.scores import SCORE_WINDOW, HorizonScore, read_scores
from monitor.stores import Stores
from monitor.training.records import CompletedRun, RegisteredModel, completed_run, read_model
from monitor.training.schedule import Serving, insufficient_history, next_retrain, recent_coverage
from storage import Prediction, Sample, TrainingOutcome, TrainingRun, is_locked

DRIFT_INTERVAL = HOUR
"""Seconds between two computations of the input drift."""


@dataclass(frozen=True)
class ServingFallback:
    """Baseline that serves in place of the model.

    Attributes:
        horizon: seconds.
        load: load state in which it serves.
        baseline: name of the baseline.
    """

    horizon: float
    load: Literal["calm", "high"]
    baseline: str


@dataclass(frozen=True)
class Overview:
    """Stored state at one time. All times are in seconds since the epoch.

    Attributes:
        at: time at which it was read.
        last_sample: newest sample that is not in the future.
        oldest_sample_at: time of the oldest sample.
        covered: seconds of samples, counted up to about `needed`.
        needed: seconds of history that a training needs.
        predictions: newest predictions, one per horizon.
        model: the serving model.
        last_run: the newest training run.
        last_success: the newest training run that promoted a model.
        runs: number of training runs by outcome.
        next_retrain_at: time of the next training; None while there is too little history.
        retrain_running: True while a training runs.
        daemon_running: True while a daemon holds the database.
        storage_bytes: size of the database.
        interval: seconds between samples.
        scores: scores of the last 7 days by horizon.
        scored_until: horizon and time up to which its predictions are scored.
        drift: population stability index by metric.
        drift_at: time at which the drift was computed.
        fallbacks: baselines that serve in place of the model.
        detection: state of the anomaly detection.
        storage_free_bytes: free space on the file system of the database; None if it is not known.
        future_at: time of the newest sample in the future, left by a clock that was set back.
    """

    at: float
    last_sample: Sample | None
    oldest_sample_at: float | None
    covered: float
    needed: float
    predictions: tuple[Prediction, ...]
    model: RegisteredModel | None
    last_run: CompletedRun | None
    last_success: CompletedRun | None
    runs: dict[TrainingOutcome, int]
    next_retrain_at: float | None
    retrain_running: bool
    daemon_running: bool
    storage_bytes: int
    interval: float
    scores: tuple[HorizonScore, ...] = ()
    scored_until: tuple[tuple[float, float], ...] = ()
    drift: dict[str, float] = field(default_factory=dict)
    drift_at: float = 0.0
    fallbacks: tuple[ServingFallback, ...] = ()
    detection: DetectionState = field(default_factory=DetectionState)
    storage_free_bytes: int | None = None
    future_at: float | None = None

    @property
    def sampling(self) -> bool:
        """Return True if samples arrive."""
        recent = self.last_sample is not None and self.at - self.last_sample.at < max_sample_age(self.interval)
        return self.daemon_running and recent

    @property
    def waiting_for(self) -> str:
        """Return why no model fitted on this host serves; empty if one does."""
        if self.model is not None and not self.model.pretrained:
            return ""
        if self.covered < self.needed:
            return insufficient_history(self.covered, self.needed)
        due = self.next_retrain_at is None or self.next_retrain_at <= self.at
        if self.last_run is not None and self.last_run.outcome != TrainingOutcome.PROMOTED and not due:
            return f"last training {self.last_run.outcome}: {self.last_run.reason}"
        return "enough history, a training is due"

    @property
    def fresh_predictions(self) -> tuple[Prediction, ...]:
        """Return the newest predictions, without those that are too old."""
        oldest = self.at - max_sample_age(self.interval)
        return tuple(prediction for prediction in self.predictions if prediction.at >= oldest)


@dataclass(frozen=True)
class _Training:
    """Part of the state that changes with trainings and promotions alone."""

    model: RegisteredModel | None
    last_run: CompletedRun | None
    last_success: CompletedRun | None
    runs: dict[TrainingOutcome, int]


def max_sample_age(interval: float) -> float:
    """Return the age in seconds from which a sample or prediction is too old, for a sampling interval in seconds."""
    return max(3 * interval, 10.0)


def read_overview(stores: Stores, config: Config, now: float, before: Overview | None = None) -> Overview:
    """Read the stored state; takes a few milliseconds.

    Args:
        stores: repositories.
        config: intervals and minima.
        now: seconds since the epoch.
        before: an earlier state; parts that cannot have changed since are taken from it.

    Raises:
        StorageError: the database cannot be read.
    """
    interval = config.sampling.interval
    needed = config.training.min_history
    unchanged = before is not None and _is_current(stores, before)
    training = _kept_training(before) if before is not None and unchanged else _read_training(stores)
    model = training.model
    scored_until = tuple(sorted(stores.scores.scored_until().items()))
    if before is not None and scored_until == before.scored_until:
        scores = before.scores
    else:
        scores = read_scores(stores, now - SCORE_WINDOW)
    if before is not None and unchanged and 0 <= now - before.drift_at < DRIFT_INTERVAL:
        drift, drift_at = before.drift, before.drift_at
    else:
        drift, drift_at = read_drift(stores, model, now), now
    fallbacks = _fallbacks(stores)
    fitted = model is not None and not model.pretrained
    serving: Serving = "none"
    if fitted:
        serving = "behind" if fallbacks else "well"
    # counted only while no fitted model serves: it reads the samples of the whole minimum
    covered = needed if fitted else recent_coverage(stores, config, now, needed)
    return Overview(
        at=now,
        last_sample=stores.samples.last(until=now + interval),
        oldest_sample_at=stores.samples.oldest_at(),
        covered=covered,
        needed=needed,
        predictions=tuple(stores.predictions.last()),
        model=model,
        last_run=training.last_run,
        last_success=training.last_success,
        runs=training.runs,
        next_retrain_at=next_retrain(config.training, training.last_run, serving) if covered >= needed else None,
        retrain_running=_is_locked(stores, "retrain"),
        daemon_running=_is_locked(stores, "daemon"),
        storage_bytes=stores.database.size_bytes(),
        storage_free_bytes=stores.database.free_bytes(),
        future_at=_future_sample(stores, now + interval),
        interval=interval,
        scores=scores,
        scored_until=scored_until,
        drift=drift,
        drift_at=drift_at,
        fallbacks=fallbacks,
        detection=read_detection(stores, config, model, training.last_run, now),
    )


def _is_current(stores: Stores, before: Overview) -> bool:
    """Return True if no model was promoted and no training ended since an earlier state."""
    model_id = None if before.model is None else before.model.id
    run_id = None if before.last_run is None else before.last_run.id
    return (model_id, run_id) == (stores.registry.active_id(), stores.runs.last_id())


def _kept_training(before: Overview) -> _Training:
    return _Training(before.model, before.last_run, before.last_success, before.runs)


def _read_training(stores: Stores) -> _Training:
    active = stores.registry.active_id()
    return _Training(
        model=None if active is None else read_model(stores, active),
        last_run=_completed(stores.runs.last()),
        last_success=_completed(stores.runs.last_success()),
        runs=stores.runs.counts(),
    )


def _completed(run: TrainingRun | None) -> CompletedRun | None:
    return None if run is None else completed_run(run)


def _fallbacks(stores: Stores) -> tuple[ServingFallback, ...]:
    """Return the fallbacks that serve."""
    return tuple(
        ServingFallback(float(horizon), "high" if load == "high" else "calm", baseline)
        for horizon, by_load in stores.registry.fallbacks().items()
        for load, baseline in by_load.items()
    )


def _future_sample(stores: Stores, after: float) -> float | None:
    """Return the time of the newest sample if it is after a time."""
    newest = stores.samples.last()
    return newest.at if newest is not None and newest.at > after else None


def _is_locked(stores: Stores, name: str) -> bool:
    path = stores.database.lock_path(name)
    return path is not None and is_locked(path)
