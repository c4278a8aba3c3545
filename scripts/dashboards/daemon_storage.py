"""Storage panels of the daemon dashboard: size, free space, history and failures."""

from __future__ import annotations

from dashboards.panels import RED, Json, Query, fixed_color, metric, override, time_series


def storage_panels() -> list[Json]:
    """Return the panels of the row on storage."""
    return [
        time_series(
            "Size of the database",
            "Database with write-ahead log, and the log alone. The database stops growing when samples reach "
            "`storage.retention`, 90 days by default. A log above 64 MiB is pinned by a reader.",
            [Query(metric("storage_size_bytes"), "size"), Query(metric("storage_wal_bytes"), "write-ahead log")],
            "bytes",
            min=0,
            width=5,
        ),
        time_series(
            "Free space",
            "Free space for the daemon on the file system of the database. Below 512 MiB there is an alert; at 0 "
            "samples wait in memory.",
            [Query(metric("storage_free_bytes"), "free")],
            "bytes",
            min=0,
            width=5,
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
            width=4,
        ),
        time_series(
            "Storage failures",
            "Buffered samples; failed writes and dropped samples since the start. They rise in an outage.",
            [
                Query(metric("storage_buffered_samples"), "waiting"),
                Query(metric("storage_write_failures_total"), "failed"),
                Query(metric("samples_dropped_total"), "dropped"),
                Query(metric("storage_quarantined_files"), "moved aside"),
                Query("1 - " + metric("storage_available"), "unavailable"),
            ],
            "short",
            min=0,
            decimals=0,
            width=5,
            overrides=[override("failed", color=fixed_color(RED))],
        ),
        time_series(
            "Damage",
            "Files moved aside since the start of the daemon, damaged rows and quarantined models.",
            [
                Query(metric("storage_quarantines_total"), "moved aside since the start"),
                Query(metric("storage_damaged_rows"), "rows {{table}}"),
                Query(metric("models_quarantined"), "models {{part}}"),
            ],
            "short",
            min=0,
            decimals=0,
            width=5,
        ),
    ]
