"""Dashboard of the host: load, predictions and anomalies."""

from __future__ import annotations

from dashboards.host_anomalies import anomalies
from dashboards.host_metrics import host_metrics
from dashboards.page import Page
from dashboards.panels import (
    ABSENT,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    RATIO,
    RED,
    REPEATED,
    WIDTH,
    Json,
    Query,
    bar_gauge,
    dashed_line,
    fixed_color,
    metric,
    override,
    per_horizon,
    stat,
    state_timeline,
    threshold_steps,
    time_series,
    value_mappings,
)
from dashboards.tables import BASE_RATE, PREDICTOR, column, table

BUSY = threshold_steps(GREEN, (0.7, ORANGE), (0.85, RED))


def host() -> Page:
    """Return the dashboard of host metrics, predictions and anomalies."""
    overview = _overview()
    return Page(
        "host",
        "monitor / Host",
        "Host metrics, probability of high load, and anomalies.",
        "now-6h",
        "30s",
        [
            ("", [*overview, *_predictions()]),
            ("Probability of high load", _probability()),
            ("Anomalies", anomalies()),
            ("Host metrics", host_metrics(overview)),
        ],
    )


def _overview() -> list[Json]:
    """Return the panels of present values."""
    return [
        stat(
            "High load",
            "1 while a rule of `high_load.rules` has held for `high_load.sustained`.",
            Query(metric("high_load_active")),
            mappings=value_mappings((0, "normal", GREEN), (1, "HIGH", RED)),
        ),
        stat(
            "Warnings",
            "Number of horizons with a warning.",
            Query(f"sum({metric('high_load_warning')})"),
            thresholds=threshold_steps(GREEN, (1, ORANGE)),
            mappings=value_mappings((0, "none", GREEN)),
        ),
        stat(
            "Anomaly",
            "State of the anomaly detector, which needs three days of history.",
            Query(metric("anomaly_active")),
            mappings=value_mappings((0, "none", GREEN), (1, "ANOMALY", PURPLE)),
            noValue="no detector",
        ),
        stat(
            "Model",
            "A model of this host, or the pretrained model, which was trained on other hosts.",
            Query(metric("model_prior")),
            mappings=value_mappings((0, "own", GREEN), (1, "pretrained", BLUE)),
            noValue="none",
        ),
        stat(
            "CPU",
            "Busy share of all CPUs, without I/O wait. " + ABSENT,
            Query(metric("host_cpu_usage_ratio")),
            "percentunit",
            thresholds=BUSY,
            decimals=0,
        ),
        stat(
            "Load per CPU",
            "1-minute load average over the number of CPUs. Above 1, tasks wait. " + ABSENT,
            Query(metric("host_load_per_cpu_ratio")),
            thresholds=threshold_steps(GREEN, (1, ORANGE), (2, RED)),
            decimals=2,
        ),
        stat(
            "Memory",
            "Share of unavailable memory. " + ABSENT,
            Query(metric("host_memory_usage_ratio")),
            "percentunit",
            thresholds=threshold_steps(GREEN, (0.8, ORANGE), (0.95, RED)),
            decimals=0,
        ),
        stat(
            "Last sample",
            "Time since the last sample. Far above `sampling.interval` (5 s by default), sampling has stopped.",
            Query("time() - " + metric("last_sample_timestamp_seconds")),
            "s",
            thresholds=threshold_steps(GREEN, (60, ORANGE), (300, RED)),
            decimals=0,
            noValue="down",
        ),
    ]


def _predictions() -> list[Json]:
    """Return the table of predictions and the timeline of states."""
    states = [
        Query(metric("high_load_active"), "high load"),
        Query(metric("high_load_warning"), "warning {{horizon}}"),
        Query(metric("anomaly_active"), "anomaly"),
        Query(metric("anomaly_maintenance"), "maintenance"),
    ]
    quiet = "rgba(128, 128, 128, 0.2)"
    warning = column(
        "warning",
        per_horizon("high_load_warning"),
        mappings=value_mappings((0, "no", "text"), (1, "WARNING", ORANGE)),
        custom__cellOptions={"type": "color-background", "mode": "basic"},
    )
    return [
        table(
            "Predictions",
            "Probability of high load within each horizon, base rate, warning threshold (100 %: no warnings), and "
            "the serving predictor: the model, or a fallback baseline.",
            [
                column("probability", per_horizon("high_load_probability"), "percentunit", decimals=1),
                BASE_RATE,
                column("threshold", per_horizon("high_load_warning_threshold"), "percentunit", decimals=1),
                warning,
                column("served by", PREDICTOR),
            ],
            10,
            7,
        ),
        state_timeline(
            "States",
            "High load, warnings per horizon, anomalies, and maintenance windows, in which no anomaly is reported.",
            states,
            14,
            7,
            mappings=value_mappings((0, "no", quiet), (1, "yes", RED)),
            overrides=[
                override("/^warning/", mappings=value_mappings((0, "no", quiet), (1, "warning", ORANGE))),
                override("anomaly", mappings=value_mappings((0, "no", quiet), (1, "anomaly", PURPLE))),
                override("maintenance", mappings=value_mappings((0, "no", quiet), (1, "maintenance", BLUE))),
            ],
        ),
    ]


def _probability() -> list[Json]:
    """Return the panels of probabilities and attributions, which Grafana repeats per horizon."""
    this = 'horizon=~"$horizon"'
    return [
        time_series(
            "High load within $horizon",
            "Probability, base rate and warning threshold, which is lower during a warning; 100 % means no "
            "warnings. The red area is high load: the line should rise before it.",
            [
                Query(metric("high_load_probability", this), "probability"),
                Query(metric("high_load_baseline_probability", this), "base rate"),
                Query(metric("high_load_warning_threshold", this), "threshold"),
                Query(metric("high_load_active"), "high load"),
            ],
            "percentunit",
            width=WIDTH,
            overrides=[
                override("probability", color=fixed_color(BLUE), custom__lineWidth=2),
                dashed_line("base rate", GREY),
                dashed_line("threshold", ORANGE),
                override(
                    "high load",
                    color=fixed_color(RED),
                    custom__fillOpacity=15,
                    custom__lineWidth=0,
                    custom__lineInterpolation="stepAfter",
                ),
            ],
            **RATIO,
            **REPEATED,
        ),
        bar_gauge(
            "Attributions, $horizon",
            "The eight largest contributions to the log-odds, relative to the base rate. Above 0 raises the "
            "probability, below 0 lowers it. `level` is the difference of an average time from the base rate.",
            Query(
                f"sort_desc({metric('high_load_contribution', this)} "
                f"and topk(8, abs({metric('high_load_contribution', this)})))",
                "{{metric}}",
            ),
            "none",
            (WIDTH, 7),
            decimals=2,
            thresholds=threshold_steps(GREEN, (0, ORANGE)),
            **REPEATED,
        ),
    ]
