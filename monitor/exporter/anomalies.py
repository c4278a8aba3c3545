"""What the metrics page tells of anomalies."""

from __future__ import annotations

import math
from collections.abc import Iterator

from prometheus_client.core import Metric

from monitor.exporter.metric_families import counter, gauge, labelled
from monitor.state import AnomalyState


def of_anomalies(state: AnomalyState | None) -> Iterator[Metric]:
    """All of it; nothing while no detector serves."""
    if state is None:
        return
    yield gauge("anomaly_active", "Whether an anomaly goes on.", state.active is not None)
    yield counter("anomaly_events", "Anomalies seen, over all starts.", state.events)
    yield gauge(
        "anomaly_alarms_per_month",
        "Anomalies that began in the last 30 days and were not called incidents.",
        state.unconfirmed,
    )
    yield gauge(
        "anomaly_allowed_per_month", "False alarms in 30 days that the thresholds are made for.", state.allowed
    )
    yield gauge("anomaly_maintenance", "Whether nothing is called an anomaly now.", state.in_maintenance)
    if state.active is not None:
        yield gauge("anomaly_started_timestamp_seconds", "When the anomaly began.", state.active.started_at)
    reading = state.reading
    if reading is None:
        return
    yield gauge("anomaly_timestamp_seconds", "Time of the last score.", reading.at)
    if not math.isnan(reading.score):
        yield gauge(
            "anomaly_score",
            "1 - probability that six ordinary hours bring as much evidence of an anomaly.",
            reading.score,
        )
    yield labelled(
        "anomaly_evidence_ratio",
        "How near each kind of evidence comes to an alarm (1: it is one).",
        ["channel"],
        [((channel,), ratio) for channel, ratio in reading.threshold_ratios.items()],
    )
    yield labelled(
        "anomaly_contribution",
        "Share of each metric in the evidence; they add up to 1.",
        ["metric"],
        [((name,), share) for name, share in zip(state.metrics, reading.contributions.tolist(), strict=True)],
    )
