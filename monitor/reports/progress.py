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


def show_import_progress(ratio: float) -> None:
    """Print to stderr how much of an import is done, from 0 to 1."""
    if not logs_are_json():
        print(f"imported {ratio:.0%}", file=sys.stderr, flush=True)  # noqa: T201
