#!/usr/bin/env python3
"""Demonstration files: the bundled trace and the model that learned on its first part.

    python scripts/make_demo.py machine-1-2.csv.gz

The argument is a trace of the Server Machine Dataset with the columns timestamp, cpu_usage, memory_usage and
disk_busy. Equal traces yield equal files on the same NumPy.
"""

from __future__ import annotations

import argparse
import gzip
import tempfile
from pathlib import Path

import numpy as np

from monitor.config.loader import load_config
from monitor.demo import bundle
from monitor.demo.session import store_samples, write_config
from monitor.sampling.trace_reader import Trace, read_trace
from monitor.stores import open_stores
from monitor.training.model_archive import export_model
from monitor.training.retrain import Request, retrain

COLUMNS = ("cpu_usage", "memory_usage", "disk_busy")
"""Metrics of the demonstration; the dataset has no units of the network traffic."""


def main() -> None:
    """Write trace and model into the package."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trace", type=Path)
    source = read_trace(parser.parse_args().trace)
    bundle.DIRECTORY.mkdir(parents=True, exist_ok=True)
    write_trace(source)
    train()


def write_trace(source: Trace) -> None:
    """Write the first days of a trace, with the times of the demonstration."""
    rows = source.times < bundle.LENGTH
    columns = [source.columns.index(column) for column in COLUMNS]
    lines = [",".join(("timestamp", *COLUMNS))]
    for at, values in zip(source.times[rows], source.values[rows][:, columns], strict=True):
        lines.append(",".join([f"{bundle.EPOCH + at:.0f}", *("" if np.isnan(x) else f"{x:.4g}" for x in values)]))
    with bundle.TRACE.open("wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as compressed:
        compressed.write(("\n".join(lines) + "\n").encode())


def train() -> None:
    """Train on the samples before TRAINED_UNTIL as `monitor retrain` does, and export the model."""
    with tempfile.TemporaryDirectory() as name:
        config = write_config(Path(name), "127.0.0.1:0")
        with open_stores(load_config(config.path).database_url) as stores:
            store_samples(stores, read_trace(bundle.TRACE))
            result = retrain(stores, config, Request(force=True), lambda *_: None, lambda: bundle.TRAINED_UNTIL)
            if result.model_id is None:
                raise SystemExit(result.reason)
            export_model(stores, result.model_id, bundle.MODEL, force=True)
        print(f"{result.outcome}: {bundle.MODEL.stat().st_size} bytes; trace {bundle.TRACE.stat().st_size} bytes")


if __name__ == "__main__":
    main()
