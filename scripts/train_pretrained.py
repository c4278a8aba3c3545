#!/usr/bin/env python3
"""Makes model/data/prior.npz: the networks that serve a host before it has a history.

    python scripts/train_prior.py --output model/data/prior.npz TRACE...

A trace is a CSV file with the columns timestamp and cpu_usage (gzip by ending). Made-up hosts are added. Every trace
is read several times, with another idea of what high load is and with samples further apart, and half of the moments
as they would look on a host that has been watched for hours only. The same files give the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import math
from pathlib import Path

import numpy as np
from model.features.features import FeatureSpec, design_matrix, windows_for

from model.array_types import Floats
from model.features.dataset import typical_step
from model.features.labels import Rules, future_labels
from model.forecast.ensemble import fit_scaler
from model.forecast.metrics import score
from model.forecast.pretrained import OF_DAYS, OF_STRETCHES, PRETRAINED_HORIZONS, PretrainedModel, inputs
from model.forecast.serialization import dumps_pretrained
from model.nn.data import Examples
from model.nn.fit_config import FitConfig
from model.nn.losses import BCEWithLogits
from model.nn.network import mlp
from model.nn.training import fit, initialize_output_bias
from model.units import DAY, HOUR, MINUTE
from monitor.sampling.csv_traces import read_trace

BOUNDS = (0.80, 0.85, 0.90, 0.95, 0.98, 0.99, 0.995)
"""Shares of a trace below what is called high load in it."""

USUAL = 0.98
"""The share that an operator's bound is thought to have: the base rates are told for this one."""

SUSTAINED = (0.0, 60.0, 120.0, 300.0)
STEPS = (1, 5)
"""How many samples are averaged into one."""

MOMENTS = 2500
"""Taken of each reading of a trace."""

NETWORKS, LAYERS = 4, (64, 32)
FIT = FitConfig(epochs=16, batch_size=512, patience=0, keep_best=False)


def readings(times: Floats, load: Floats, rng: np.random.Generator) -> list[tuple[Floats, Floats, bool]]:
    """Features and labels of moments, and whether the bound is the usual one, for each way of reading a trace."""
    found = []
    for together in STEPS:
        step = together * typical_step(times, 60.0)
        at, values = averaged(times, load, step) if together > 1 else (times, load)
        for share in BOUNDS:
            bound = float(np.nanquantile(values, share))
            if bound <= 0 or np.nanmean(values >= bound) > 0.4:
                continue
            found.append((*moments(at, values / bound, step, float(rng.choice(SUSTAINED)), rng), share == USUAL))
    return found


