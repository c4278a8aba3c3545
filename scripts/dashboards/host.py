"""Dashboard of the host: load, predictions and anomalies."""

from __future__ import annotations

import json
from collections.abc import Sequence

from dashboards.page import Page
from dashboards.panels import (
    BASE_RATE,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PREDICTOR,
    PURPLE,
    RATIO,
    RED,
    REPEATED,
    WIDTH,
    Json,
    Query,
    bar_gauge,
    column,
    dashed_line,
    fixed_color,
    metric,
    override,
    per_horizon,
    stat,
    state_timeline,
    table,
    threshold_steps,
    time_series,
    value_mappings,
)
from monitor.sampling.metric_catalog import HOST_METRICS, Unit

BUSY = threshold_steps(GREEN, (0.7, ORANGE), (0.85, RED))
GRAFANA_UNITS = {Unit.RATIO: "percentunit", Unit.BYTES_PER_SECOND: "Bps", Unit.PER_SECOND: "cps"}
ABSENT = "Empty where the host lacks the metric, or where `web.host_metrics` is false."


def host() -> Page:
    """Return the dashboard of host metrics, predictions and anomalies."""
    this = 'horizon=~"$horizon"'
    now = [
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
    predictions = [
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
    probability = [
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
    anomalies = [
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
    host_metrics = [
        time_series(
            "CPU",
            "Shares of CPU time: busy, I/O wait, and stolen by the hypervisor. " + ABSENT,
            [
                Query(metric("host_cpu_usage_ratio") + " - " + metric("host_cpu_steal_ratio"), "busy"),
                Query(metric("host_cpu_iowait_ratio"), "I/O wait"),
                Query(metric("host_cpu_steal_ratio"), "stolen"),
            ],
            "percentunit",
            stack="normal",
            **RATIO,
        ),
        time_series(
            "Load per CPU",
            "1-minute load average over the number of CPUs. " + ABSENT,
            [Query(metric("host_load_per_cpu_ratio"), "load per CPU")],
            "none",
            min=0,
            thresholds=threshold_steps("transparent", (1, ORANGE)),
            reach=1.1,
        ),
        time_series(
            "Pressure",
            "Share of time in which some task waited for CPU, memory or I/O (Linux PSI). " + ABSENT,
            [
                Query(metric("host_pressure_cpu_ratio"), "CPU"),
                Query(metric("host_pressure_memory_ratio"), "memory"),
                Query(metric("host_pressure_io_ratio"), "I/O"),
            ],
            "percentunit",
            min=0,
        ),
        time_series(
            "Memory and swap",
            "Shares of unavailable memory and of used swap space. " + ABSENT,
            [Query(metric("host_memory_usage_ratio"), "memory"), Query(metric("host_swap_usage_ratio"), "swap")],
            "percentunit",
            **RATIO,
        ),
        time_series(
            "Disk throughput",
            "Bytes read from all physical disks, and written (negative). " + ABSENT,
            [
                Query(metric("host_disk_read_bytes_per_second"), "read"),
                Query(metric("host_disk_write_bytes_per_second"), "written"),
            ],
            "Bps",
            fill=10,
            overrides=[override("written", custom__transform="negative-Y")],
        ),
        time_series(
            "Busiest disk",
            "Share of time in which the busiest disk was busy. " + ABSENT,
            [Query(metric("host_disk_busy_ratio"), "busy")],
            "percentunit",
            **RATIO,
        ),
        time_series(
            "Network throughput",
            "Bytes received over all counted interfaces, and transmitted (negative). " + ABSENT,
            [
                Query(metric("host_network_receive_bytes_per_second"), "received"),
                Query(metric("host_network_transmit_bytes_per_second"), "transmitted"),
            ],
            "Bps",
            fill=10,
            overrides=[override("transmitted", custom__transform="negative-Y")],
        ),
        time_series(
            "Busiest interface",
            "Busier direction of the busiest interface over its link speed. " + ABSENT,
            [Query(metric("host_network_usage_ratio"), "in use")],
            "percentunit",
            **RATIO,
        ),
        time_series(
            "Network errors",
            "Errors and drops over all counted interfaces. " + ABSENT,
            [Query(metric("host_network_errors_per_second"), "errors and drops")],
            "cps",
            min=0,
        ),
    ]
    host_metrics += _remaining_metrics([*now, *host_metrics])
    return Page(
        "host",
        "monitor / Host",
        "Host metrics, probability of high load, and anomalies.",
        "now-6h",
        "30s",
        [
            ("", [*now, *predictions]),
            ("Probability of high load", probability),
            ("Anomalies", anomalies),
            ("Host metrics", host_metrics),
        ],
    )


def _remaining_metrics(panels: Sequence[Json]) -> list[Json]:
    """Return a panel for each metric of the catalogue that no panel shows."""
    shown = json.dumps(panels)
    return [
        time_series(
            row.label[:1].upper() + row.label[1:],
            f"{row.description} {ABSENT}",
            [Query(metric(row.prometheus_name), row.label)],
            GRAFANA_UNITS[row.unit],
            min=0,
        )
        for row in HOST_METRICS
        if f"monitor_{row.prometheus_name}{{" not in shown
    ]
