"""How long a person waits for the commands that are typed most, on a history of months.

    python -m benchmarks.commands --days 90

Each is the whole process, from its start to its end, through a pipe: the median of twenty runs.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.cost import CONFIG, fill
from benchmarks.report import Figure, main

RUNS = 20


def monitor(*arguments: str) -> None:
    """Runs a command as a person would."""
    subprocess.run([sys.executable, "-m", "monitor", *arguments], check=True, capture_output=True)


def waited(*arguments: str) -> float:
    """Median of the seconds that a command takes."""
    found = []
    for _ in range(RUNS):
        began = time.perf_counter()
        monitor(*arguments)
        found.append(time.perf_counter() - began)
    return statistics.median(found)


def measure(arguments: argparse.Namespace) -> list[Figure]:
    """The figures for a history of so many days, with a model and a detector of its own serving."""
    days = arguments.days
    with tempfile.TemporaryDirectory() as name:
        config = Path(name) / "config.toml"
        config.write_text(f"{CONFIG.format(directory=name, days=days)}epochs = 2\nnetworks = 1\n")
        fill(Path(name), days)
        here = ("--config", str(config))
        monitor(*here, "retrain", "--since", "4d", "--force")
        return [
            Figure("monitor --help", waited("--help"), 0.15, "s"),
            Figure("monitor retrain --help", waited("retrain", "--help"), 0.15, "s"),
            Figure(f"monitor status, {days} d of 5 s samples", waited(*here, "status"), 0.5, "s"),
            Figure(
                f"monitor --color always status, {days} d", waited(*here, "--color", "always", "status"), None, "s"
            ),
        ]


if __name__ == "__main__":
    sys.exit(main(__doc__ or "", measure, ("--days", 90, "days of history")))
