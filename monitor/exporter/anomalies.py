"""Anomaly metrics: event counts, false-alarm budget, anomaly in progress and newest scores."""

from __future__ import annotations

import math
from collections.abc import Iterator

from prometheus_client.core import Metric

from model.anomaly.events import DetectorReading
from monitor.exporter.family_builders import counter, gauge, labelled_gauge
from monitor.state import AnomalyState


def anomaly_metrics(state: AnomalyState | None) -> Iterator[Metric]:
    """Yield event counts, false-alarm budget, event state and newest scores; nothing if `state` is None."""
    if state is None:
        return
    yield gauge(
        "anomaly_active", "Anomaly state: 1 while an anomaly is in progress, else 0.", state.active is not None
    )
    yield counter(
        "anomaly_events",
        "Number of anomaly events, counted from the database; kept across restarts.",
        state.events,
    )
    yield gauge(
        "anomaly_alarms_per_month",
        "Number of anomaly events of the last 30 days that are not confirmed as incidents.",
        state.unconfirmed,
    )
    yield gauge(
        "anomaly_allowed_per_month",
        "False-alarm budget of the detector, in alarms per 30 days.",
        state.allowed,
    )
    yield gauge(
        "anomaly_maintenance",
        "Maintenance state: 1 while a maintenance window suppresses anomaly events, else 0.",
        state.in_maintenance,
    )
    if state.active is not None:
        yield gauge(
            "anomaly_started_timestamp_seconds",
            "Start time of the anomaly in progress, in seconds since the epoch.",
            state.active.started_at,
        )
    if state.reading is not None:
        yield from _reading_metrics(state.metrics, state.reading)


def _reading_metrics(metrics: tuple[str, ...], reading: DetectorReading) -> Iterator[Metric]:
    yield gauge(
        "anomaly_timestamp_seconds", "Time of the newest anomaly score, in seconds since the epoch.", reading.at
    )
    if not math.isnan(reading.score):
        yield gauge(
            "anomaly_score",
            "Anomaly score from 0 to 1: 1 - probability that six normal hours yield as much evidence.",
            reading.score,
        )
    yield labelled_gauge(
        "anomaly_evidence_ratio",
        "Evidence of each channel over its alarm threshold, as a ratio; an anomaly starts at 1.",
        ["channel"],
        [((channel,), ratio) for channel, ratio in reading.threshold_ratios.items()],
    )
    contributions = zip(metrics, reading.contributions.tolist(), strict=True)
    yield labelled_gauge(
        "anomaly_contribution",
        "Contribution of each metric to the evidence of an anomaly, as ratios that sum to 1.",
        ["metric"],
        [((metric,), contribution) for metric, contribution in contributions],
    )
