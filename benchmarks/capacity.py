"""Benchmark of exhausted capacity: the capacity forecaster next to `predict_linear`, persistence and the base rate.

    python -m benchmarks.capacity [--series N] [--traces DIRECTORY] [--record FILE]

File systems are synthetic: no public trace with the use of single file systems was found. The memory series are those
of the machines in DIRECTORY that the priors have not seen. Predictions start after two hours of file system history,
or half an hour of memory history, and see only the past. `--check` fails if the model is worse than a baseline.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from benchmarks.capacity_series import KINDS, STEP, filesystem, memory_of
from model.array_types import Floats
from model.capacity.forecaster import CapacityForecaster, last_steps
from model.capacity.tasks import FILESYSTEM, LIMIT, MEMORY, CapacityTask
from model.capacity.usage_grid import UsageGrid, usage_grid
from model.forecast.log_odds import logit, sigmoid
from model.forecast.metrics import average_precision, brier, calibration_error
from model.forecast.online.recalibration import fit_recent
from model.units import DAY, HOUR

PREDICTORS = ("model", "recalibrated", "predict_linear", "persistence", "base_rate")
FIRST_SEED = 5000


def predictions(grid: UsageGrid, task: CapacityTask, every: float) -> Floats:
    """Return time, probability, predict_linear, persistence, outcome and full time in seconds of each prediction.

    Times at which the limit is passed already, or whose future is unknown, are left out.
    """
    forecaster = CapacityForecaster(task)
    ahead = grid.steps(task.horizon)
    rows = []
    for i in range(grid.steps(task.min_history), len(grid.values) - ahead, grid.steps(every)):
        future = grid.peaks[i + 1 : i + 1 + ahead]
        if np.isnan(grid.values[i]) or grid.values[i] >= LIMIT or np.isnan(future).any():
            continue
        past = last_steps(UsageGrid(grid.step, grid.values[: i + 1], grid.peaks[: i + 1]), grid.steps(task.history))
        forecast = forecaster.forecast(past, 1.0, i * grid.step)
        if forecast is not None:
            full = np.nan if forecast.full_seconds is None else forecast.full_seconds
            outcome = float(future.max() >= LIMIT)
            rows.append(
                (i * grid.step, forecast.probability, forecast.predict_linear, forecast.persistence, outcome, full)
            )
    return np.array(rows).reshape(-1, 6)


def with_recalibration(rows: Floats, task: CapacityTask, every: float) -> Floats:
    """Return recalibrated probabilities and base rates (rows, 2), each fitted to the outcomes known before."""
    times, p, y = rows[:, 0], rows[:, 1], rows[:, 4]
    result = np.empty((len(rows), 2))
    for start in range(0, len(rows), 24):
        chunk = slice(start, start + 24)
        known = times + task.horizon <= times[start]
        calibration = fit_recent(times[known], p[known], y[known], task.horizon, float(times[start]), every)
        result[chunk, 0] = sigmoid(calibration(logit(p[chunk])))
        result[chunk, 1] = (y[known].sum() + 1) / (known.sum() + 100)
    return result


def scores(rows: Floats, corrected: Floats) -> dict[str, dict[str, float]]:
    """Return the scores of each predictor over predictions with known outcomes."""
    y = rows[:, 4]
    reference = brier(y, corrected[:, 1])
    columns = (rows[:, 1], corrected[:, 0], rows[:, 2], rows[:, 3], corrected[:, 1])
    result = {}
    for name, p in zip(PREDICTORS, columns, strict=True):
        alarm = p >= 0.5
        result[name] = {
            "brier": brier(y, p),
            "skill": 1 - brier(y, p) / reference if y.any() else float("nan"),
            "ece": calibration_error(y, p),
            "average_precision": average_precision(y, p),
            "precision": float(y[alarm].mean()) if alarm.any() else float("nan"),
            "recall": float(alarm[y == 1].mean()) if y.any() else float("nan"),
        }
    return result


def report(title: str, tables: list[tuple[Floats, Floats]]) -> dict[str, object]:
    """Print and return the scores over all series of one kind."""
    rows = np.concatenate([each[0] for each in tables])
    table = scores(rows, np.concatenate([each[1] for each in tables]))
    rate = float(rows[:, 4].mean())
    print(f"{title}: {len(tables)} series, {len(rows)} predictions, events in {100 * rate:.1f} %")
    for name, values in table.items():
        print(f"  {name:15}" + " ".join(f"{key} {value:6.3f}" for key, value in values.items()))
    return {"series": len(tables), "predictions": len(rows), "event_rate": rate, "scores": table}


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=4, help="synthetic file systems of each kind")
    parser.add_argument("--traces", type=Path, help="directory of traces with memory_usage")
    parser.add_argument("--record", type=Path, help="JSON file for the results")
    parser.add_argument("--check", action="store_true", help="exit 1 if the model is worse than a baseline")
    arguments = parser.parse_args()
    results: dict[str, dict[str, object]] = {}
    every = 2 * HOUR
    pooled = []
    for kind in KINDS:
        tables = []
        for seed in range(FIRST_SEED, FIRST_SEED + arguments.series):
            used = filesystem(kind, seed)
            rows = predictions(UsageGrid(STEP, used, used), FILESYSTEM, every)
            tables.append((rows, with_recalibration(rows, FILESYSTEM, every)))
        pooled += tables
        results[kind.__name__] = report(kind.__name__, tables)
    results["filesystems"] = report("all file systems", pooled)
    if arguments.traces is not None:
        results["memory"] = report("memory", [memory_table(path) for path in memory_traces(arguments.traces)])
    if arguments.record is not None:
        arguments.record.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    if not arguments.check:
        return 0
    return max(int(not beats_baselines(results[name])) for name in ("filesystems", "memory") if name in results)


def memory_traces(directory: Path) -> list[Path]:
    """Return the traces that the priors have not seen."""
    return [path for path in sorted(directory.glob("**/*.csv.gz")) if not path.name.startswith("machine-1-")]


def memory_table(path: Path) -> tuple[Floats, Floats]:
    """Return the predictions for the memory of one machine and their corrections; at most 20 days are read."""
    grid = last_steps(usage_grid(*memory_of(path), STEP), round(20 * DAY / STEP))
    rows = predictions(grid, MEMORY, HOUR / 2)
    return rows, with_recalibration(rows, MEMORY, HOUR / 2)


def beats_baselines(result: dict[str, object]) -> bool:
    """Return True if the Brier score of the recalibrated model is the lowest one."""
    table = result["scores"]
    assert isinstance(table, dict)
    best = table["recalibrated"]["brier"]
    return all(best <= table[name]["brier"] for name in PREDICTORS[2:])


if __name__ == "__main__":
    sys.exit(main())
