"""Divergence check: stops a training run whose loss or gradients are not plausible."""

from __future__ import annotations

import math

from model.array_types import Floats
from model.errors import DivergedError

MAX_NONFINITE_STEPS = 10
"""Number of skipped steps with non-finite gradient above which a training run counts as diverged."""

LOSS_FACTOR = 10
"""Multiple of the initial loss above which a training run counts as diverged."""

MIN_INITIAL_LOSS = 0.1
"""Lower bound of the initial loss in this comparison, for losses that start near zero."""

REMEDY = "lower the learning rate (training.learning_rate), or scale the inputs"


class DivergenceCheck:
    """Divergence check of one training run.

    Args:
        initial_loss: training loss before the first step.
    """

    def __init__(self, initial_loss: float) -> None:
        self.initial_loss = initial_loss

    def check_gradients(self, nonfinite_steps: int) -> None:
        """Raise DivergedError if too many steps had a non-finite gradient."""
        if nonfinite_steps > MAX_NONFINITE_STEPS:
            raise DivergedError(f"the training diverged: gradients are not finite: {REMEDY}")

    def check_epoch(self, number: int, train_loss: float, monitored_loss: float, weights: Floats) -> None:
        """Raise DivergedError if a loss or weight is not finite, or the training loss far above its initial value.

        Args:
            number: number of the epoch.
            train_loss: training loss of the epoch.
            monitored_loss: validation loss, or training loss without validation examples.
            weights: (parameters,) weights after the epoch.
        """
        finite = math.isfinite(monitored_loss) and math.isfinite(weights.dot(weights))
        if not finite or self._too_high(train_loss):
            raise DivergedError(
                f"the training diverged in epoch {number} (loss {train_loss:.3g}, "
                f"at its start {self.initial_loss:.3g}): {REMEDY}"
            )

    def check_last_step(self, loss: float) -> None:
        """Raise DivergedError if the loss after the last step is far above its initial value.

        The loss of an epoch is measured before each update, so it does not show the effect of the last one.
        """
        if self._too_high(loss):
            raise DivergedError(
                f"the training diverged in its last step (loss {loss:.3g}, at its start {self.initial_loss:.3g}): "
                f"{REMEDY}"
            )

    def _too_high(self, loss: float) -> bool:
        return not loss <= LOSS_FACTOR * max(self.initial_loss, MIN_INITIAL_LOSS)
