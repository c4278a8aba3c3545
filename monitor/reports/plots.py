"""A backtest as a picture: does it mean what it says, what does it find, and how did it look."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from model.training.backtest_result import BacktestResult
from model.units import HOUR
from monitor.errors import MonitorError
from monitor.system.atomic_write import created
from monitor.system.formatting import format_duration

BINS = 10
STRETCH = 600
"""Rows shown of the prediction beside the load."""


def plot_backtest(found: BacktestResult, path: Path) -> None:
    """Draws reliability, precision over recall at the onset, and a stretch of prediction beside the load.

    Raises:
        MonitorError: matplotlib is not installed, or the file cannot be written.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError as error:
        raise MonitorError("--plot needs matplotlib: pip install 'monitor[plot]'") from error
    figure = Figure(figsize=(12, 8), layout="constrained")
    FigureCanvasAgg(figure)
    above = figure.add_gridspec(2, 2)
    _reliability(figure.add_subplot(above[0, 0]), found)
    _precision(figure.add_subplot(above[0, 1]), found)
    _stretch(figure.add_subplot(above[1, :]), found)
    picture = BytesIO()
    try:
        figure.savefig(picture, format=path.suffix[1:] or "png", dpi=110)
    except ValueError as error:
        raise MonitorError(f"{path}: {error}") from error
    with created(path) as file:
        file.write(picture.getvalue())


def reliability(y: Any, p: Any) -> tuple[list[float], list[float]]:
    """Mean probability and share of events in each of ten bins that holds anything."""
    which = np.minimum((p * BINS).astype(int), BINS - 1)
    rows = np.bincount(which, minlength=BINS)
    used = rows > 0
    said = np.bincount(which, weights=p, minlength=BINS)[used] / rows[used]
    came = np.bincount(which, weights=y, minlength=BINS)[used] / rows[used]
    return said.tolist(), came.tolist()


def precision_recall(y: Any, p: Any) -> tuple[list[float], list[float]]:
    """Recall and precision at each threshold, from the highest on."""
    order = np.argsort(-p, kind="stable")
    hits = np.cumsum(y[order])
    last = np.append(np.diff(p[order]) != 0, True)
    taken = np.arange(1, len(y) + 1)
    return (hits[last] / max(1.0, hits[-1])).tolist(), (hits[last] / taken[last]).tolist()


def _known(found: BacktestResult, i: int, *, onset: bool) -> tuple[Any, Any]:
    rows = ~np.isnan(found.labels[:, i]) & ~np.isnan(found.probabilities[:, i])
    if onset:
        rows &= found.state == 0
    return found.labels[rows, i], found.probabilities[rows, i]


def _reliability(axes: Any, found: BacktestResult) -> None:
    axes.plot([0, 1], [0, 1], color="grey", linewidth=1, label="means what it says")
    for i, horizon in enumerate(found.horizons):
        y, p = _known(found, i, onset=False)
        if len(y):
            axes.plot(*reliability(y, p), marker="o", label=format_duration(horizon))
    axes.set(title="Reliability", xlabel="probability said", ylabel="share that came", xlim=(0, 1), ylim=(0, 1))
    axes.legend()


def _precision(axes: Any, found: BacktestResult) -> None:
    for i, horizon in enumerate(found.horizons):
        y, p = _known(found, i, onset=True)
        if len(y) and y.any():
            axes.plot(*precision_recall(y, p), label=format_duration(horizon))
    axes.set(
        title="At the onset (load not high yet)", xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02)
    )
    axes.legend()


def _stretch(axes: Any, found: BacktestResult) -> None:
    """The rows around the first stretch of high load that was spoken about."""
    high = np.flatnonzero((found.state == 1) & ~np.isnan(found.probabilities).all(axis=1))
    first = max(0, int(high[0]) - STRETCH // 2) if len(high) else 0
    here = slice(first, first + STRETCH)
    hours = (found.times[here] - found.times[here][0]) / HOUR
    axes.fill_between(hours, 0, 1, where=found.state[here] == 1, color="tab:red", alpha=0.2, label="high load")
    axes.plot(hours, found.load_index[here], color="grey", linewidth=1, label="load index (1 is high)")
    for i, horizon in enumerate(found.horizons):
        axes.plot(hours, found.probabilities[here, i], label=f"P within {format_duration(horizon)}")
    axes.set(
        title="A stretch",
        xlabel="hours",
        ylim=(0, max(1.3, float(np.nan_to_num(found.load_index[here]).max()) + 0.1)),
    )
    axes.legend(loc="upper right")
