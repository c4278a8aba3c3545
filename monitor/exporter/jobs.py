"""Job metrics: counters and histograms of the daemon's periodic jobs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prometheus_client.core import HistogramMetricFamily, Metric

from monitor.exporter.family_builders import PREFIX, labelled_counter, labelled_gauge
from monitor.state import Histogram, JobState


def job_metrics(jobs: Mapping[str, JobState]) -> Iterator[Metric]:
    """Yield counters of runs, failures and missed runs, heartbeats, and histograms of durations and delays."""
    yield labelled_counter(
        "job_runs",
        "Number of runs of a job since the start of the daemon.",
        "job",
        [(name, state.runs) for name, state in jobs.items()],
    )
    yield labelled_counter(
        "job_failures",
        "Number of runs of a job since the start of the daemon that raised an exception.",
        "job",
        [(name, state.failures) for name, state in jobs.items()],
    )
    yield labelled_counter(
        "job_missed",
        "Number of scheduled runs of a job since the start of the daemon that did not take place.",
        "job",
        [(name, state.missed) for name, state in jobs.items()],
    )
    yield labelled_counter(
        "job_cpu_seconds",
        "Processor time of the runs of a job since the start of the daemon, in seconds.",
        "job",
        [(name, state.cpu_seconds) for name, state in jobs.items()],
    )
    yield labelled_gauge(
        "job_last_success_timestamp_seconds",
        "Time of the last successful run of a job since the start of the daemon, in seconds since the epoch.",
        ["job"],
        [((name,), state.last_success_at) for name, state in jobs.items()],
    )
    yield labelled_gauge(
        "job_hung",
        "State of a job: 1 if a run exceeds its deadline or the runs have stopped, else 0.",
        ["job"],
        [((name,), state.hung) for name, state in jobs.items()],
    )
    yield _job_histogram(
        "job_duration_seconds",
        "Duration of the runs of a job since the start of the daemon, in seconds.",
        {name: state.duration for name, state in jobs.items()},
    )
    yield _job_histogram(
        "job_delay_seconds",
        "Delay of the runs of a job after their scheduled time since the start of the daemon, in seconds.",
        {name: state.delay for name, state in jobs.items()},
    )


def _job_histogram(name: str, description: str, histograms: Mapping[str, Histogram]) -> Metric:
    family = HistogramMetricFamily(f"{PREFIX}{name}", description, labels=["job"])
    for job, histogram in histograms.items():
        family.add_metric([job], list(histogram.buckets), histogram.sum_seconds)
    return family
