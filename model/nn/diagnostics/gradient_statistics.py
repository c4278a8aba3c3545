"""Gradient statistics: gradient norms and update ratios per parameter, summed over the training steps."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from model.array_types import Floats
from model.nn.diagnostics.gradient_health import ParameterHealth, StepCounts
from model.nn.network import Network

UPDATE_INTERVAL = 64
"""Steps between two measurements of the update ratio: it changes slowly, and a measurement reads all parameters."""

BUFFER_STEPS = 256
"""Number of gradients in the buffer; their norms are computed together when the buffer is full."""

BUFFERED_PARAMETERS = 2048
"""Largest number of parameters whose gradients are buffered.

Up to this number, the overhead of a NumPy call exceeds the time of its arithmetic, so one call computes the norms of
`BUFFER_STEPS` steps.
"""


@dataclass(frozen=True)
class StatisticsState:
    """State of `GradientStatistics` between two epochs.

    Attributes:
        sums: (4, parameters) array with four rows: sum of the gradient norms of the last epoch, last norm, largest
            norm, and sum of the update ratios.
        counts: five numbers: norms in the first row of `sums`, update ratios in its last row, all steps, clipped
            steps and skipped steps.
    """

    sums: Floats
    counts: tuple[int, int, int, int, int]


class GradientStatistics:
    """Statistics of gradients and updates for each parameter, accumulated over the steps of a training run.

    The training loop calls `record_gradient` in each step, and then `record_update` if `update_due` is True. All
    gradients are buffered in a network of at most `BUFFERED_PARAMETERS` parameters. In a larger network, only the
    biases are buffered, which are at the end of the flat vector. If there are more than `BUFFERED_PARAMETERS` biases,
    nothing is buffered.

    Args:
        network: network in training.
        gradient: (parameters,) array that holds the gradient of the current step.
    """

    def __init__(self, network: Network, gradient: Floats) -> None:
        self._network = network
        self._slices = [network.parameter_slice(name) for name in network.names]
        self._parameters = [network.flat[position] for position in self._slices]
        self._buffer_start = _buffer_start(network)
        direct = sorted((p for p in self._slices if p.start < self._buffer_start), key=lambda p: p.start)
        self._direct = [gradient[position] for position in direct]
        self._buffered = gradient[self._buffer_start :]
        starts = np.array([position.start for position in self._slices])
        # In the flat vector, unbuffered parameters precede buffered parameters.
        in_order = np.sort(starts)
        self._buffered_starts = in_order[in_order >= self._buffer_start] - self._buffer_start
        self._position_in_order = np.searchsorted(in_order, starts)
        self._direct_squares: list[list[float]] = []
        self._buffer: Floats = np.empty((BUFFER_STEPS, len(self._buffered)), gradient.dtype)
        self._buffer_steps = 0
        self._epoch_start = 0
        size = len(network.names)
        self._norm_sum: Floats = np.zeros(size)
        self._norm_last: Floats = np.zeros(size)
        self._norm_max: Floats = np.zeros(size)
        self._ratio_sum: Floats = np.zeros(size)
        self._norm_count = 0
        self._ratio_count = 0
        self._ratio_of_epoch = False
        self._steps = 0
        self._clipped_steps = 0
        self._nonfinite_steps = 0

    def start_epoch(self) -> None:
        """Reset the mean gradient norms; keep the mean update ratios until the first measurement of the epoch."""
        self._epoch_start = self._buffer_steps
        if self._norm_count:
            self._norm_sum[:] = 0
            self._norm_count = 0
        if self._ratio_count > 1:
            # The mean of the previous epoch then counts as one measurement.
            self._ratio_sum /= self._ratio_count
            self._ratio_count = 1
        self._ratio_of_epoch = False

    def record_gradient(self) -> float:
        """Record the gradient of the current step and return its L2 norm."""
        if self._buffer_steps == BUFFER_STEPS:
            self._flush()
        buffered = self._buffered
        self._buffer[self._buffer_steps] = buffered
        self._buffer_steps += 1
        self._steps += 1
        square = buffered.dot(buffered)
        if self._direct:
            squares = [float(part.dot(part)) for part in self._direct]
            self._direct_squares.append(squares)
            square += sum(squares)
        return math.sqrt(square)

    def discard_nonfinite(self) -> None:
        """Remove the gradient of the current step, which is not finite, and count the step as skipped."""
        self._nonfinite_steps += 1
        self._buffer_steps -= 1
        del self._direct_squares[self._buffer_steps :]

    def count_clipped(self) -> None:
        """Count the current step as clipped."""
        self._clipped_steps += 1

    @property
    def update_due(self) -> bool:
        """Return True if the update of this step must be recorded: at step 1, 1 + `UPDATE_INTERVAL` and so on."""
        return self._steps % UPDATE_INTERVAL == 1

    def record_update(self, update: Floats) -> None:
        """Record the update ratio norm(update) / norm(parameter) of each parameter.

        Args:
            update: (parameters,), not yet added to the parameters.
        """
        if not self._ratio_of_epoch:
            self._ratio_sum[:] = 0
            self._ratio_count = 0
            self._ratio_of_epoch = True
        # Biases start at zero: the lower bound keeps their first ratios finite.
        self._ratio_sum += [
            math.sqrt(float(step.dot(step)) / max(float(parameter.dot(parameter)), 1e-6))
            for step, parameter in zip([update[position] for position in self._slices], self._parameters, strict=True)
        ]
        self._ratio_count += 1

    @property
    def step_counts(self) -> StepCounts:
        """Return the numbers of all, clipped and skipped steps."""
        return StepCounts(self._steps, self._clipped_steps, self._nonfinite_steps)

    def parameter_health(self) -> tuple[ParameterHealth, ...]:
        """Return the gradient norms and update ratios per parameter."""
        self._flush()
        norm_mean = self._norm_sum / max(1, self._norm_count)
        ratio_mean = self._ratio_sum / max(1, self._ratio_count)
        return tuple(
            ParameterHealth(
                name=name,
                norm=float(norm_mean[i]),
                norm_last=float(self._norm_last[i]),
                norm_max=float(self._norm_max[i]),
                update_ratio=float(ratio_mean[i]),
            )
            for i, name in enumerate(self._network.names)
        )

    def state(self) -> StatisticsState:
        """Return the state between two epochs, for a checkpoint."""
        self._flush()
        return StatisticsState(
            sums=np.stack([self._norm_sum, self._norm_last, self._norm_max, self._ratio_sum]),
            counts=(
                self._norm_count,
                self._ratio_count,
                self._steps,
                self._clipped_steps,
                self._nonfinite_steps,
            ),
        )

    def restore(self, state: StatisticsState) -> None:
        """Set the statistics to a saved state."""
        self._norm_sum, self._norm_last, self._norm_max, self._ratio_sum = state.sums.copy()
        self._norm_count, self._ratio_count, self._steps, self._clipped_steps, self._nonfinite_steps = state.counts

    def _flush(self) -> None:
        """Add the norms of the buffered steps to the statistics and empty the buffer."""
        if self._buffer_steps:
            norms = np.sqrt(self._squared_norms())
            np.maximum(self._norm_max, norms.max(axis=0), out=self._norm_max)
            norms_of_epoch = norms[self._epoch_start :]
            self._norm_sum += norms_of_epoch.sum(axis=0)
            self._norm_count += len(norms_of_epoch)
            self._norm_last = norms[-1]
        self._buffer_steps = 0
        self._epoch_start = 0
        self._direct_squares.clear()

    def _squared_norms(self) -> Floats:
        """Return the squared gradient norms (steps, parameters) of the buffered steps."""
        squares = [np.array(self._direct_squares)] if self._direct else []
        if len(self._buffered):
            steps = np.square(self._buffer[: self._buffer_steps])
            squares.append(np.add.reduceat(steps, self._buffered_starts, axis=1, dtype=np.float64))
        return np.concatenate(squares, axis=1)[:, self._position_in_order]


def _buffer_start(network: Network) -> int:
    """Return the index of the first buffered parameter in the flat vector, or the vector's size if there is none."""
    size = network.flat.size
    if size <= BUFFERED_PARAMETERS:
        return 0
    if size - network.weight_count <= BUFFERED_PARAMETERS:
        return network.weight_count
    return size
