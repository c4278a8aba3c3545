"""Replayed anomalies: events in stored history, from detectors fitted on earlier samples."""

from __future__ import annotations

import numpy as np

from model.anomaly.backtest import TRAINING_WINDOW, backtest_detector
from model.anomaly.events import AnomalyEvent
from model.array_types import Floats
from model.errors import NotEnoughHistoryError
from model.features.dataset import typical_step
from model.features.rows import rows_between
from model.features.spacing import GAP_FACTOR
from model.units import HOUR
from monitor.config.loader import Config
from monitor.stores import Stores
from monitor.training.exclusions import excluded_from_training
from monitor.training.replay.predictions import SampleHistory, has_predictions
from storage import SAMPLE_FIELDS, AnomalyRecord

LIVE_WIDTH = HOUR
"""Length in seconds of a time bucket; a bucket with a live prediction gets no replayed anomaly."""


def replay_anomalies(stores: Stores, config: Config, history: SampleHistory, model_id: int, since: float) -> int:
    """Detect anomalies in the history without live predictions; replace the replayed anomalies stored for it.

    As in a backtest, each detector is fitted on the samples before its part of the history. Times within an incident
    or a maintenance window are left out.

    Args:
        stores: repositories.
        config: configuration of anomaly detection and of the training interval.
        history: samples to replay.
        model_id: ID of the registered model that the anomalies are stored with.
        since: seconds since the epoch; nothing earlier is replayed.

    Returns:
        The number of anomalies stored.

    Raises:
        StorageError: the database cannot be read or written.
    """
    times = history.times
    start = max(since, _start_of_detection(times, config))
    live = has_predictions(stores.predictions, times, start, LIVE_WIDTH)
    replayed = np.flatnonzero((times >= start) & ~live)
    if not len(replayed):
        return 0
    start = float(times[replayed[0]])
    end = float(times[replayed[-1]])
    # Earlier samples are part of no detector.
    oldest = float(times[max(0, replayed[0] - 1)]) - TRAINING_WINDOW - HOUR
    part = slice(int(np.searchsorted(times, oldest)), int(replayed[-1]) + 1)
    excluded = excluded_from_training(stores, config.anomaly.maintenance, times[part], end)
    values = rows_between(history.values, part.start, part.stop)
    interval = config.training.interval
    allowed = config.anomaly.false_alarms_per_month
    try:
        result = backtest_detector(times[part], values, SAMPLE_FIELDS, start, interval, allowed, excluded)
    except NotEnoughHistoryError:
        return 0
    started = np.searchsorted(times, [event.started_at for event in result.events])
    events = [event for event, row in zip(result.events, started.tolist(), strict=True) if not live[row]]
    return stores.anomalies.replace_replayed(start, end, [_record(event, model_id) for event in events])


def _start_of_detection(times: Floats, config: Config) -> float:
    """Return the first of `times` (rows,) at which the samples cover `anomaly.min_history`; inf if there is none."""
    step = typical_step(times, config.sampling.interval)
    elapsed = np.diff(times, prepend=times[0] - step)
    covered = np.cumsum(np.where(elapsed > GAP_FACTOR * step, step, elapsed))
    row = int(np.searchsorted(covered, config.anomaly.min_history))
    return float(times[row]) if row < len(times) else np.inf


def _record(event: AnomalyEvent, model_id: int) -> AnomalyRecord:
    """Return the record of a replayed event; an event in progress at the end of the replay ends there."""
    return AnomalyRecord(
        started_at=event.started_at,
        ended_at=event.ended_at,
        peak=event.peak,
        peak_at=event.peak_at,
        channel=event.channel,
        contributions=event.contributions,
        model_id=model_id,
        replayed=True,
    )
