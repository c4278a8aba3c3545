"""Anomaly panels of the host dashboard."""

from __future__ import annotations

from dashboards.panels import (
    GREEN,
    ORANGE,
    RATIO,
    RED,
    Json,
    Query,
    dashed_line,
    metric,
    stat,
    threshold_steps,
    time_series,
)


def anomalies() -> list[Json]:
    """Return the panels on scores, attributions and events of the anomaly detector."""
    return [
        time_series(
            "Score over threshold",
            "Score over alarm threshold per channel: several metrics together or one for hours (joint), a sudden "
            "jump of one (spike), unchanged values (flatline). An anomaly starts at 1.",
            [Query(metric("anomaly_evidence_ratio"), "{{channel}}")],
            "none",
            width=7,
            min=0,
            thresholds=threshold_steps("transparent", (1, RED)),
            reach=1.1,
        ),
        time_series(
            "Contribution of each metric",
            "Contributions to the anomaly score. Meaningful while the score is high; otherwise noise.",
            [Query(metric("anomaly_contribution"), "{{metric}}")],
            "percentunit",
            width=7,
            stack="normal",
            fill=50,
            **RATIO,
        ),
        time_series(
            "Score",
            "1 minus the probability that six normal hours reach this score. It ranks times; the channels raise "
            "alarms.",
            [Query(metric("anomaly_score"), "score")],
            "none",
            width=5,
            **RATIO,
        ),
        time_series(
            "Alarms in 30 days",
            "Anomaly events of the last 30 days without the verdict incident, and the false-alarm budget.",
            [
                Query(metric("anomaly_alarms_per_month"), "alarms"),
                Query(metric("anomaly_allowed_per_month"), "budget"),
            ],
            "none",
            width=5,
            min=0,
            step=True,
            overrides=[dashed_line("budget", ORANGE)],
        ),
        stat(
            "Started",
            "Start of the anomaly in progress.",
            Query(f"{metric('anomaly_started_timestamp_seconds')} * 1000 and {metric('anomaly_active')} == 1"),
            "dateTimeFromNow",
            width=6,
            noValue="none in progress",
        ),
        stat(
            "Events in range",
            "Anomaly events that started in the time range of the dashboard.",
            Query(f"round(increase({metric('anomaly_events_total')}[$__range]))"),
            width=6,
            decimals=0,
        ),
        stat(
            "Events in total",
            "Anomaly events in the database; `monitor anomalies list` shows them.",
            Query(metric("anomaly_events_total")),
            width=6,
            decimals=0,
        ),
        stat(
            "Last score",
            "Time since the last score. A few minutes are normal, as the detector uses whole minutes.",
            Query("time() - " + metric("anomaly_timestamp_seconds")),
            "s",
            width=6,
            decimals=0,
            thresholds=threshold_steps(GREEN, (900, ORANGE), (3600, RED)),
            noValue="no detector",
        ),
    ]
