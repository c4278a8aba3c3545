"""Benchmark of the commands: run time of the most used ones on months of history.

    python -m benchmarks.commands --days 90

Each figure is the median run time of the whole process, with its output in a pipe.
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
"""Number of runs per command."""


def run_command(*arguments: str) -> None:
    """Run `monitor` with some arguments.

    Raises:
        subprocess.CalledProcessError: its exit code is not 0.
    """
    subprocess.run([sys.executable, "-m", "monitor", *arguments], check=True, capture_output=True)


def median_run_time(*arguments: str) -> float:
    """Return the median run time of a command in seconds."""
    durations = []
    for _ in range(RUNS):
        start = time.perf_counter()
        run_command(*arguments)
        durations.append(time.perf_counter() - start)
    return statistics.median(durations)


def measure(arguments: argparse.Namespace) -> list[Figure]:
    """Return the run times on a history of `arguments.days` days, with a trained model and detector."""
    days = arguments.days
    with tempfile.TemporaryDirectory() as directory:
        config = Path(directory) / "config.toml"
        config.write_text(f"{CONFIG.format(directory=directory, days=days)}epochs = 2\nnetworks = 1\n")
        fill(Path(directory), days)
        options = ("--config", str(config))
        run_command(*options, "retrain", "--since", "4d", "--force")
        run_times = {
            "monitor --help": (median_run_time("--help"), 0.15),
            "monitor retrain --help": (median_run_time("retrain", "--help"), 0.15),
            f"monitor status, {days} d of 5 s samples": (median_run_time(*options, "status"), 0.5),
            f"monitor --color always status, {days} d": (
                median_run_time(*options, "--color", "always", "status"),
                None,
            ),
        }
        return [Figure(name, seconds, target, "s") for name, (seconds, target) in run_times.items()]


if __name__ == "__main__":
    sys.exit(main(__doc__ or "", measure, ("--days", 90, "days of history")))
