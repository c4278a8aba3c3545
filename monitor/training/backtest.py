"""Backtest of a trace: training, gate and predictions as in the daemon, without a database."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from model.anomaly.backtest import AnomalyBacktest, backtest_detector
from model.errors import NotEnoughHistoryError
from model.features.dataset import covered_seconds, typical_step
from model.training.backtest import backtest
from model.training.backtest_result import BacktestResult
from model.training.settings import BacktestConfig
from monitor.config.loader import Config
from monitor.errors import MonitorError, NotEnoughDataError, RefusedError
from monitor.sampling.trace_reader import Trace
from monitor.training.retrain import gate_of, training_task

TRAINING_RATIO = 0.6
"""Default fraction of the rows that the first model is trained on."""

HEADER = "timestamp,horizon,probability,warning,anomaly_score\n"


def backtest_forecasts(trace: Trace, config: Config, until: float | None, *, retrain: bool) -> BacktestResult:
    """Train on the first part of a trace and replay the rest as the daemon would.

    Args:
        trace: samples to replay.
        config: configuration of forecasting task, training and gate.
        until: end of the first part in seconds since the epoch; None for 60 % of the rows.
        retrain: True to retrain at every training interval, as the daemon does.

    Raises:
        MonitorError: the trace lacks a metric of the high-load rules.
        NotEnoughDataError: no model could be trained, for example because the trace is too short.
        RefusedError: no model could serve, and the gate refused the last candidate.
    """
    missing = {metric for rule in config.high_load.rules for metric, _ in rule} - set(trace.columns)
    if missing:
        raise MonitorError(f"the trace has no {', '.join(sorted(missing))}, which high_load.rules use")
    if until is None:
        until = float(trace.times[int(len(trace.times) * TRAINING_RATIO)]) if len(trace.times) else 0.0
    training = config.training
    settings = BacktestConfig(
        until, training.interval if retrain else None, training.history, gate_of(config), training.seed
    )
    result = backtest(trace.times, trace.values, trace.columns, training_task(config), training.recipe, settings)
    if np.isnan(result.probabilities).all():
        last = result.attempts[-1]
        message = f"no model could serve: {last.refusal}"
        raise RefusedError(message) if last.by_gate else NotEnoughDataError(message)
    return result


def backtest_anomalies(trace: Trace, config: Config, until: float, *, retrain: bool) -> AnomalyBacktest | None:
    """Train a detector on the first part of a trace and replay the rest.

    Args:
        trace: samples to replay.
        config: configuration of anomaly detection, sampling and training interval.
        until: end of the first part in seconds since the epoch.
        retrain: True to retrain at every training interval, as the daemon does.

    Returns:
        Anomaly scores and events of the rest; None if anomaly detection is disabled, or if no detector can be fitted
        on the first part.
    """
    first_part = trace.times[trace.times < until]
    step = typical_step(trace.times, config.sampling.interval)
    if not config.anomaly.enabled or covered_seconds(first_part, step) < config.anomaly.min_history:
        return None
    interval = config.training.interval if retrain else None
    allowed = config.anomaly.false_alarms_per_month
    try:
        return backtest_detector(trace.times, trace.values, trace.columns, until, interval, allowed)
    except NotEnoughHistoryError:
        return None


def prediction_lines(result: BacktestResult, anomalies: AnomalyBacktest | None) -> Iterator[str]:
    """Yield CSV lines: the header, then one line per prediction, with the anomaly score of its row."""
    yield HEADER
    scores = np.full(len(result.times), np.nan) if anomalies is None else anomalies.scores
    score_texts = ["" if math.isnan(score) else f"{score:.6g}" for score in scores.tolist()]
    rows = zip(result.times, result.probabilities, result.warnings, score_texts, strict=True)
    for at, probabilities, warnings, score in rows:
        predictions = zip(result.horizons, probabilities.tolist(), warnings.tolist(), strict=True)
        for horizon, probability, warning in predictions:
            if not math.isnan(probability):
                yield f"{at:.15g},{horizon:g},{probability:.6g},{warning:g},{score}\n"
