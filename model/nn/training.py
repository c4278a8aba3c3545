"""Training of a network: epochs of mini-batch steps, early stopping and divergence checks."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable

import numpy as np

from model.array_types import Floats, aligned_zeros
from model.errors import DivergedError, InputError, InputProblem
from model.nn.checkpoint import Checkpoint, training_signature
from model.nn.data import Examples, TrainingData
from model.nn.diagnostics.assessment import assess_training
from model.nn.diagnostics.divergence import DivergenceCheck
from model.nn.diagnostics.fit_report import Epoch, FitReport
from model.nn.diagnostics.gradient_statistics import GradientStatistics
from model.nn.execution.compiled_step import plan_epoch
from model.nn.fit_config import FitConfig
from model.nn.losses import Loss
from model.nn.network import Network
from model.nn.regularizers import Penalty, clip_gradient

INTERRUPTED = "the training was interrupted inside an epoch: resume from an earlier checkpoint"


def fit(
    network: Network,
    loss: Loss,
    train: Examples,
    validation: Examples | None,
    config: FitConfig,
    rng: np.random.Generator,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> FitReport:
    """Fit a network in place; see `Training` and `Training.run` for arguments and exceptions."""
    return Training(network, loss, train, validation, config, rng).run(on_epoch)


class Training:
    """Training run of one network, which can be interrupted between two epochs and resumed.

    Equal generator state, initial parameters, examples and settings give bit-identical parameters.

    Args:
        network: network to fit in place.
        loss: loss function to minimize.
        train: training examples; inputs that have the network's dtype are not copied.
        validation: examples for early stopping and for the selection of the kept epoch; None keeps the last epoch.
        config: settings of the training run.
        rng: random generator for the order of rows and for dropout.

    Raises:
        InputError: invalid settings or examples, a network without parameters, or training labels of one class only.
    """

    def __init__(
        self,
        network: Network,
        loss: Loss,
        train: Examples,
        validation: Examples | None,
        config: FitConfig,
        rng: np.random.Generator,
    ) -> None:
        config.check()
        if not network.flat.size:
            raise InputError("the network has no parameters to fit", InputProblem.SHAPE)
        self.network = network
        self.loss = loss
        self.config = config
        self.rng = rng
        self._data = data = TrainingData(network, loss, train, validation)
        self._gradient: Floats = aligned_zeros(network.flat.size, network.flat.dtype)
        self._logits: Floats = np.empty(data.targets.values.shape, network.flat.dtype)
        self._batches = plan_epoch(network, loss, data.inputs, data.targets, config.batch_size, self._gradient, rng)
        self._statistics = GradientStatistics(network, self._gradient)
        self._optimizer = config.new_optimizer(network.weight_count)
        self._schedule = config.new_schedule()
        self._penalty = Penalty(config.l1, config.l2) if config.l1 or config.l2 else None
        self._divergence = DivergenceCheck(data.sampled_loss())
        self._epochs: list[Epoch] = []
        self._monitored_losses: list[float] = []
        self._kept_index = 0
        self._initial_parameters = network.flat.copy()
        self._kept_parameters = network.flat.copy()
        # Parameters after the last completed epoch. Outside `run` the network holds the kept parameters instead.
        # None while an epoch runs, so also after an interruption inside an epoch.
        self._current_parameters: Floats | None = network.flat.copy()

    def run(self, on_epoch: Callable[[Epoch], None] | None = None) -> FitReport:
        """Train until the last epoch or until early stopping, then set the network to the kept parameters.

        Args:
            on_epoch: function that is called after each epoch and may call `checkpoint`. If it raises an exception,
                the run ends; another call of `run` continues the training.

        Raises:
            DivergedError: the loss or a parameter is not finite, more than `MAX_NONFINITE_STEPS` gradients are not
                finite, or the training loss is too high (see `DivergenceCheck`).
            InputError: the previous run was interrupted inside an epoch.
        """
        if self._current_parameters is None:
            raise InputError(INTERRUPTED, InputProblem.INTERRUPTED)
        self.network.flat[:] = self._current_parameters
        # NumPy's warnings are off: the divergence check reports overflow with a better message.
        with np.errstate(over="ignore", invalid="ignore"):
            try:
                while not self._finished():
                    self._current_parameters = None
                    epoch = self._train_epoch(len(self._epochs) + 1)
                    self._current_parameters = self.network.flat.copy()
                    self._complete_epoch(epoch)
                    if on_epoch is not None:
                        on_epoch(epoch)
                self._check_last_step()
            finally:
                self.network.flat[:] = self._kept_parameters
            return self._report()

    def _train_epoch(self, number: int) -> Epoch:
        """Train one epoch: forward pass, loss gradient, backward pass and parameter update for each batch."""
        self._statistics.start_epoch()
        self._schedule.start_epoch(self._monitored_losses)
        order = self.rng.permutation(len(self._data.inputs)) if len(self._batches) > 1 else None
        targets = self._data.targets if order is None else self._data.targets.take(order)
        norms = 0.0
        for i, (rows, step) in enumerate(self._batches):
            step.load(self._data.inputs, targets, order, rows)
            self._logits[rows] = step.forward()
            step.loss_gradient()
            step.backward()
            norms += self._update_parameters(self._learning_rate(number, i))
        train_loss = self.loss.value(self._logits, targets)
        epoch = Epoch(number, train_loss, self._data.validation_loss(), norms / len(self._batches))
        self._divergence.check_epoch(number, train_loss, self._monitored_loss(epoch), self.network.flat)
        return epoch

    def _learning_rate(self, epoch: int, step: int) -> float:
        progress = (epoch - 1 + step / len(self._batches)) / self.config.epochs
        return self.config.learning_rate * self._schedule.factor(progress)

    def _update_parameters(self, learning_rate: float) -> float:
        """Add the optimizer's update to the parameters and return the L2 norm of the gradient before clipping.

        If the gradient is not finite, skip the step and return 0.
        """
        config = self.config
        gradient = self._gradient
        if self._penalty is not None:
            weight_count = self.network.weight_count
            self._penalty.add_gradient(self.network.flat[:weight_count], gradient[:weight_count])
        norm = self._statistics.record_gradient()
        if not math.isfinite(norm):
            self._statistics.discard_nonfinite()
            self._divergence.check_nonfinite_steps(self._statistics.step_counts.nonfinite)
            return 0.0
        if clip_gradient(gradient, norm, config.gradient_clip, config.gradient_clip_value):
            self._statistics.count_clipped()
        update = self._optimizer.update(self.network.flat, gradient, learning_rate)
        if self._statistics.update_due:
            self._statistics.record_update(update)
        np.add(self.network.flat, update, self.network.flat)
        return norm

    def _finished(self) -> bool:
        stopped_early = 0 < self.config.patience <= self._epochs_without_progress()
        return stopped_early or len(self._epochs) >= self.config.epochs

    def _epochs_without_progress(self) -> int:
        """Return the number of epochs since the lowest validation loss; 0 without validation examples."""
        if self._data.validation is None or not self._epochs:
            return 0
        losses = self._monitored_losses
        return len(losses) - 1 - losses.index(min(losses))

    def _complete_epoch(self, epoch: Epoch) -> None:
        """Record an epoch; keep its parameters, unless `keep_best` selects an earlier epoch."""
        self._epochs.append(epoch)
        self._monitored_losses.append(self._monitored_loss(epoch))
        if not self.config.keep_best or self._epochs_without_progress() == 0:
            self._kept_parameters[:] = self.network.flat
            self._kept_index = epoch.number - 1

    def _check_last_step(self) -> None:
        """Raise DivergedError if the loss after the last step is too high; the initial parameters are then kept.

        With validation examples nothing is checked: the last validation loss already includes the last step.
        """
        if self._data.validation is not None:
            return
        try:
            self._divergence.check_last_step(self._data.sampled_loss())
        except DivergedError:
            self._kept_parameters[:] = self._initial_parameters
            self._current_parameters = None
            raise

    def _monitored_loss(self, epoch: Epoch) -> float:
        return epoch.train_loss if self._data.validation is None else epoch.validation_loss

    def _report(self) -> FitReport:
        health = assess_training(
            self._data, self._statistics, self._epochs, self._divergence.initial_loss, self.config
        )
        return FitReport(tuple(self._epochs), self._kept_index + 1, health)

    def checkpoint(self) -> Checkpoint:
        """Return a copy of the state after the last completed epoch.

        Raises:
            InputError: the training was interrupted inside an epoch.
        """
        if self._current_parameters is None:
            raise InputError(INTERRUPTED, InputProblem.INTERRUPTED)
        return Checkpoint(
            signature=self._signature(),
            parameters=self._current_parameters.copy(),
            kept_parameters=self._kept_parameters.copy(),
            optimizer=copy.deepcopy(self._optimizer.state),
            epochs=tuple(self._epochs),
            kept_index=self._kept_index,
            initial_loss=self._divergence.initial_loss,
            statistics=self._statistics.state(),
            generator=copy.deepcopy(self.rng.bit_generator.state),
        )

    def resume(self, checkpoint: Checkpoint) -> None:
        """Restore the state from a checkpoint of a run with equal settings; `epochs` and `patience` may differ.

        Raises:
            InputError: settings, layers or shapes of the examples differ, or the checkpoint is inconsistent; the
                training run is then unchanged.
        """
        checkpoint.check(self._signature(), self.network, self._optimizer)
        checkpoint.restore_generator(self.rng)
        self._optimizer.state = copy.deepcopy(checkpoint.optimizer)
        self._statistics.restore(checkpoint.statistics)
        self._divergence = DivergenceCheck(checkpoint.initial_loss)
        self._epochs = list(checkpoint.epochs)
        self._monitored_losses = [self._monitored_loss(epoch) for epoch in checkpoint.epochs]
        self._kept_index = checkpoint.kept_index
        self._current_parameters = checkpoint.parameters.copy()
        self._kept_parameters[:] = checkpoint.kept_parameters
        self.network.flat[:] = self._kept_parameters

    def _signature(self) -> dict[str, str]:
        settings = {"loss": self.loss, "data": self._data.shapes, **vars(self.config), "optimizer": self._optimizer}
        return training_signature(settings, self.network)
