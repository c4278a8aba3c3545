"""The progress of a training on stderr: a bar on a terminal, a few plain lines elsewhere, nothing among JSON."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from model.nn.diagnostics.fit_report import Epoch
from monitor.system.logging import logs_are_json

LINES = 10


@contextmanager
def progress(epochs: int) -> Iterator[Callable[[Epoch], None]]:
    """What to call after each of at most `epochs` epochs."""
    if logs_are_json():
        yield lambda _: None
        return
    if not sys.stderr.isatty():
        yield _lines(epochs)
        return
    # Imported here: it costs about 50 ms and 5 MB that no other command should pay.
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
        task = bar.add_task("", total=epochs)
        yield lambda epoch: bar.update(task, completed=epoch.number, description=_losses(epoch))


def _losses(epoch: Epoch) -> str:
    judged = "" if math.isnan(epoch.validation_loss) else f", on data it has not seen {epoch.validation_loss:.4f}"
    return f"loss {epoch.train_loss:.4f}{judged}"


def _lines(epochs: int) -> Callable[[Epoch], None]:
    def show(epoch: Epoch) -> None:
        if (epoch.number - 1) % max(1, epochs // LINES) == 0:
            print(f"epoch {epoch.number}/{epochs}: {_losses(epoch)}", file=sys.stderr, flush=True)  # noqa: T201

    return show
