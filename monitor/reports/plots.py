"""Plot of a backtest: reliability, precision and recall, and an example period."""

from __future__ import annotations

import shlex
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from model.array_types import Floats
from model.training.backtest_result import BacktestResult
from model.units import HOUR
from monitor.errors import MonitorError
from monitor.system.atomic_write import open_atomic
from monitor.system.formatting import format_duration

BINS = 10
"""Number of equally wide bins of the reliability curve."""

EXAMPLE_ROWS = 600
"""Number of rows of the example period."""


def check_plot(path: Path) -> None:
    """Check that matplotlib is installed and supports the format of a file.

    Raises:
        MonitorError: matplotlib is not installed or does not support the format.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
        from matplotlib.figure import Figure  # noqa: F401, PLC0415
    except ImportError as error:
        raise MonitorError(
            "--plot needs matplotlib, which this Python does not have; install it with: "
            f"python3 -m pip --python {shlex.quote(sys.executable)} install 'matplotlib>=3.9,<4'"
        ) from error
    formats = FigureCanvasAgg.get_supported_filetypes()
    if _format_of(path) not in formats:
        raise MonitorError(f"{path}: {path.suffix} is not a format of matplotlib: {', '.join(sorted(formats))}")


def plot_backtest(result: BacktestResult, path: Path) -> None:
    """Plot a backtest to a file; its suffix selects the format.

    Raises:
        MonitorError: matplotlib is not installed or does not support the format, or the file cannot be written.
    """
    check_plot(path)
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(12, 8), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(2, 2)
    _plot_reliability(figure.add_subplot(grid[0, 0]), result)
    _plot_precision(figure.add_subplot(grid[0, 1]), result)
    _plot_example(figure.add_subplot(grid[1, :]), result)
    image = BytesIO()
    figure.savefig(image, format=_format_of(path), dpi=110)
    with open_atomic(path) as file:
        file.write(image.getvalue())


def _format_of(path: Path) -> str:
    return path.suffix[1:].lower() or "png"


def reliability_curve(y: Floats, p: Floats) -> tuple[list[float], list[float]]:
    """Return the mean probability and the observed frequency of each non-empty bin.

    Args:
        y: (rows,) outcomes, 0 or 1.
        p: (rows,) probabilities.
    """
    which = np.minimum((p * BINS).astype(int), BINS - 1)
    rows = np.bincount(which, minlength=BINS)
    used = rows > 0
    predicted = np.bincount(which, weights=p, minlength=BINS)[used] / rows[used]
    observed = np.bincount(which, weights=y, minlength=BINS)[used] / rows[used]
    return predicted.tolist(), observed.tolist()


def precision_recall_curve(y: Floats, p: Floats) -> tuple[list[float], list[float]]:
    """Return recall and precision with each distinct probability as threshold, in descending order of the threshold.

    Args:
        y: (rows,) outcomes, 0 or 1.
        p: (rows,) probabilities.
    """
    order = np.argsort(-p, kind="stable")
    hits = np.cumsum(y[order])
    last_of_ties = np.append(np.diff(p[order]) != 0, True)
    taken = np.arange(1, len(y) + 1)
    recall = hits[last_of_ties] / max(1.0, hits[-1])
    precision = hits[last_of_ties] / taken[last_of_ties]
    return recall.tolist(), precision.tolist()


def _scored_rows(result: BacktestResult, i: int, *, onset: bool) -> tuple[Floats, Floats]:
    """Return outcomes and probabilities of the rows that have both, each with shape (scored rows,).

    Args:
        result: result of the backtest.
        i: index of the horizon.
        onset: True to keep only rows at which load was not high.
    """
    rows = ~np.isnan(result.labels[:, i]) & ~np.isnan(result.probabilities[:, i])
    if onset:
        rows &= result.state == 0
    return result.labels[rows, i], result.probabilities[rows, i]


def _plot_reliability(axes: Any, result: BacktestResult) -> None:
    axes.plot([0, 1], [0, 1], color="grey", linewidth=1, label="perfect calibration")
    for i, horizon in enumerate(result.horizons):
        y, p = _scored_rows(result, i, onset=False)
        if len(y):
            axes.plot(*reliability_curve(y, p), marker="o", label=format_duration(horizon))
    labels = {"xlabel": "predicted probability", "ylabel": "observed frequency"}
    axes.set(title="Reliability", xlim=(0, 1), ylim=(0, 1), **labels)
    axes.legend()


def _plot_precision(axes: Any, result: BacktestResult) -> None:
    for i, horizon in enumerate(result.horizons):
        y, p = _scored_rows(result, i, onset=True)
        if len(y) and y.any():
            axes.plot(*precision_recall_curve(y, p), label=format_duration(horizon))
    title = "Precision and recall at the onset (load not high yet)"
    axes.set(title=title, xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))
    if axes.get_legend_handles_labels()[0]:
        axes.legend()


def _plot_example(axes: Any, result: BacktestResult) -> None:
    """Plot EXAMPLE_ROWS rows around the first high-load row with predictions; the first rows if there is none."""
    high = np.flatnonzero((result.state == 1) & ~np.isnan(result.probabilities).all(axis=1))
    first = max(0, int(high[0]) - EXAMPLE_ROWS // 2) if len(high) else 0
    rows = slice(first, first + EXAMPLE_ROWS)
    hours = (result.times[rows] - result.times[rows][0]) / HOUR
    load_index = result.load_index[rows]
    axes.fill_between(hours, 0, 1, where=result.state[rows] == 1, color="tab:red", alpha=0.2, label="high load")
    axes.plot(hours, load_index, color="grey", linewidth=1, label="load index (1 is high)")
    for i, horizon in enumerate(result.horizons):
        label = f"probability within {format_duration(horizon)}"
        axes.plot(hours, result.probabilities[rows, i], label=label)
    top = max(1.3, float(np.nan_to_num(load_index).max()) + 0.1)
    axes.set(title="Example period", xlabel="hours", ylim=(0, top))
    axes.legend(loc="upper right")
