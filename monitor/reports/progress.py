"""Training progress on stderr: a bar on a terminal, otherwise about ten lines.

With JSON logs no progress is shown, because stderr must then contain log lines only.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from model.nn.diagnostics.fit_report import Epoch
from model.training.pipeline import OnEpoch
from monitor.system.logging import logs_are_json

MAX_LINES = 10
"""Approximate number of lines when stderr is not a terminal."""


@contextmanager
def training_progress() -> Iterator[OnEpoch]:
    """Show the progress of a training run; yield the callback for each epoch."""
    if logs_are_json():
        yield lambda *_: None
        return
    if not sys.stderr.isatty():
        yield _print_epoch
        return
    # Imported late: rich takes about 50 ms and 5 MB, and other commands do not need it.
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (
        TextColumn("training"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=None)
        yield lambda epoch, epochs: bar.update(task, completed=epoch.number, total=epochs, description=_losses(epoch))


def _losses(epoch: Epoch) -> str:
    validation = "" if math.isnan(epoch.validation_loss) else f", validation loss {epoch.validation_loss:.4f}"
    return f"loss {epoch.train_loss:.4f}{validation}"


def _print_epoch(epoch: Epoch, epochs: int) -> None:
    if (epoch.number - 1) % max(1, epochs // MAX_LINES) == 0:
        print(f"epoch {epoch.number}/{epochs}: {_losses(epoch)}", file=sys.stderr, flush=True)  # noqa: T201


class ImportProgress:
    """Progress of an import on stderr: a line for each tenth."""

    def __init__(self) -> None:
        self._lines = 0

    def show(self, ratio: float) -> None:
        """Print how much of the import is done, from 0 to 1, if it is another tenth since the last line."""
        if logs_are_json() or ratio * MAX_LINES < self._lines + 1:
            return
        self._lines = int(ratio * MAX_LINES)
        print(f"imported {ratio:.0%}", file=sys.stderr, flush=True)  # noqa: T201


class CopyProgress:
    """Progress of the copy of a database on stderr: a line for each tenth of a table with many rows."""

    def __init__(self) -> None:
        self._table = ""
        self._lines = 0

    def show(self, table: str, rows: int, total: int) -> None:
        """Print how many rows of a table are copied, if it is another tenth or the last row."""
        if table != self._table:
            self._table = table
            self._lines = 0
        if logs_are_json() or rows * MAX_LINES < (self._lines + 1) * total:
            return
        self._lines = rows * MAX_LINES // max(1, total)
        print(f"{table}: {rows:,} of {total:,} rows", file=sys.stderr, flush=True)  # noqa: T201
