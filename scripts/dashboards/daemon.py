"""Dashboard of the daemon: sampling, jobs, storage and scrapes."""

from __future__ import annotations

from dashboards.daemon_jobs import job_panels, rate
from dashboards.daemon_storage import storage_panels
from dashboards.page import Page
from dashboards.panels import (
    DAEMON,
    GREEN,
    ORANGE,
    RED,
    Query,
    fixed_color,
    metric,
    override,
    stat,
    state_timeline,
    threshold_steps,
    time_series,
    value_mappings,
)


def daemon() -> Page:
    """Return the dashboard of sampling, jobs, storage and scrapes."""

    def of_page(name: str) -> str:
        return f"{name}{{{DAEMON}}}"

    now = [
        stat(
            "Scrape",
            "1 while Prometheus can scrape the daemon.",
            Query(of_page("up")),
            mappings=value_mappings((0, "DOWN", RED), (1, "up", GREEN)),
            noValue="not scraped",
        ),
        stat(
            "Version",
            "Running version of monitor and of Python.",
            Query(metric("build_info"), "{{version}} (Python {{python}})"),
            text="name",
        ),
        stat(
            "Configuration",
            "Result of the last reload. After a failure the log names each wrong key, and the old configuration "
            "stays.",
            Query(metric("config_last_reload_successful")),
            mappings=value_mappings((0, "RELOAD FAILED", RED), (1, "in effect", GREEN)),
        ),
        stat(
            "In effect since",
            "Time of the last start or successful reload.",
            Query(metric("config_last_reload_success_timestamp_seconds") + " * 1000"),
            "dateTimeFromNow",
        ),
        stat(
            "Failed reloads",
            "Failed reloads of the configuration in the time range.",
            Query(f"round(increase({metric('config_reload_failures_total')}[$__range]))"),
            "short",
            decimals=0,
            thresholds=threshold_steps(GREEN, (1, ORANGE)),
        ),
        stat(
            "Samples missed",
            "Missed samples in the time range.",
            Query(f"round(increase({metric('samples_missed_total')}[$__range]))"),
            "short",
            decimals=0,
            thresholds=threshold_steps(GREEN, (1, ORANGE)),
        ),
        stat(
            "Write failures",
            "Failed writes in the time range.",
            Query(f"round(increase({metric('storage_write_failures_total')}[$__range]))"),
            "short",
            decimals=0,
            thresholds=threshold_steps(GREEN, (1, RED)),
        ),
        stat(
            "Buffered samples",
            "Samples in the write buffer, up to 20,000 while the database cannot be written.",
            Query(metric("storage_buffered_samples")),
            "short",
            decimals=0,
            thresholds=threshold_steps(GREEN, (100, ORANGE), (10000, RED)),
        ),
    ]
    sampling = [
        time_series(
            "Samples and predictions",
            "Samples, missed samples and predictions per second. The default interval of 5 s gives 0.2.",
            [
                Query(rate("samples_total"), "samples"),
                Query(rate("samples_missed_total"), "missed"),
                Query(rate("predictions_total"), "predictions"),
            ],
            "cps",
            min=0,
            overrides=[override("missed", color=fixed_color(RED))],
        ),
        state_timeline(
            "Sources",
            "State of each source. The metrics of a failed source are missing.",
            [Query(metric("source_success"), "{{source}}")],
            8,
            8,
            mappings=value_mappings((0, "failed", RED), (1, "ok", GREEN)),
        ),
        time_series(
            "Failed readings",
            "Failed and implausible readings per second and source.",
            [Query(rate("source_failures_total"), "{{source}}")],
            "cps",
            width=4,
        ),
        time_series(
            "Duration of the sources",
            "Duration of each source in the last sampling cycle.",
            [Query(metric("source_duration_seconds"), "{{source}}")],
            "s",
            min=0,
            width=4,
        ),
    ]
    scrape = [
        time_series(
            "Duration of a scrape",
            "Duration of a scrape of the metrics page.",
            [Query(of_page("scrape_duration_seconds"), "duration")],
            "s",
            min=0,
            width=12,
        ),
        time_series(
            "Series of a scrape",
            "Number of series. It depends on sources, horizons and model.",
            [Query(of_page("scrape_samples_scraped"), "series")],
            "short",
            min=0,
            decimals=0,
            width=12,
        ),
    ]
    return Page(
        "daemon",
        "monitor / Daemon",
        "Sampling, storage, jobs and scrapes of the daemon, and their cost.",
        "now-6h",
        "30s",
        [
            ("", now),
            ("Sampling", sampling),
            ("Jobs", job_panels()),
            ("Storage", storage_panels()),
            ("Scrape", scrape),
        ],
    )
