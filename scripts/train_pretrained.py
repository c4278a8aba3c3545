#!/usr/bin/env python3
"""Training of model/data/pretrained.npz: networks that serve a host without history.

    python scripts/train_pretrained.py --output model/data/pretrained.npz TRACE...

A trace is a CSV file with the columns timestamp and cpu_usage, compressed if it ends in .gz. Synthetic hosts are
added. Each trace is used several times, with different high-load bounds and sampling steps. Half of the rows get the
features of a host with at most three days of history. Equal traces and options yield bit-identical files.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import numpy as np

from model.array_types import Floats
from model.features.dataset import typical_step
from model.forecast.log_odds import sigmoid
from model.forecast.metrics import score
from model.forecast.pretrained import PRETRAINED_HORIZONS, PretrainedModel, input_names
from model.forecast.serialization import dumps_pretrained
from model.training.fleet.readings import Reading, examples, fit_pretrained
from model.units import DAY, HOUR, MINUTE
from monitor.sampling.trace_reader import read_trace

QUANTILES = (0.80, 0.85, 0.90, 0.95, 0.98, 0.99, 0.995)
"""Quantiles of a trace that are used as its high-load bound."""

TYPICAL_QUANTILE = 0.98
"""Quantile whose bound the base rates are computed for."""

MAX_HIGH_RATIO = 0.4
"""Largest ratio of samples at or above a bound; other bounds are not used."""

SUSTAINED = (0.0, 60.0, 120.0, 300.0)
AVERAGED_SAMPLES = (1, 5)
"""Numbers of consecutive samples that are averaged into one; 1 keeps the samples."""


def readings(times: Floats, load: Floats, rng: np.random.Generator) -> list[Reading]:
    """Return the readings of a trace: one for each sampling step and each usable bound."""
    result = []
    for count in AVERAGED_SAMPLES:
        step = count * typical_step(times, 60.0)
        at, values = averaged(times, load, step) if count > 1 else (times, load)
        for quantile in QUANTILES:
            bound = float(np.nanquantile(values, quantile))
            if bound <= 0 or np.nanmean(values >= bound) > MAX_HIGH_RATIO:
                continue
            x, y = examples(at, values / bound, step, float(rng.choice(SUSTAINED)), rng)
            result.append(Reading(x, y, quantile == TYPICAL_QUANTILE))
    return result


def averaged(times: Floats, load: Floats, step: float) -> tuple[Floats, Floats]:
    """Return start times and mean loads of slots of `step` seconds; NaN if a slot has no known load."""
    slots, first = np.unique(times // step, return_index=True)
    known = ~np.isnan(load)
    count = np.add.reduceat(known.astype(float), first)
    total = np.add.reduceat(np.where(known, load, 0), first)
    return slots * step, np.divide(total, count, out=np.full(len(first), np.nan), where=count > 0)


def synthetic_host(seed: int) -> tuple[Floats, Floats]:
    """Return nine days of a synthetic host: drifting level, daily rhythm, periodic jobs, bursts and slow rises."""
    rng = np.random.default_rng(seed)
    step = float(rng.choice([5.0, 10.0, 15.0]))
    times = np.arange(0, 9 * DAY, step)
    n = len(times)
    load = np.full(n, rng.uniform(0.02, 0.35))
    load += rng.uniform(0, 0.3) * (0.5 - 0.5 * np.cos(2 * np.pi * (times / DAY - rng.random()))) ** rng.integers(1, 4)
    load += correlated_noise(n, rng.uniform(600, 4 * HOUR) / step, rng) * rng.uniform(0, 0.08)
    for _ in range(rng.integers(0, 4)):  # periodic jobs
        period = float(rng.choice([0.25, 0.5, 1, 2, 6, 12, 24])) * HOUR
        starts = (
            np.arange(rng.uniform(0, period), times[-1], period) + rng.normal(0, 20, int(9 * DAY / period) + 1)[0]
        )
        duration = rng.uniform(0.01, 0.3) * period
        height = rng.uniform(0.2, 0.9)
        for start in starts:
            add_hump(load, times, start, duration * rng.uniform(0.7, 1.4), height, rng.uniform(5, 120))
    for _ in range(rng.poisson(9 * rng.uniform(0, 12))):  # bursts, some of which cause others
        start = rng.uniform(0, times[-1])
        for _ in range(1 + rng.poisson(rng.uniform(0, 2))):
            add_hump(load, times, start, rng.exponential(400) + 20, rng.uniform(0.1, 0.9), rng.uniform(5, 600))
            start += rng.exponential(1200)
    for _ in range(rng.integers(0, 3)):  # slow rises
        start = rng.uniform(0, times[-1])
        add_hump(load, times, start, rng.uniform(0.2, 3) * HOUR, rng.uniform(0.3, 0.9), 4 * HOUR)
    noise = rng.gamma(2.0, 0.5, n) * rng.uniform(0.005, 0.08)
    return times, np.clip(load * rng.normal(1, 0.03, n) + noise, 0, 1)


def correlated_noise(n: int, memory: float, rng: np.random.Generator) -> Floats:
    """Return noise (n,): standard normal values about `memory` steps apart, interpolated linearly."""
    coarse = max(2, int(n / memory) + 2)
    return np.interp(np.arange(n), np.linspace(0, n, coarse), rng.normal(size=coarse))


def add_hump(load: Floats, times: Floats, start: float, duration: float, height: float, rise: float) -> None:
    """Add `height` to a part of `load`: a linear rise of `rise` seconds, then `duration` seconds at full height."""
    rows = slice(*np.searchsorted(times, (start, start + rise + duration)))
    load[rows] += height * np.minimum(1.0, (times[rows] - start) / rise)


def joined(parts: list[Reading]) -> tuple[Floats, Floats]:
    """Return the concatenated features and labels of readings."""
    return np.concatenate([part.x for part in parts]), np.concatenate([part.y for part in parts])


def predict(pretrained: PretrainedModel, x: Floats) -> Floats:
    """Return the probabilities (rows, outputs): the running maximum over the horizons."""
    logits = sum(network.predict(pretrained.scaler(x)) for network in pretrained.networks) / len(pretrained.networks)
    return np.asarray(np.maximum.accumulate(sigmoid(np.asarray(logits, np.float64)), axis=1))


def main() -> None:
    """Train the model, print its scores at onset on the traces of `--leave-out`, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("traces", nargs="+", type=Path, metavar="TRACE")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--generated", type=int, default=10, help="number of synthetic hosts")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--leave-out", nargs="*", default=[], help="names of traces that are scored only")
    options = parser.parse_args()
    parts: list[Reading] = []
    scored = {}
    sources = {}
    for path in options.traces:
        rng = np.random.default_rng([options.seed, *path.name.encode()])
        trace = read_trace(path)
        of_trace = readings(trace.times, trace.values[:, trace.columns.index("cpu_usage")], rng)
        if path.name.partition(".")[0] in options.leave_out:
            scored[path.name] = of_trace
        else:
            parts += of_trace
            sources[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    for i in range(options.generated):
        parts += readings(*synthetic_host(options.seed + i), np.random.default_rng([options.seed, i]))
    pretrained = fit_pretrained(parts, options.seed)
    for name, of_trace in scored.items():
        x, y = joined(of_trace)
        # At onset: rows without high load.
        calm = x[:, input_names(MINUTE).index("load_index:state")] != 1
        for i, horizon in enumerate(PRETRAINED_HORIZONS):
            result = score(y[calm, i], predict(pretrained, x[calm])[:, i], float(np.nanmean(y[calm, i])))
            skill = f"skill {result.brier_skill:+.3f}, AP {result.average_precision:.3f}"
            print(f"{name} {horizon / MINUTE:g} min: {skill}")
    provenance = {"traces": sources, "generated": options.generated, "seed": options.seed}
    options.output.write_bytes(dumps_pretrained(pretrained, provenance))
    rows = sum(len(part.x) for part in parts)
    print(f"{options.output}: {options.output.stat().st_size} bytes, from {rows} rows of {len(parts)} readings")


if __name__ == "__main__":
    main()
