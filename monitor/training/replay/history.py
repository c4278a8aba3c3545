"""History replay: predictions and anomalies for stored history, after a training run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.anomaly.backtest import TRAINING_WINDOW
from model.array_types import Floats
from model.errors import ModelError
from model.features.dataset import typical_step
from model.features.rows import Rows
from model.training.holdout_replay import ReplayModel
from model.units import DAY
from monitor.config.loader import Config
from monitor.errors import MonitorError
from monitor.stores import Stores
from monitor.system.logging import get_logger
from monitor.system.processes import deadline
from monitor.training.bootstrap_model import pretrained_predictor
from monitor.training.records import read_active_model
from monitor.training.replay.anomalies import replay_anomalies
from monitor.training.replay.predictions import (
    LIVE_WIDTH,
    SampleHistory,
    has_predictions,
    has_rule_metric,
    replay_predictions,
)
from storage import SampleSnapshot, StorageError

REPLAY_RANGE = 30 * DAY
"""Largest length in seconds of the replayed history: the longest period that the page shows."""

LEAD = 10 * DAY
"""Seconds of samples before the replayed ones that features and gaps may need in addition."""

log = get_logger(__name__)


@dataclass(frozen=True)
class ReplayTask:
    """History to replay after a training run.

    Attributes:
        history: samples that the run trained on.
        models: one model per part of the holdout; empty if no candidate was promoted.
        detects: True to replay anomalies.
    """

    history: SampleHistory
    models: tuple[ReplayModel, ...]
    detects: bool


def replayed_part(times: Floats, values: Rows, now: float) -> SampleHistory:
    """Return the samples that a replay needs: those replayed, and those that its detectors are fitted on.

    The other samples of a long history are not kept in memory.
    """
    if not isinstance(values, SampleSnapshot):
        return SampleHistory(times, values)
    newest = values.since(int(np.searchsorted(times, now - REPLAY_RANGE - TRAINING_WINDOW - LEAD)))
    return SampleHistory(newest.times, newest)


@dataclass(frozen=True)
class ReplaySummary:
    """Numbers of predictions and anomalies stored by a replay."""

    predictions: int
    anomalies: int


def replay_history(
    stores: Stores, config: Config, task: ReplayTask, now: float, seconds: float
) -> ReplaySummary | None:
    """Store predictions and anomalies for the part of the history without live predictions.

    A failure is logged and not raised, because the training run is complete.

    Args:
        stores: repositories.
        config: configuration.
        task: history and models to replay.
        now: seconds since the epoch.
        seconds: time limit in seconds.

    Returns:
        Numbers of stored predictions and anomalies; None if the replay failed. Results stored before the failure are
        kept.
    """
    try:
        with deadline(seconds, "training.timeout has passed"):
            return _replay(stores, config, task, now - REPLAY_RANGE)
    except (MonitorError, ModelError, StorageError, MemoryError) as error:
        log.warning("history replay failed", error=error)
        return None


def _replay(stores: Stores, config: Config, task: ReplayTask, since: float) -> ReplaySummary:
    active = read_active_model(stores)
    if active is None:
        return ReplaySummary(predictions=0, anomalies=0)
    models = task.models
    if not models and active.pretrained:
        models = _pretrained(stores, config, task.history, since)
    predictions = replay_predictions(stores, models, task.history, active.id, since)
    anomalies = 0
    if task.detects and stores.registry.detector(active.id) is not None:
        anomalies = replay_anomalies(stores, config, task.history, active.id, since)
    return ReplaySummary(predictions, anomalies)


def _pretrained(stores: Stores, config: Config, history: SampleHistory, since: float) -> tuple[ReplayModel, ...]:
    """Return a tuple with the pretrained model as the model to replay, or an empty tuple.

    The replay starts at the first sample with a rule metric that has no live or replayed prediction. The result is
    empty if there is no such sample, or if the pretrained model does not support the task. The replay has no
    look-ahead bias, because the pretrained model was trained on other hosts.
    """
    predictor = pretrained_predictor(config, typical_step(history.times, config.sampling.interval))
    if predictor is None:
        return ()
    missing = (history.times >= since) & has_rule_metric(predictor, history.values)
    for predictions in (stores.predictions, stores.replayed_predictions):
        missing &= ~has_predictions(predictions, history.times, since, LIVE_WIDTH)
    return (ReplayModel(float(history.times[missing][0]), predictor),) if missing.any() else ()
