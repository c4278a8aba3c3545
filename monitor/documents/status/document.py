"""Status document: daemon, predictions, models, training runs, scores."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from monitor.documents.anomalies import MaintenanceDocument, anomaly_document, maintenance_document
from monitor.documents.live import HungJob, hung_jobs
from monitor.documents.models import ModelSummary, model_summary
from monitor.documents.prediction import (
    OutOfRangeInput,
    PredictionSummary,
    out_of_range_inputs,
    prediction_summary,
)
from monitor.documents.scores import HorizonScoreDocument, score_document
from monitor.documents.status.capacity import CapacityDocument, capacity_document
from monitor.documents.status.parts import (
    ChannelStatus,
    DetectionStatus,
    HistoryCoverage,
    RetrainStatus,
    channel_status,
)
from monitor.documents.storage import StorageStatus, storage_status
from monitor.documents.training import RunSummary, run_summary
from monitor.queries.overview import Overview, ServingFallback
from storage import QuarantinedModel, Sample

if TYPE_CHECKING:
    # Imports the forecasting model, which `monitor status` does not need.
    from monitor.state import DaemonState, LiveState


@dataclass(frozen=True)
class StatusDocument:
    """State of daemon and model; result of `monitor status` and /api/v1/status. Times are in seconds since the epoch.

    Attributes:
        at: time of the status.
        interval: seconds between samples.
        daemon_running: True while a daemon holds the database.
        sampling: True if the daemon runs and its newest sample is younger than 3 intervals or 10 s, whichever is
            longer.
        last_sample: newest sample that is not in the future; None if there is none.
        oldest_sample_at: time of the oldest sample; None if there is none.
        future_sample_at: time of the newest sample in the future; None if there is none.
        history: coverage of the history.
        waiting_for: reason why no model fitted on this host serves; empty if one does.
        predictions: newest predictions; empty if the next ones are overdue by 2 intervals or 10 s, whichever is
            longer.
        predictions_outdated: True if the newest predictions are too old to be listed.
        model: the serving model; None if there is none.
        fallbacks: baselines that serve in place of the model.
        last_training: the newest training run.
        retrain: state of the retraining.
        storage_bytes: size of the database with its write-ahead log in bytes; None if unknown.
        wal_bytes: size of the write-ahead log in bytes.
        storage_free_bytes: free space on the file system of the database in bytes; None if unknown.
        quarantined_files: number of damaged databases that were moved aside and are still there.
        anomalies: state of the anomaly detection.
        scores: scores of the last 7 days for each horizon.
        input_drift: population stability index of each metric.
        database: URL of the database without credentials; None in /api/v1/status.
        storage: state of the writes to the database; None if the daemon could not be asked.
        hung_jobs: jobs of the daemon that hang; None if the daemon could not be asked.
        version: release of the daemon; None in `monitor status`.
        high_load: True while load is high, as of the newest predictions; None if unknown.
        high_load_since: start of the high-load period; None while load is not high, or if it is unknown.
        samples_missed: samples missed since the start of the daemon; None in `monitor status`.
        reload_successful: False if the last reload of the configuration failed; None in `monitor status`.
        inputs_out_of_range: metrics outside their training range; None if there are no current predictions.
        quarantined_models: models that failed, and do not serve until an operator activates them.
        damaged_rows: number of rows of unexpected types that were read and left out, for each table that has any.
        in_maintenance: True during a stored or a recurring maintenance window.
        maintenance: stored maintenance windows that are active or planned, earliest first.
        notifications: state of each notification channel.
        capacity: predictions of full file systems and exhausted memory; None before the first one.
    """

    at: float
    interval: float
    daemon_running: bool
    sampling: bool
    last_sample: Sample | None
    oldest_sample_at: float | None
    future_sample_at: float | None
    history: HistoryCoverage
    waiting_for: str
    predictions: tuple[PredictionSummary, ...]
    predictions_outdated: bool
    model: ModelSummary | None
    fallbacks: tuple[ServingFallback, ...]
    last_training: RunSummary | None
    retrain: RetrainStatus
    storage_bytes: int | None
    wal_bytes: int
    storage_free_bytes: int | None
    quarantined_files: int
    anomalies: DetectionStatus
    scores: tuple[HorizonScoreDocument, ...]
    input_drift: dict[str, float]
    database: str | None = None
    storage: StorageStatus | None = None
    hung_jobs: tuple[HungJob, ...] | None = None
    version: str | None = None
    high_load: bool | None = None
    high_load_since: float | None = None
    samples_missed: int | None = None
    reload_successful: bool | None = None
    inputs_out_of_range: tuple[OutOfRangeInput, ...] | None = None
    quarantined_models: tuple[QuarantinedModel, ...] = ()
    damaged_rows: dict[str, int] = field(default_factory=dict)
    in_maintenance: bool = False
    maintenance: tuple[MaintenanceDocument, ...] = ()
    notifications: tuple[ChannelStatus, ...] = ()
    capacity: CapacityDocument | None = None


def status_document(overview: Overview, database: str | None = None) -> StatusDocument:
    """Convert a stored state to its JSON document.

    Args:
        overview: the stored state.
        database: URL of the database without credentials.
    """
    detection = overview.detection
    predictions = overview.fresh_predictions
    return StatusDocument(
        at=overview.at,
        interval=overview.interval,
        daemon_running=overview.daemon_running,
        sampling=overview.sampling,
        last_sample=overview.last_sample,
        oldest_sample_at=overview.oldest_sample_at,
        future_sample_at=overview.future_at,
        history=HistoryCoverage(overview.covered, overview.needed),
        waiting_for=overview.waiting_for,
        predictions=tuple(map(prediction_summary, predictions)),
        predictions_outdated=bool(overview.predictions) and not predictions,
        model=None if overview.model is None else model_summary(overview.model),
        fallbacks=overview.fallbacks,
        last_training=None if overview.last_run is None else run_summary(overview.last_run),
        retrain=RetrainStatus(
            running=overview.retrain_running,
            next_at=overview.next_retrain_at,
            last_success_at=None if overview.last_success is None else overview.last_success.finished_at,
            runs=overview.runs,
        ),
        storage_bytes=overview.storage_bytes,
        wal_bytes=overview.wal_bytes,
        storage_free_bytes=overview.storage_free_bytes,
        quarantined_files=overview.quarantined_files,
        anomalies=DetectionStatus(
            detecting=detection.detecting,
            waiting_for=detection.waiting_for,
            active=None if detection.active is None else anomaly_document(detection.active),
            last_30_days=detection.recent,
            allowed_in_30_days=detection.allowed,
            scores_from=detection.scores_from,
        ),
        scores=tuple(map(score_document, overview.scores)),
        input_drift=overview.drift,
        database=database,
        high_load=overview.high_load_since is not None if predictions else None,
        high_load_since=overview.high_load_since,
        inputs_out_of_range=out_of_range_inputs(overview.inputs_out_of_range) if predictions else None,
        quarantined_models=overview.quarantined_models,
        damaged_rows=overview.damaged_rows,
        in_maintenance=overview.in_maintenance,
        notifications=tuple(map(channel_status, overview.channels)),
        maintenance=tuple(
            maintenance_document(window) for window in overview.maintenance if window.ends_at > overview.at
        ),
    )


def daemon_status_document(state: DaemonState, now: float) -> StatusDocument | None:
    """Convert the daemon's state to its JSON document; live sample and predictions replace the stored values.

    Args:
        state: state of the daemon.
        now: seconds since the epoch.

    Returns:
        The document; None before the state has been read from the database for the first time.
    """
    overview, live = state.overview, state.live
    if overview is None:
        return None
    if live is not None:
        predictions = live.forecast.predictions if live.forecast else ()
        overview = replace(overview, at=now, last_sample=live.sample, predictions=predictions)
    return replace(
        status_document(overview),
        storage=storage_status(state.storage),
        hung_jobs=hung_jobs(state.jobs),
        version=state.version,
        high_load=None if live is None else live.high_load,
        high_load_since=None if live is None else live.high_load_since,
        samples_missed=None if live is None else live.samples_missed,
        reload_successful=state.reload_successful,
        inputs_out_of_range=_inputs_out_of_range(live),
        capacity=None if state.capacity is None else capacity_document(state.capacity),
    )


def _inputs_out_of_range(live: LiveState | None) -> tuple[OutOfRangeInput, ...] | None:
    """Return the metrics outside their training range; None if there is no prediction."""
    if live is None or live.forecast is None:
        return None
    return out_of_range_inputs(live.forecast.inputs_out_of_range)
