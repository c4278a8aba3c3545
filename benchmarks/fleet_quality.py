"""Quality of pooling: onset average precision of own models with and without a pooled model.

    python -m benchmarks.fleet_quality TRACE... --score 8

The traces of one directory are the hosts of one fleet. The pooled model of a host is fitted on the other hosts only
(leave one host out), each up to the origin. Own models have the architecture of a fleet. "pooled" is the pooled model
alone, "own" the own model without any pretrained model, "pooled and own" their blend.
"""

from __future__ import annotations

import argparse
import json
import statistics
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from unittest.mock import patch

import numpy as np

from benchmarks.report import Figure, main
from benchmarks.rolling_origins import HORIZONS, MIN_EVENT_ROWS, SUSTAINED, high_load_bound, replay
from model.array_types import Floats
from model.errors import NotEnoughHistoryError
from model.features.dataset import typical_step
from model.features.labels import Rules, future_labels
from model.features.rolling_window import RollingWindow
from model.forecast.metrics import average_precision
from model.forecast.predictor import Predictor
from model.forecast.pretrained import PretrainedModel, bootstrap_predictor
from model.training.fleet.own_training import OWN_RECIPE
from model.training.fleet.pooling import host_rows
from model.training.fleet.readings import Reading, fit_pretrained
from model.training.pipeline import train
from model.training.settings import Recipe
from model.training.task import Task
from monitor.fleet.training.tasks import host_seed
from monitor.sampling.trace_reader import Trace, read_trace

ORIGIN, END = 0.64, 0.80
"""Fractions of a trace: training uses the rows before the first, scoring the rows up to the second."""

SCORED_HORIZON = HORIZONS.index(900.0)
RESULTS = Path(__file__).parent / "results" / "fleet_quality.json"


@dataclass(frozen=True)
class Job:
    """Host to score, with all traces of its fleet."""

    path: Path
    fleet: tuple[Path, ...]
    rows: int


def before_origin(trace: Trace) -> tuple[int, float | None]:
    """Return the number of rows before the origin, and the high-load bound of the CPU usage in them."""
    first = int(len(trace.times) * ORIGIN)
    return first, high_load_bound(trace.values[:first, trace.columns.index("cpu_usage")])


def pooled_model(job: Job) -> PretrainedModel:
    """Return the pooled model of all hosts of a fleet but one."""
    readings = [reading for path in job.fleet if path != job.path for reading in readings_of(path, job.rows)]
    return fit_pretrained(readings, 0)


@cache
def readings_of(path: Path, rows: int) -> tuple[Reading, ...]:
    """Return the training rows of a host before the origin; empty without a high-load bound."""
    trace = read_trace(path)
    first, bound = before_origin(trace)
    if bound is None:
        return ()
    times = trace.times[:first]
    index = trace.values[:first, trace.columns.index("cpu_usage")] / bound
    host = host_rows(times, index, typical_step(times, 60.0), SUSTAINED, host_seed(0, path.name), rows)
    return () if host is None else host.readings


def score_host(job: Job) -> dict[str, float]:
    """Return the average precision at onset of each predictor at 15 minutes; empty if nothing can be scored."""
    trace = read_trace(job.path)
    first, bound = before_origin(trace)
    if bound is None:
        return {}
    end = int(len(trace.times) * END)
    task = Task(Rules(((("cpu_usage", bound),),), SUSTAINED), HORIZONS)
    step = typical_step(trace.times[:end], 60.0)
    window = RollingWindow(trace.columns, task.rules, step)
    window.extend(trace.times[:end], trace.values[:end])
    y = future_labels(trace.times[:end], window.state, HORIZONS)[first:, SCORED_HORIZON]
    onset = ~np.isnan(y) & (window.state[first:] == 0)
    if y[onset].sum() < MIN_EVENT_ROWS:
        return {}
    pooled = pooled_model(job)
    alone = bootstrap_predictor(pooled, trace.columns, task.rules, HORIZONS, step, task.precision)
    with patch("model.training.pipeline.supports", return_value=False):
        own = _trained(trace, first, task, OWN_RECIPE)
    blended = _trained(trace, first, task, replace(OWN_RECIPE, shared=pooled))
    scores = {}
    for name, predictor in (("pooled", alone), ("own", own), ("pooled and own", blended or alone)):
        if predictor is not None:
            p: Floats = replay(predictor, trace, first, end)[:, SCORED_HORIZON]
            scores[name] = average_precision(y[onset], np.nan_to_num(p[onset]))
    return scores if len(scores) == 3 else {}


def _trained(trace: Trace, first: int, task: Task, recipe: Recipe) -> Predictor | None:
    try:
        return train(
            trace.times[:first], trace.values[:first], trace.columns, task, recipe, np.random.default_rng(0)
        ).predictor
    except NotEnoughHistoryError:
        return None


def measure(options: argparse.Namespace) -> list[Figure]:
    """Score hosts of each fleet, and write the scores of each host to RESULTS if asked to."""
    fleets: dict[str, list[Path]] = {}
    for path in sorted(options.traces):
        fleets.setdefault(path.parent.name, []).append(path)
    figures = []
    recorded = {}
    for fleet, paths in fleets.items():
        jobs = [Job(path, tuple(paths), options.rows) for path in paths[: options.score]]
        with ProcessPoolExecutor(options.jobs) as pool:
            scores = dict(
                zip([job.path.name.partition(".")[0] for job in jobs], pool.map(score_host, jobs), strict=True)
            )
        scores = {host: own for host, own in scores.items() if own}
        recorded[fleet] = scores
        means = {
            name: statistics.mean(own[name] for own in scores.values())
            for name in ("pooled", "own", "pooled and own")
        }
        figures += [Figure(f"{fleet}, {name}, onset AP at 15 min", value) for name, value in means.items()]
        gain = means["pooled and own"] - means["own"]
        figures.append(Figure(f"{fleet}, gain by pooling ({len(scores)} hosts)", gain, least=0.0))
    if options.record:
        RESULTS.write_text(json.dumps(recorded, indent=2, sort_keys=True) + "\n")
    return figures


def _more(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("traces", nargs="+", type=Path, metavar="TRACE")
    parser.add_argument("--record", action="store_true", help=f"write the scores to {RESULTS.name}")


if __name__ == "__main__":
    raise SystemExit(
        main(
            __doc__ or "",
            measure,
            ("--score", 100, "largest number of hosts of each fleet to score"),
            ("--rows", 500, "training rows of a host in the pool, per high-load bound"),
            ("--jobs", 1, "processes"),
            more=_more,
        )
    )
