#!/usr/bin/env python3
"""Fit the priors of exhausted capacity, and write model/capacity/prior_values.py.

    python scripts/make_capacity_prior.py [DIRECTORY]

The priors are fitted on the synthetic file systems of `benchmarks.capacity_series`, with seeds that the benchmark
does not use, and on the memory of the traces `machine-1-*.csv.gz` in DIRECTORY (Server Machine Dataset, MIT licence).
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from benchmarks.capacity_series import KINDS, STEP, filesystem, memory_of
from model.array_types import Floats
from model.capacity.excursion_model import fit_excursion_model, regression_weights, training_rows
from model.capacity.excursions import FEATURES, excursions_of
from model.capacity.prior import ExcursionPrior
from model.capacity.tasks import LIMIT
from model.capacity.usage_grid import UsageGrid, usage_grid
from model.forecast.calibration import Calibration, fit_calibration
from model.forecast.log_odds import logit
from model.units import DAY, HOUR

OUTPUT = Path(__file__).parents[1] / "model" / "capacity" / "prior_values.py"
SEEDS = range(1000, 1030)
QUANTILES = 64
PRIOR_BLOCKS = 500.0
HISTORY = 14 * DAY
CALIBRATION_SEEDS = range(1000, 1008)


def main(directory: str | None) -> None:
    """Fit the prior of each horizon and write the module."""
    lines = ['"""Values of the priors, written by `scripts/make_capacity_prior.py`: do not edit."""', ""]
    lines += ["# Per horizon in seconds: regression weights, residual quantiles, slope and intercept."]
    lines += ["VALUES: dict[float, tuple[tuple[float, ...], tuple[float, ...], tuple[float, float]]] = {"]
    for horizon in (HOUR, 6 * HOUR, DAY):
        grids = [grid_of(filesystem(kind, seed)) for kind in KINDS for seed in SEEDS]
        calibration_grids = [grid_of(filesystem(kind, seed)) for kind in KINDS for seed in CALIBRATION_SEEDS]
        if horizon == HOUR and directory is not None:
            memory = [
                usage_grid(*memory_of(path), STEP) for path in sorted(Path(directory).glob("machine-1-*.csv.gz"))
            ]
            grids += memory * 10
            calibration_grids += memory
        prior = pooled(grids, horizon)
        calibration = calibrated(calibration_grids, horizon, prior)
        lines += [f"    {horizon!r}: (", f"        {rounded(prior.weights)},", f"        {rounded(prior.residuals)},"]
        lines += [f"        {rounded(np.array((calibration.slope, calibration.intercept)))},", "    ),"]
        print(horizon, dict(zip(FEATURES, prior.weights.round(3).tolist(), strict=True)), calibration, flush=True)
    OUTPUT.write_text("\n".join([*lines, "}", ""]), encoding="utf-8")


def grid_of(used: Floats) -> UsageGrid:
    """Return the grid of a file system without gaps."""
    return UsageGrid(STEP, used, used)


def rounded(values: Floats) -> tuple[float, ...]:
    """Return numbers with four decimals."""
    return tuple(round(float(value), 4) for value in values)


def pooled(grids: list[UsageGrid], horizon: float) -> ExcursionPrior:
    """Return the prior that is fitted to all grids."""
    excursions = [excursions_of(grid, horizon, 1.0) for grid in grids]
    rows = [training_rows(each)[::4] for each in excursions]
    x = np.concatenate([each.features[chosen] for each, chosen in zip(excursions, rows, strict=True)])
    z = np.concatenate([each.excursions[chosen] for each, chosen in zip(excursions, rows, strict=True)])
    weights = regression_weights(x, z, np.full(len(z), PRIOR_BLOCKS / len(z)), np.zeros(len(FEATURES)))
    levels = (np.arange(QUANTILES) + 0.5) / QUANTILES
    return ExcursionPrior(weights, np.quantile(z - x @ weights, levels), Calibration())


def calibrated(grids: list[UsageGrid], horizon: float, prior: ExcursionPrior) -> Calibration:
    """Return the calibration of models that are fitted to the first part of each grid and predict the rest."""
    probabilities = []
    labels = []
    for grid in grids:
        steps = grid.steps(horizon)
        for start in range(steps, len(grid.values) - steps, grid.steps(2 * DAY)):
            first = max(0, start - grid.steps(HISTORY))
            model = fit_excursion_model(excursions_of(part(grid, first, start), horizon, 1.0), steps, prior)
            end = min(start + grid.steps(2 * DAY), len(grid.values))
            following = excursions_of(part(grid, first, end), horizon, 1.0)
            for i in range(start, end - steps, 12):
                margin = LIMIT - float(grid.values[i])
                future = grid.peaks[i + 1 : i + 1 + steps]
                if not margin > 0 or not len(future):
                    continue
                probabilities.append(
                    model.probability(following.features[i - first], margin / following.activity[i - first])
                )
                labels.append(float(np.nanmax(future) >= LIMIT))
    return fit_calibration(logit(np.array(probabilities)), np.array(labels), block_rows=1.0)


def part(grid: UsageGrid, start: int, end: int) -> UsageGrid:
    """Return the steps from `start` to `end`."""
    return UsageGrid(grid.step, grid.values[start:end], grid.peaks[start:end])


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
