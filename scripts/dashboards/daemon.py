"""The daemon itself."""

from __future__ import annotations

from dashboards.parts import (
    DAEMON,
    GREEN,
    JOB,
    ORANGE,
    RED,
    Page,
    Query,
    fixed,
    lines,
    look,
    metric,
    stat,
    steps,
    timeline,
    words,
)


def quantile(share: float, name: str) -> str:
    """A quantile of a histogram of jobs."""
    return f"histogram_quantile({share}, sum by (le, {JOB}) (rate({metric(name + '_bucket')}[$__rate_interval])))"


def daemon() -> Page:
    """The process itself."""
    job = "{{" + JOB + "}}"

    def of_page(name: str) -> str:
        return f"{name}{{{DAEMON}}}"

    def rate(name: str) -> str:
        return f"rate({metric(name)}[$__rate_interval])"

    now = [
        stat(
            "Scrape",
            "Whether Prometheus reaches the daemon.",
            Query(of_page("up")),
            mappings=words((0, "DOWN", RED), (1, "up", GREEN)),
            noValue="not scraped",
        ),
        stat(
            "Version",
            "The version that runs, and its Python.",
            Query(metric("build_info"), "{{version}} (Python {{python}})"),
            text="name",
            width=4,
        ),
        stat(
            "Configuration",
            "Whether the last reload took effect. If not, the log names each wrong key, and the old one goes on.",
            Query(metric("config_last_reload_successful")),
            mappings=words((0, "RELOAD FAILED", RED), (1, "in effect", GREEN)),
            width=4,
        ),
        stat(
            "In effect since",
            "When a configuration last took effect: the start of the daemon, or a reload.",
            Query(metric("config_last_reload_success_timestamp_seconds") + " * 1000"),
            "dateTimeFromNow",
            width=4,
        ),
        stat(
            "Samples missed",
            "Samples of the time shown that should have been taken and were not.",
            Query(f"round(increase({metric('samples_missed_total')}[$__range]))"),
            "short",
            decimals=0,
            thresholds=steps(GREEN, (1, ORANGE)),
        ),
        stat(
            "Write failures",
            "Writes of the time shown that failed.",
            Query(f"round(increase({metric('storage_write_failures_total')}[$__range]))"),
            "short",
            decimals=0,
            thresholds=steps(GREEN, (1, RED)),
        ),
        stat(
            "Waiting for storage",
            "Samples in memory that are not stored yet. Up to 20,000 wait while the database cannot be written.",
            Query(metric("storage_buffered_samples")),
            "short",
            decimals=0,
            thresholds=steps(GREEN, (100, ORANGE), (10000, RED)),
        ),
    ]
    sampling = [
        lines(
            "Samples and predictions",
            "Taken, missed and predicted in a second. Sampled every 5 s, as by default, it is 0.2.",
            [
                Query(rate("samples_total"), "samples"),
                Query(rate("samples_missed_total"), "missed"),
                Query(rate("predictions_total"), "predictions"),
            ],
            "cps",
            min=0,
            overrides=[look("missed", color=fixed(RED))],
        ),
        timeline(
            "Sources",
            "Whether each source gave its figures. One that fails leaves its metrics out of the samples.",
            [Query(metric("source_success"), "{{source}}")],
            8,
            8,
            mappings=words((0, "failed", RED), (1, "ok", GREEN)),
        ),
        lines(
            "Duration of the sources",
            "How long each source took at the last sample.",
            [Query(metric("source_duration_seconds"), "{{source}}")],
            "s",
            min=0,
        ),
    ]
    # Some jobs run once in a minute or less: a shorter look would find no run of them.
    seldom = {"interval": "5m"}
    jobs = [
        lines(
            "Duration of the jobs, median",
            "Half of the runs of each job were shorter. From histograms, so it lies within a bucket.",
            [Query(quantile(0.5, "job_duration_seconds"), job)],
            "s",
            min=0,
            **seldom,
        ),
        lines(
            "Duration of the jobs, 99 %",
            "99 % of the runs of each job were shorter. The last bucket ends at 10 s.",
            [Query(quantile(0.99, "job_duration_seconds"), job)],
            "s",
            min=0,
            **seldom,
        ),
        lines(
            "Time in the jobs",
            "Seconds of each second that each job takes: what the daemon works.",
            [Query(rate("job_duration_seconds_sum"), job)],
            "percentunit",
            min=0,
            **seldom,
            stack="normal",
        ),
        lines(
            "Delay of the jobs, 99 %",
            "99 % of the runs of each job began less late than this after their turn. More than a few hundredths "
            "of a second for `sample` means a busy host or a busy disk.",
            [Query(quantile(0.99, "job_delay_seconds"), job)],
            "s",
            min=0,
            **seldom,
        ),
        lines("Runs", "Runs of each job in a second.", [Query(rate("job_runs_total"), job)], "cps", min=0, **seldom),
        lines(
            "Failures and missed turns",
            "Runs that raised, and turns that did not happen, in a second. There should be none.",
            [Query(rate("job_failures_total"), "failed " + job), Query(rate("job_missed_total"), "missed " + job)],
            "cps",
            min=0,
            **seldom,
        ),
    ]
    storage = [
        lines(
            "Size of the database",
            "With its log. It stops growing once samples are as old as `storage.retention`, 90 days by default.",
            [Query(metric("storage_size_bytes"), "size")],
            "bytes",
            min=0,
            width=6,
        ),
        lines(
            "Free space",
            "What the daemon's user may still write on the file system of the database. Below 512 MiB there is an "
            "alert; at 0 samples wait in memory.",
            [Query(metric("storage_free_bytes"), "free")],
            "bytes",
            min=0,
            width=6,
        ),
        lines(
            "History",
            "Time from the oldest stored sample to the last.",
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
        lines(
            "Trouble with storage",
            "Samples that wait in memory, and writes that failed since the start. Both rise while the database "
            "cannot be written.",
            [
                Query(metric("storage_buffered_samples"), "waiting"),
                Query(metric("storage_write_failures_total"), "failed"),
            ],
            "short",
            min=0,
            decimals=0,
            width=6,
            overrides=[look("failed", color=fixed(RED))],
        ),
    ]
    scrape = [
        lines(
            "Duration of a scrape",
            "How long Prometheus waited for the page.",
            [Query(of_page("scrape_duration_seconds"), "duration")],
            "s",
            min=0,
            width=12,
        ),
        lines(
            "Series of a scrape",
            "How many series the page has. It changes with the sources, the horizons and the model.",
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
        "Whether the daemon samples, stores and answers as it should, and what that costs.",
        "now-6h",
        "30s",
        [("", now), ("Sampling", sampling), ("Jobs", jobs), ("Storage", storage), ("Scrape", scrape)],
    )
