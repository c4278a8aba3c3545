"""Overview: stored state of the daemon at one time, read from the database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from monitor.config.loader import Config
from monitor.config.maintenance_windows import RecurringWindow
from monitor.inference.prediction_schedule import prediction_interval
from monitor.queries.channels import ChannelOverview
from monitor.queries.detection import DetectionState
from monitor.queries.scores import HorizonScore
from monitor.training.exclusions import in_maintenance
from monitor.training.records import CompletedRun, RegisteredModel
from monitor.training.schedule import insufficient_history
from storage import MaintenanceWindow, Prediction, QuarantinedModel, Sample, TrainingOutcome


@dataclass(frozen=True)
class ServingFallback:
    """Baseline that serves in place of the model for one horizon and load state.

    Attributes:
        horizon: horizon in seconds.
        load: load state in which the baseline serves.
        baseline: name of the baseline.
    """

    horizon: float
    load: Literal["calm", "high"]
    baseline: str


@dataclass(frozen=True)
class Overview:
    """Stored state of the daemon at one time. All times are in seconds since the epoch.

    Attributes:
        at: time at which the state was read.
        last_sample: newest sample that is not in the future; None if there is none.
        oldest_sample_at: time of the oldest sample; None if there is none.
        covered: seconds covered by the stored samples of the last `training.history` seconds.
        needed: seconds of history that a training run needs.
        predictions: newest predictions, one per horizon.
        model: the serving model; None if there is none.
        last_run: the newest training run; None if there is none.
        last_success: the newest training run that promoted a model; None if there is none.
        runs: number of training runs by outcome.
        next_retrain_at: time of the next training run; None before the first run and while the history is too short.
        retrain_running: True during a training run.
        daemon_running: True while a daemon holds the database.
        storage_bytes: size of the database in bytes; None if unknown.
        interval: seconds between samples.
        scores: scores of the last 7 days for each horizon.
        scored_until: for each horizon, the time up to which predictions are scored.
        drift: population stability index of each metric.
        drift_at: time at which the drift was computed.
        fallbacks: baselines that serve in place of the model.
        inputs_out_of_range: metrics outside their training range as of the newest predictions.
        detection: state of the anomaly detection.
        wal_bytes: size of the write-ahead log of the database in bytes.
        quarantined_files: number of damaged databases that were moved aside and are still there.
        storage_free_bytes: free space on the file system of the database in bytes; None if unknown.
        last_trained: the newest training run that trained a model, promoted or refused; None if there is none.
        future_at: time of the newest sample in the future, left by a clock that was set back; None if there is none.
        quarantined_models: models that failed, and do not serve until an operator activates them.
        damaged_rows: number of rows of unexpected types that this process has read, for each table that has any.
        maintenance: stored maintenance windows that are active or planned, earliest first.
        recurring: recurring maintenance windows of the configuration.
        channels: state of the notification channels.
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
    storage_bytes: int | None
    interval: float
    scores: tuple[HorizonScore, ...] = ()
    scored_until: tuple[tuple[float, float], ...] = ()
    drift: dict[str, float] = field(default_factory=dict)
    drift_at: float = 0.0
    fallbacks: tuple[ServingFallback, ...] = ()
    inputs_out_of_range: tuple[str, ...] = ()
    detection: DetectionState = field(default_factory=DetectionState)
    wal_bytes: int = 0
    storage_free_bytes: int | None = None
    quarantined_files: int = 0
    last_trained: CompletedRun | None = None
    future_at: float | None = None
    quarantined_models: tuple[QuarantinedModel, ...] = ()
    damaged_rows: dict[str, int] = field(default_factory=dict)
    maintenance: tuple[MaintenanceWindow, ...] = ()
    recurring: tuple[RecurringWindow, ...] = ()
    channels: tuple[ChannelOverview, ...] = ()

    @property
    def in_maintenance(self) -> bool:
        """True during a stored or a recurring maintenance window."""
        return in_maintenance(self.at, self.maintenance, self.recurring)

    @property
    def sampling(self) -> bool:
        """True if the daemon runs and its newest sample is younger than `max_sample_age`."""
        recent = self.last_sample is not None and self.at - self.last_sample.at < max_sample_age(self.interval)
        return self.daemon_running and recent

    @property
    def waiting_for(self) -> str:
        """Reason why no model, or only the pretrained model, serves; empty if another model serves."""
        if self.model is not None and not self.model.pretrained:
            return ""
        if self.covered < self.needed:
            return insufficient_history(self.covered, self.needed)
        due = self.next_retrain_at is None or self.next_retrain_at <= self.at
        run = self.last_run
        # A skipped run without a report had too little history; by now there is enough, for example after an import.
        due = due or (run is not None and run.outcome == TrainingOutcome.SKIPPED and run.report is None)
        if run is not None and run.outcome != TrainingOutcome.PROMOTED and not due:
            return f"last training run {run.outcome}: {run.reason}"
        return "enough history, a training run is due"

    @property
    def fresh_predictions(self) -> tuple[Prediction, ...]:
        """Newest predictions; empty if they are older than `max_prediction_age`."""
        if not self.predictions:
            return ()
        horizons = [prediction.horizon for prediction in self.predictions]
        oldest = self.at - max_prediction_age(self.interval, horizons)
        return tuple(prediction for prediction in self.predictions if prediction.at >= oldest)

    @property
    def high_load_since(self) -> float | None:
        """Start of the high-load period in progress, in seconds since the epoch.

        None if there is no such period, or if the predictions are older than `max_prediction_age`.
        """
        return next((prediction.high_load_since for prediction in self.fresh_predictions), None)


def unread_overview(config: Config, now: float) -> Overview:
    """Return the overview of a database that has not been read, at `now` in seconds since the epoch."""
    return Overview(
        at=now,
        last_sample=None,
        oldest_sample_at=None,
        covered=0.0,
        needed=config.training.min_history,
        predictions=(),
        model=None,
        last_run=None,
        last_success=None,
        runs={},
        next_retrain_at=None,
        retrain_running=False,
        daemon_running=True,
        storage_bytes=None,
        interval=config.sampling.interval,
    )


def max_sample_age(interval: float) -> float:
    """Return the age in seconds up to which a sample is current: 3 * `interval`, at least 10."""
    return max(3 * interval, 10.0)


def max_prediction_age(interval: float, horizons: Iterable[float]) -> float:
    """Return the age in seconds up to which a prediction is current.

    The next one is then overdue by 2 * `interval`, at least by 10 seconds.

    Args:
        interval: seconds between two samples.
        horizons: horizons of the model in seconds.
    """
    return prediction_interval(interval, horizons) + max(2 * interval, 10.0)
