"""Panels of the daemon's jobs: durations, runs, failures and hung jobs."""

from __future__ import annotations

from dashboards.panels import JOB, Json, Query, metric, time_series


def quantile(share: float, name: str) -> str:
    """Return the PromQL expression for a quantile of a histogram, per job."""
    return f"histogram_quantile({share}, sum by (le, {JOB}) (rate({metric(name + '_bucket')}[$__rate_interval])))"


def rate(name: str) -> str:
    """Return the PromQL expression for the rate of a counter."""
    return f"rate({metric(name)}[$__rate_interval])"


def job_panels() -> list[Json]:
    """Return the panels of the periodic jobs."""
    job = "{{" + JOB + "}}"
    # Some jobs run at most once a minute: a shorter range could contain none of their runs.
    seldom = {"interval": "5m"}
    return [
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
            "Processor time of the jobs",
            "Share of one core that each job uses. The writes to the database and scrapes come on top.",
            [Query(rate("job_cpu_seconds_total"), job)],
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
        time_series(
            "Hung jobs",
            "1 while a run exceeds its deadline or the runs of a job have stopped. Normally zero.",
            [Query(metric("job_hung"), job)],
            "short",
            min=0,
            **seldom,
        ),
        time_series(
            "Time since the last successful run",
            "Seconds since the last run of a job without an error.",
            [Query("time() - " + metric("job_last_success_timestamp_seconds"), job)],
            "s",
            min=0,
            **seldom,
        ),
        time_series(
            "Notifications",
            "Outcomes of notifications per second and channel, and the number that waits. Normally only deliveries.",
            [
                Query(rate("notifications_total"), "{{outcome}} {{channel}}"),
                Query(metric("notifications_pending"), "waiting {{channel}}"),
            ],
            "short",
            min=0,
            **seldom,
        ),
        time_series(
            "Dropped log lines",
            "Log lines per second that could not be written, as nobody reads stderr. Normally zero.",
            [Query(rate("log_dropped_total"), "dropped")],
            "cps",
            min=0,
            **seldom,
        ),
    ]
