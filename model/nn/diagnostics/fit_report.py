"""Fit report: losses per epoch, number of the kept epoch, and gradient health."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import NamedTuple

from model.nn.diagnostics.gradient_health import GradientHealth, combine_health


class Epoch(NamedTuple):
    """Result of one pass over the training examples.

    Attributes:
        number: number of the epoch, 1 for the first.
        train_loss: training loss over all batches; the loss of a batch is measured before the update of its step.
        validation_loss: validation loss after the epoch; NaN if there are no validation examples.
        gradient_norm: mean L2 norm of the gradient over the steps, before clipping; 0 for a skipped step.
    """

    number: int
    train_loss: float
    validation_loss: float
    gradient_norm: float


@dataclass(frozen=True)
class FitReport:
    """Result of a training run.

    Attributes:
        epochs: results of the epochs, in order.
        kept_epoch: number of the epoch whose parameters were kept.
        health: diagnosis of gradients and activations.
    """

    epochs: tuple[Epoch, ...]
    kept_epoch: int
    health: GradientHealth

    @property
    def kept(self) -> Epoch:
        """Result of the kept epoch.

        It is the epoch with the lowest validation loss; the last epoch if `keep_best` was off or there are no
        validation examples.
        """
        return self.epochs[self.kept_epoch - 1]


def combine_reports(reports: Sequence[FitReport]) -> FitReport:
    """Combine the reports of the networks of an ensemble.

    The result of an epoch is the mean over the networks; a network that ended earlier counts with its last epoch.
    `kept_epoch` is the largest of the networks. Gradient health is combined by `combine_health`.
    """
    longest = max(len(report.epochs) for report in reports)
    epochs = tuple(
        _mean_epoch(number + 1, [report.epochs[min(number, len(report.epochs) - 1)] for report in reports])
        for number in range(longest)
    )
    kept_epoch = max(report.kept_epoch for report in reports)
    return FitReport(epochs, kept_epoch, combine_health([report.health for report in reports]))


def _mean_epoch(number: int, epochs: Sequence[Epoch]) -> Epoch:
    return Epoch(
        number=number,
        train_loss=fmean(epoch.train_loss for epoch in epochs),
        validation_loss=fmean(epoch.validation_loss for epoch in epochs),
        gradient_norm=fmean(epoch.gradient_norm for epoch in epochs),
    )
