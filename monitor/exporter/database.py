"""Metrics of the database: writes, buffered samples, size."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import Metric

from monitor.exporter.family_builders import counter, gauge, labelled_gauge
from monitor.queries.overview import Overview
from monitor.sampling.storage_state import StorageState


def write_metrics(storage: StorageState) -> Iterator[Metric]:
    """Yield the numbers of failed writes, and of buffered and dropped samples."""
    yield counter(
        "storage_write_failures", "Number of failed writes since the start of the daemon.", storage.write_failures
    )
    yield gauge(
        "storage_buffered_samples",
        "Number of samples that wait in memory for the database.",
        storage.samples_buffered,
    )
    yield counter(
        "samples_dropped",
        "Number of samples since the start of the daemon that were lost, because too many waited for the database.",
        storage.samples_dropped,
    )
    yield gauge(
        "storage_available",
        "Result of the last write to the database: 1 if samples are stored, 0 while they wait in memory.",
        storage.problem is None,
    )
    yield counter(
        "storage_quarantines",
        "Number of damaged files since the start of the daemon that were moved aside.",
        storage.quarantines,
    )


def record_metrics(overview: Overview) -> Iterator[Metric]:
    """Yield the size of the database, the free space on its file system, and the time of the oldest sample."""
    if overview.storage_bytes is not None:
        yield gauge(
            "storage_size_bytes", "Size of the database with its write-ahead log, in bytes.", overview.storage_bytes
        )
        yield gauge("storage_wal_bytes", "Size of the write-ahead log of the database, in bytes.", overview.wal_bytes)
    yield labelled_gauge(
        "storage_damaged_rows",
        "Number of damaged rows that were read and left out since the start of the daemon.",
        ["table"],
        [((table,), count) for table, count in overview.damaged_rows.items()],
    )
    if overview.storage_free_bytes is not None:
        yield gauge(
            "storage_free_bytes",
            "Free space on the file system of the database for the daemon's user, in bytes; absent if unknown.",
            overview.storage_free_bytes,
        )
    yield gauge(
        "storage_quarantined_files",
        "Number of damaged databases that were moved aside and are still there.",
        overview.quarantined_files,
    )
    if overview.oldest_sample_at is not None:
        yield gauge(
            "storage_oldest_sample_timestamp_seconds",
            "Time of the oldest stored sample, in seconds since the epoch.",
            overview.oldest_sample_at,
        )
