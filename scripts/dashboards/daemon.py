"""Dashboard of the daemon: sampling, jobs, storage and scrapes."""

from __future__ import annotations

from dashboards.page import Page
from dashboards.panels import (
    DAEMON,
    GREEN,
    JOB,
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


def quantile(share: float, name: str) -> str:
    """Return the PromQL expression for a quantile of a histogram, per job."""
    return f"histogram_quantile({share}, sum by (le, {JOB}) (rate({metric(name + '_bucket')}[$__rate_interval])))"


def daemon() -> Page:
    """Return the dashboard of sampling, jobs, storage and scrapes."""
    job = "{{" + JOB + "}}"

    def of_page(name: str) -> str:
        return f"{name}{{{DAEMON}}}"

    def rate(name: str) -> str:
        return f"rate({metric(name)}[$__rate_interval])"

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
            width=4,
        ),
        stat(
            "Configuration",
            "Result of the last reload. After a failure the log names each wrong key, and the old configuration "
            "stays.",
            Query(metric("config_last_reload_successful")),
            mappings=value_mappings((0, "RELOAD FAILED", RED), (1, "in effect", GREEN)),
            width=4,
        ),
        stat(
            "In effect since",
            "Time of the last start or successful reload.",
            Query(metric("config_last_reload_success_timestamp_seconds") + " * 1000"),
            "dateTimeFromNow",
            width=4,
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
        ),
        time_series(
            "Duration of the sources",
            "Duration of each source in the last sampling cycle.",
            [Query(metric("source_duration_seconds"), "{{source}}")],
            "s",
            min=0,
        ),
    ]
    # Some jobs run at most once a minute: a shorter range could contain none of their runs.
    seldom = {"interval": "5m"}
    jobs = [
        time_series(
            "Duration of the jobs, median",
            "Median duration per job, interpolated within a histogram bucket.",
            [Query(quantile(0.5, "job_duration_seconds"), job)],
            "s",
            min=0,
            **seldom,
        ),
        time_series(
            "Duration of the jobs, 99 %",
            "99th percentile of the duration per job. The last bucket ends at 10 s.",
            [Query(quantile(0.99, "job_duration_seconds"), job)],
            "s",
            min=0,
            **seldom,
        ),
        time_series(
            "Time in the jobs",
            "Share of time in each job: the work of the daemon.",
            [Query(rate("job_duration_seconds_sum"), job)],
            "percentunit",
            min=0,
            **seldom,
            stack="normal",
        ),
        time_series(
            "Delay of the jobs, 99 %",
            "99th percentile of the delay of a run. More than a few hundredths of a second for `sample` mean a busy"
            " host or disk.",
            [Query(quantile(0.99, "job_delay_seconds"), job)],
            "s",
            min=0,
            **seldom,
        ),
        time_series("Runs", "Runs per second and job.", [Query(rate("job_runs_total"), job)], "cps", min=0, **seldom),
        time_series(
            "Failures and missed runs",
            "Failed and missed runs per second. Normally zero.",
            [Query(rate("job_failures_total"), "failed " + job), Query(rate("job_missed_total"), "missed " + job)],
            "cps",
            min=0,
            **seldom,
        ),
    ]
    storage = [
        time_series(
            "Size of the database",
            "Database with write-ahead log, and the log alone. The database stops growing when samples reach "
            "`storage.retention`, 90 days by default. A log above 64 MiB is pinned by a reader.",
            [Query(metric("storage_size_bytes"), "size"), Query(metric("storage_wal_bytes"), "write-ahead log")],
            "bytes",
            min=0,
            width=6,
        ),
        time_series(
            "Free space",
            "Free space for the daemon on the file system of the database. Below 512 MiB there is an alert; at 0 "
            "samples wait in memory.",
            [Query(metric("storage_free_bytes"), "free")],
            "bytes",
            min=0,
            width=6,
        ),
        time_series(
            "History",
            "Time from the oldest to the newest stored sample.",
            [
                Query(
                    metric("last_sample_timestamp_seconds")
                    + " - "
                    + metric("storage_oldest_sample_timestamp_seconds"),
                    "history",
                )
            ],
            "s",
            min=0,
            width=6,
        ),
        time_series(
            "Storage failures",
            "Buffered samples, and failed writes since the start. Both rise while the database cannot be written.",
            [
                Query(metric("storage_buffered_samples"), "waiting"),
                Query(metric("storage_write_failures_total"), "failed"),
            ],
            "short",
            min=0,
            decimals=0,
            width=6,
            overrides=[override("failed", color=fixed_color(RED))],
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
        [("", now), ("Sampling", sampling), ("Jobs", jobs), ("Storage", storage), ("Scrape", scrape)],
    )
