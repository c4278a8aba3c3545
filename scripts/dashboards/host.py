"""The host: what it does, what is foreseen, and what is strange."""

from __future__ import annotations

from dashboards.parts import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PREDICTOR,
    PURPLE,
    RATIO,
    RED,
    REPEATED,
    USUAL,
    WIDTH,
    Page,
    Query,
    bars,
    column,
    dashed,
    fixed,
    lines,
    look,
    metric,
    per_horizon,
    stat,
    steps,
    table,
    timeline,
    words,
)

BUSY = steps(GREEN, (0.7, ORANGE), (0.85, RED))
ABSENT = "Empty where the host has no such figure, or where `web.host_metrics` is false."


def host() -> Page:
    """What the host does, what is foreseen, and what is strange."""
    this = 'horizon=~"$horizon"'
    now = [
        stat(
            "High load",
            "Whether high load holds now: the rules of `high_load.rules`, for as long as `high_load.sustained` says.",
            Query(metric("high_load_active")),
            mappings=words((0, "calm", GREEN), (1, "HIGH", RED)),
        ),
        stat(
            "Warnings",
            "For how many horizons the probability of high load is a warning now.",
            Query(f"sum({metric('high_load_warning')})"),
            thresholds=steps(GREEN, (1, ORANGE)),
            mappings=words((0, "none", GREEN)),
        ),
        stat(
            "Anomaly",
            "Whether the host does what it never does. Nothing is said before there are three days of history.",
            Query(metric("anomaly_active")),
            mappings=words((0, "none", GREEN), (1, "ANOMALY", PURPLE)),
            noValue="not watched for",
        ),
        stat(
            "Model",
            "Whether a model of this host serves, or the shipped prior, which has learned nothing of it.",
            Query(metric("model_prior")),
            mappings=words((0, "its own", GREEN), (1, "prior", BLUE)),
            noValue="none",
        ),
        stat(
            "CPU",
            "Share of all CPUs that is busy, waiting for I/O not counted. " + ABSENT,
            Query(metric("host_cpu_usage_ratio")),
            "percentunit",
            thresholds=BUSY,
            decimals=0,
        ),
        stat(
            "Load per CPU",
            "Load average of one minute over the number of CPUs. Above 1 something waits. " + ABSENT,
            Query(metric("host_load_per_cpu_ratio")),
            thresholds=steps(GREEN, (1, ORANGE), (2, RED)),
            decimals=2,
        ),
        stat(
            "Memory",
            "Share of the memory that is not available. " + ABSENT,
            Query(metric("host_memory_usage_ratio")),
            "percentunit",
            thresholds=steps(GREEN, (0.8, ORANGE), (0.95, RED)),
            decimals=0,
        ),
        stat(
            "Last sample",
            "Time since the last sample. Much more than `sampling.interval`, 5 s by default, means that sampling "
            "stands.",
            Query("time() - " + metric("last_sample_timestamp_seconds")),
            "s",
            thresholds=steps(GREEN, (60, ORANGE), (300, RED)),
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
    warned = column(
        "warning",
        per_horizon("high_load_warning"),
        mappings=words((0, "no", "text"), (1, "WARNING", ORANGE)),
        custom__cellOptions={"type": "color-background", "mode": "basic"},
    )
    expected = [
        table(
            "Expected",
            "How probable high load is within each horizon, how often it usually follows, from which probability on "
            "there is a warning (100 %: never), and who says so: the model, or a baseline that was better of late.",
            [
                column("probability", per_horizon("high_load_probability"), "percentunit", decimals=1),
                USUAL,
                column("warns at", per_horizon("high_load_warning_threshold"), "percentunit", decimals=1),
                warned,
                column("served by", PREDICTOR),
            ],
            10,
            7,
        ),
        timeline(
            "States",
            "When there was high load, a warning for each horizon, an anomaly, and maintenance, in which nothing is "
            "called an anomaly.",
            states,
            14,
            7,
            mappings=words((0, "no", quiet), (1, "yes", RED)),
            overrides=[
                look("/^warning/", mappings=words((0, "no", quiet), (1, "warning", ORANGE))),
                look("anomaly", mappings=words((0, "no", quiet), (1, "anomaly", PURPLE))),
                look("maintenance", mappings=words((0, "no", quiet), (1, "maintenance", BLUE))),
            ],
        ),
    ]
    probability = [
        lines(
            "High load within $horizon",
            "The probability beside how often high load usually follows and the threshold of a warning, which is "
            "lower while one stands; 100 % never warns. The red area is high load itself: the line should rise "
            "before it.",
            [
                Query(metric("high_load_probability", this), "probability"),
                Query(metric("high_load_baseline_probability", this), "usual"),
                Query(metric("high_load_warning_threshold", this), "warns at"),
                Query(metric("high_load_active"), "high load"),
            ],
            "percentunit",
            width=WIDTH,
            overrides=[
                look("probability", color=fixed(BLUE), custom__lineWidth=2),
                dashed("usual", GREY),
                dashed("warns at", ORANGE),
                look(
                    "high load",
                    color=fixed(RED),
                    custom__fillOpacity=15,
                    custom__lineWidth=0,
                    custom__lineInterpolation="stepAfter",
                ),
            ],
            **RATIO,
            **REPEATED,
        ),
        bars(
            "What moves it, $horizon",
            "The eight largest shares in the log-odds now, against those of the base rate. Above 0 makes high "
            "load more probable, below 0 less. `level` is how far an ordinary moment is off the base rate.",
            Query(
                f"sort_desc({metric('high_load_contribution', this)} "
                f"and topk(8, abs({metric('high_load_contribution', this)})))",
                "{{metric}}",
            ),
            "none",
            (WIDTH, 7),
            decimals=2,
            thresholds=steps(GREEN, (0, ORANGE)),
            **REPEATED,
        ),
    ]
    strange = [
        lines(
            "Evidence of an anomaly",
            "Score over alarm threshold per channel: metrics together or one for hours (joint), a "
            "sudden jump of one (spike), values that do not change (flatline). From 1 on it is one.",
            [Query(metric("anomaly_evidence_ratio"), "{{channel}}")],
            "none",
            width=7,
            min=0,
            thresholds=steps("transparent", (1, RED)),
            reach=1.1,
        ),
        lines(
            "Share of each metric in it",
            "Which metrics the evidence is made of. It says something while the evidence is high; otherwise it is "
            "noise.",
            [Query(metric("anomaly_contribution"), "{{metric}}")],
            "percentunit",
            width=7,
            stack="normal",
            fill=50,
            **RATIO,
        ),
        lines(
            "Score",
            "1 less the probability that six ordinary hours bring as much evidence. It orders moments; alarms are "
            "raised by the evidence.",
            [Query(metric("anomaly_score"), "score")],
            "none",
            width=5,
            **RATIO,
        ),
        lines(
            "Alarms in 30 days",
            "Anomalies of the last 30 days that were not called incidents, beside the false alarms that are allowed.",
            [
                Query(metric("anomaly_alarms_per_month"), "alarms"),
                Query(metric("anomaly_allowed_per_month"), "allowed"),
            ],
            "none",
            width=5,
            min=0,
            step=True,
            overrides=[dashed("allowed", ORANGE)],
        ),
        stat(
            "Began",
            "When the anomaly that goes on began.",
            Query(f"{metric('anomaly_started_timestamp_seconds')} * 1000 and {metric('anomaly_active')} == 1"),
            "dateTimeFromNow",
            width=6,
            noValue="none goes on",
        ),
        stat(
            "Seen in the time shown",
            "Anomalies that began in the time range of the dashboard.",
            Query(f"round(increase({metric('anomaly_events_total')}[$__range]))"),
            width=6,
            decimals=0,
        ),
        stat(
            "Seen ever",
            "Anomalies seen over all starts of the daemon; `monitor anomalies list` has them all.",
            Query(metric("anomaly_events_total")),
            width=6,
            decimals=0,
        ),
        stat(
            "Last score",
            "Time since the last score. The daemon looks at whole minutes, so a few minutes are usual.",
            Query("time() - " + metric("anomaly_timestamp_seconds")),
            "s",
            width=6,
            decimals=0,
            thresholds=steps(GREEN, (900, ORANGE), (3600, RED)),
            noValue="not watched for",
        ),
    ]
    figures = [
        lines(
            "CPU",
            "Share of all CPUs that was busy, idle waiting for I/O, and given to others by the hypervisor. " + ABSENT,
            [
                Query(metric("host_cpu_usage_ratio") + " - " + metric("host_cpu_steal_ratio"), "busy"),
                Query(metric("host_cpu_iowait_ratio"), "waiting for I/O"),
                Query(metric("host_cpu_steal_ratio"), "stolen"),
            ],
            "percentunit",
            stack="normal",
            **RATIO,
        ),
        lines(
            "Load per CPU",
            "Load average of one minute over the number of CPUs. " + ABSENT,
            [Query(metric("host_load_per_cpu_ratio"), "load per CPU")],
            "none",
            min=0,
            thresholds=steps("transparent", (1, ORANGE)),
            reach=1.1,
        ),
        lines(
            "Pressure",
            "Share of the time in which some task waited for a CPU, memory or I/O (Linux PSI). " + ABSENT,
            [
                Query(metric("host_pressure_cpu_ratio"), "CPU"),
                Query(metric("host_pressure_memory_ratio"), "memory"),
                Query(metric("host_pressure_io_ratio"), "I/O"),
            ],
            "percentunit",
            min=0,
        ),
        lines(
            "Memory and swap",
            "Share of the memory that is not available, and of the swap space in use. " + ABSENT,
            [Query(metric("host_memory_usage_ratio"), "memory"), Query(metric("host_swap_usage_ratio"), "swap")],
            "percentunit",
            **RATIO,
        ),
        lines(
            "Disk throughput",
            "Read from all physical disks, and written to them (below the line). " + ABSENT,
            [
                Query(metric("host_disk_read_bytes_per_second"), "read"),
                Query(metric("host_disk_write_bytes_per_second"), "written"),
            ],
            "Bps",
            fill=10,
            overrides=[look("written", custom__transform="negative-Y")],
        ),
        lines(
            "Busiest disk",
            "Share of the time in which the busiest disk worked. " + ABSENT,
            [Query(metric("host_disk_busy_ratio"), "busy")],
            "percentunit",
            **RATIO,
        ),
        lines(
            "Network throughput",
            "Received over all counted interfaces, and transmitted (below the line). " + ABSENT,
            [
                Query(metric("host_network_receive_bytes_per_second"), "received"),
                Query(metric("host_network_transmit_bytes_per_second"), "transmitted"),
            ],
            "Bps",
            fill=10,
            overrides=[look("transmitted", custom__transform="negative-Y")],
        ),
        lines(
            "Busiest interface",
            "The busier direction of the busiest interface over the speed of its link. " + ABSENT,
            [Query(metric("host_network_usage_ratio"), "in use")],
            "percentunit",
            **RATIO,
        ),
        lines(
            "Network errors",
            "Errors and drops over all counted interfaces. " + ABSENT,
            [Query(metric("host_network_errors_per_second"), "errors and drops")],
            "cps",
            min=0,
        ),
    ]
    return Page(
        "host",
        "monitor / Host",
        "What the host does, how probable high load is, and whether it does what it never does.",
        "now-6h",
        "30s",
        [
            ("", [*now, *expected]),
            ("Probability of high load", probability),
            ("Anomalies", strange),
            ("The host, as the model sees it", figures),
        ],
    )
