"""Divergence check: termination of a training run with an excessive loss or non-finite values."""

from __future__ import annotations

import math

from model.array_types import Floats
from model.errors import DivergedError

MAX_NONFINITE_STEPS = 10
"""Largest number of steps with a non-finite gradient; a training run with more such steps counts as diverged."""

LOSS_FACTOR = 10
"""A training run counts as diverged if its training loss exceeds this multiple of the initial loss."""

MIN_INITIAL_LOSS = 0.1
"""Lower bound of the initial loss in the comparison with `LOSS_FACTOR`, for losses that start near zero."""

REMEDY = "lower the learning rate (training.learning_rate), or scale the inputs"


class DivergenceCheck:
    """Divergence check of one training run: each method raises DivergedError if the run has diverged.

    Attributes:
        initial_loss: training loss before the first step.
    """

    def __init__(self, initial_loss: float) -> None:
        self.initial_loss = initial_loss

    def check_nonfinite_steps(self, nonfinite_steps: int) -> None:
        """Raise DivergedError if more than `MAX_NONFINITE_STEPS` steps had a non-finite gradient."""
        if nonfinite_steps > MAX_NONFINITE_STEPS:
            raise DivergedError(f"the training diverged: gradients not finite: {REMEDY}")

    def check_epoch(self, number: int, train_loss: float, monitored_loss: float, parameters: Floats) -> None:
        """Raise DivergedError if a loss or parameter is not finite, or if the training loss is too high.

        Args:
            number: number of the epoch.
            train_loss: training loss of the epoch.
            monitored_loss: validation loss of the epoch; training loss if there are no validation examples.
            parameters: (parameters,) after the epoch.
        """
        finite = math.isfinite(monitored_loss) and math.isfinite(parameters.dot(parameters))
        if not finite or self._too_high(train_loss):
            raise DivergedError(
                f"the training diverged in epoch {number} (loss {train_loss:.3g}, "
                f"initially {self.initial_loss:.3g}): {REMEDY}"
            )

    def check_last_step(self, loss: float) -> None:
        """Raise DivergedError if the training loss after the last step is too high.

        Epoch losses do not include the last update, because the loss of a step is measured before its update.
        """
        if self._too_high(loss):
            raise DivergedError(
                f"the training diverged in its last step (loss {loss:.3g}, initially {self.initial_loss:.3g}): "
                f"{REMEDY}"
            )

    def _too_high(self, loss: float) -> bool:
        # The negated comparison is True for NaN.
        return not loss <= LOSS_FACTOR * max(self.initial_loss, MIN_INITIAL_LOSS)
