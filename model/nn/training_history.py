"""How a fit went: epoch by epoch, and at its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from statistics import fmean
from typing import NamedTuple

from model.nn.gradient_health import GradientHealth, health_of_all


class Epoch(NamedTuple):
    """One pass over the training rows.

    `train_loss` is the mean over its steps, each before its update; `validation_loss` is NaN where there is nothing
    to validate on; `gradient_norm` is the mean L2 norm of the whole gradient before clipping.
    """

    number: int
    train_loss: float
    validation_loss: float
    gradient_norm: float


@dataclass(frozen=True)
class FitReport:
    """How a fit went. `kept` is the number of the epoch whose weights were kept."""

    epochs: tuple[Epoch, ...]
    kept: int
    health: GradientHealth

    @property
    def best(self) -> Epoch:
        """The epoch that was kept."""
        return self.epochs[self.kept - 1]


def together(reports: Sequence[FitReport]) -> FitReport:
    """The trainings of an ensemble as one: losses on average, health at its worst."""
    epochs = []
    for at_once in zip_longest(*(report.epochs for report in reports)):
        there = [epoch for epoch in at_once if epoch is not None]
        epochs.append(
            Epoch(there[0].number, *(fmean(values) for values in zip(*(e[1:] for e in there), strict=True)))
        )
    kept = round(fmean(report.kept for report in reports))
    return FitReport(tuple(epochs), kept, health_of_all([report.health for report in reports]))