def averaged(times: Floats, load: Floats, step: float) -> tuple[Floats, Floats]:
    """The mean over each `step` seconds."""
    slots, first = np.unique(times // step, return_index=True)
    known = ~np.isnan(load)
    count = np.add.reduceat(known.astype(float), first)
    total = np.add.reduceat(np.where(known, load, 0), first)
    return slots * step, np.divide(total, count, out=np.full(len(first), np.nan), where=count > 0)


def moments(
    times: Floats, index: Floats, step: float, sustained: float, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Features (n, inputs) and labels (n, heads) of moments of one trace."""
    rules = Rules(((("load", 1.0),),), sustained)
    spec = FeatureSpec(
        ("load",),
        (),
        (),
        rules,
        windows_for(PRETRAINED_HORIZONS[2:7], step),
        step,
        PRETRAINED_HORIZONS[2:7],
        seasonal=True,
    )
    history = spec.history()
    history.extend(times, index[:, None])
    rows = np.sort(rng.choice(len(times), min(MOMENTS, len(times)), replace=False))
    names = inputs(step)
    x = design_matrix(spec, history, rows)[:, [spec.place[name] for name in names]]
    return as_if_young(x, names, rng), future_labels(times, history.state, PRETRAINED_HORIZONS, step, rows)


def as_if_young(x: Floats, names: tuple[str, ...], rng: np.random.Generator) -> Floats:
    """Half of the moments as if the host had been watched for some hours or days only."""
    x, watched = x.copy(), np.exp(rng.uniform(math.log(0.25 * HOUR), math.log(3 * DAY), len(x)))
    watched[rng.random(len(x)) < 0.5] = np.inf
    never = np.log1p(7 * DAY / MINUTE)
    for name in OF_STRETCHES[:3]:
        column = x[:, names.index(f"load_index:{name}")]
        column[column > np.log1p(watched / MINUTE)] = never
    for i, name in enumerate(names):
        if name in OF_DAYS:
            x[watched < DAY, i] = np.nan
        elif name.endswith("s"):
            x[2 * watched < float(name.rpartition(":")[2][:-1]), i] = np.nan
    return x


def generated(seed: int) -> tuple[Floats, Floats]:
    """Nine days of a made-up host: a level that wanders, a rhythm of the day, jobs, bursts and slow rises."""
    rng = np.random.default_rng(seed)
    step = float(rng.choice([5.0, 10.0, 15.0]))
    times = np.arange(0, 9 * DAY, step)
    n = len(times)
    load = np.full(n, rng.uniform(0.02, 0.35))
    load += rng.uniform(0, 0.3) * (0.5 - 0.5 * np.cos(2 * np.pi * (times / DAY - rng.random()))) ** rng.integers(1, 4)
    load += wandering(n, rng.uniform(600, 4 * HOUR) / step, rng) * rng.uniform(0, 0.08)
    for _ in range(rng.integers(0, 4)):  # jobs by the clock
        period = float(rng.choice([0.25, 0.5, 1, 2, 6, 12, 24])) * HOUR
        starts = (
            np.arange(rng.uniform(0, period), times[-1], period) + rng.normal(0, 20, int(9 * DAY / period) + 1)[0]
        )
        lasts, high = rng.uniform(0.01, 0.3) * period, rng.uniform(0.2, 0.9)
        for start in starts:
            add(load, times, start, lasts * rng.uniform(0.7, 1.4), high, rng.uniform(5, 120))
    for _ in range(rng.poisson(9 * rng.uniform(0, 12))):  # bursts, some of which bring others
        start = rng.uniform(0, times[-1])
        for _ in range(1 + rng.poisson(rng.uniform(0, 2))):
            add(load, times, start, rng.exponential(400) + 20, rng.uniform(0.1, 0.9), rng.uniform(5, 600))
            start += rng.exponential(1200)
    for _ in range(rng.integers(0, 3)):  # slow rises until somebody notices
        add(load, times, rng.uniform(0, times[-1]), rng.uniform(0.2, 3) * HOUR, rng.uniform(0.3, 0.9), 4 * HOUR)
    noise = rng.gamma(2.0, 0.5, n) * rng.uniform(0.005, 0.08)
    return times, np.clip(load * rng.normal(1, 0.03, n) + noise, 0, 1)


def wandering(n: int, memory: float, rng: np.random.Generator) -> Floats:
    """(n,) noise of deviation 1 that remembers some `memory` steps."""
    coarse = max(2, int(n / memory) + 2)
    return np.interp(np.arange(n), np.linspace(0, n, coarse), rng.normal(size=coarse))


def add(load: Floats, times: Floats, start: float, lasts: float, high: float, rise: float) -> None:
    """Adds a hump that rises for `rise` seconds and stays for `lasts`."""
    here = slice(*np.searchsorted(times, (start, start + rise + lasts)))
    load[here] += high * np.minimum(1.0, (times[here] - start) / rise)


def trained(parts: list[tuple[Floats, Floats, bool]], seed: int) -> PretrainedModel:
    """Networks that have learned from all of it."""
    x, y = together(parts)
    usual = np.concatenate([labels for _, labels, is_usual in parts if is_usual])
    known = ~np.isnan(y).all(axis=1)
    scaler, loss, networks = fit_scaler(x[known]), BCEWithLogits(), []
    part = Examples(scaler(x[known]), y[known])
    for i in range(NETWORKS):
        rng = np.random.default_rng([seed, i])
        network = mlp((x.shape[1], *LAYERS, len(PRETRAINED_HORIZONS)), rng, dropout=0.1)
        initialize_output_bias(network, loss, part.y)
        fit(network, loss, part, None, FIT, rng)
        networks.append(network)
    return PretrainedModel(scaler, tuple(networks), np.nanmean(usual, axis=0, dtype=np.float64))


def together(parts: list[tuple[Floats, Floats, bool]]) -> tuple[Floats, Floats]:
    """The features and the labels of some readings."""
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def said(prior: PretrainedModel, x: Floats) -> Floats:
    """Probabilities (rows, heads)."""
    logits = sum(network.predict(prior.scaler(x)) for network in prior.networks) / len(prior.networks)
    return np.asarray(np.maximum.accumulate(1 / (1 + np.exp(-logits.astype(np.float64))), axis=1))


def main() -> None:
    """Trains, tells what it found on traces left out, and writes the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("traces", nargs="+", type=Path, metavar="TRACE")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--generated", type=int, default=10, help="made-up hosts beside the traces")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--leave-out", nargs="*", default=[], help="names of traces that are only judged on")
    options = parser.parse_args()
    learned, judged, sources = [], {}, {}
    for path in options.traces:
        rng = np.random.default_rng([options.seed, *path.name.encode()])
        trace = read_trace(path)
        found = readings(trace.times, trace.values[:, trace.columns.index("cpu_usage")], rng)
        if path.name.partition(".")[0] in options.leave_out:
            judged[path.name] = found
        else:
            learned += found
            sources[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    for i in range(options.generated):
        learned += readings(*generated(options.seed + i), np.random.default_rng([options.seed, i]))
    prior = trained(learned, options.seed)
    for name, found in judged.items():
        x, y = together(found)
        for i, head in enumerate(PRETRAINED_HORIZONS):
            marks = score(y[:, i], said(prior, x)[:, i], float(np.nanmean(y[:, i])))
            print(f"{name} {head / MINUTE:g} min: skill {marks.brier_skill:+.3f}, AP {marks.average_precision:.3f}")
    provenance = {"traces": sources, "generated": options.generated, "seed": options.seed}
    options.output.write_bytes(dumps_pretrained(prior, provenance))
    rows = sum(len(part[0]) for part in learned)
    print(f"{options.output}: {options.output.stat().st_size} bytes, from {rows} moments of {len(learned)} readings")


if __name__ == "__main__":
    main()
