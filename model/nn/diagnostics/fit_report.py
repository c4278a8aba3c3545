"""How a fit went: epoch by epoch, and at its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from statistics import fmean
from typing import NamedTuple

from model.nn.diagnostics.gradient_health import GradientHealth, combine_health


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
    """How a fit went. `kept_epoch` is the number of the epoch whose weights were kept."""

    epochs: tuple[Epoch, ...]
    kept_epoch: int
    health: GradientHealth

    @property
    def best(self) -> Epoch:
        """The epoch that was kept."""
        return self.epochs[self.kept_epoch - 1]


def combine_reports(reports: Sequence[FitReport]) -> FitReport:
    """The trainings of an ensemble as one: losses on average, health at its worst."""
    epochs = []
    for at_once in zip_longest(*(report.epochs for report in reports)):
        there = [epoch for epoch in at_once if epoch is not None]
        epochs.append(
            Epoch(there[0].number, *(fmean(values) for values in zip(*(e[1:] for e in there), strict=True)))
        )
    kept = round(fmean(report.kept_epoch for report in reports))
    return FitReport(tuple(epochs), kept, combine_health([report.health for report in reports]))
