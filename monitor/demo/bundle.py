"""Bundled trace of the demonstration: files, provenance, times and configuration."""

from __future__ import annotations

from pathlib import Path

from model.units import DAY, HOUR, MINUTE

DIRECTORY = Path(__file__).parents[1] / "data" / "demo"
TRACE = DIRECTORY / "trace.csv.gz"
MODEL = DIRECTORY / "model.npz"

TITLE = "machine-1-2 of the Server Machine Dataset (NetManAIOps, MIT licence)"

HOST = "demonstration (machine-1-2)"
"""Name of the host in the notifications."""

RULE = "CPU at least 50 % for 2 minutes"
"""Rule of high load in CONFIG, in words."""

EPOCH = 1_780_272_000.0
"""Time of the first sample, 2026-06-01 00:00 UTC: the dataset has no real times. Seconds since the epoch."""

LENGTH = 24 * DAY
"""Length of the trace in seconds."""

TRAINED_UNTIL = EPOCH + 516 * HOUR + 40 * MINUTE
"""End of the samples that the model has learned from. The pretrained model has no weight after 500 hours."""

REPLAY_START = EPOCH + 524 * HOUR + 45 * MINUTE
"""End of the fast-forward, from when on the replay runs at its speed."""

WARNING_AT = EPOCH + 524 * HOUR + 48 * MINUTE
HIGH_LOAD_AT = EPOCH + 525 * HOUR + 1 * MINUTE
ANOMALY_AT = EPOCH + 525 * HOUR + 26 * MINUTE
"""Times of the first warning, of the high load that it announces and of the first anomaly after REPLAY_START."""

CONFIG = """\
[sampling]
interval = "60s"

[storage]
url = "sqlite:///{directory}/monitor.db"

[high_load]
# Each metric of the dataset is scaled to 0..1 of its own range.
rules = [{{ cpu_usage = 0.5 }}]
sustained = "2m"

[training]
networks = 4

[anomaly]
false_alarms_per_month = 10

[events]
# The processes of this machine have nothing to do with the trace.
processes = false

[capacity]
# The disks of this machine have nothing to do with the trace.
enabled = false

[web]
listen = "{listen}"

[log]
level = "error"
"""
"""Configuration of training and replay."""
